//! What the compose file deploys, without its containers: its Redis started as it says, two instances under the
//! variables it sets, and nginx in front of them with the configuration that is shipped.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::service::SECRET;
use crate::support::wire::token;
use crate::{Service, eventually, rollcall};

#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

fn shipped(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn compose() -> Compose {
    serde_saphyr::from_str(&shipped("docker-compose.yml")).unwrap()
}

/// The text with what stands in it once replaced; it must stand in it.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} in:\n{text}");
    text.replace(from, to)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The parts, each ended by its own process id.
struct Deployment {
    port: u16,
    nginx: Child,
    instances: Vec<Service>,
    redis: Child,
    dir: TempDir,
}

impl Deployment {
    fn start() -> Deployment {
        let (dir, compose) = (tempfile::tempdir().unwrap(), compose());
        let socket = dir.path().join("redis.sock");
        let (program, options) = compose.services["redis"].command.split_first().unwrap();
        let redis = Command::new(program)
            .args(options)
            .args(["--port", "0", "--logfile", "redis.log", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(dir.path())
            .spawn()
            .unwrap();
        eventually("the compose file's Redis listens", || socket.exists());
        let instances: Vec<Service> = ["rollcall-1", "rollcall-2"]
            .iter()
            .map(|name| {
                let mut command = rollcall();
                command.arg("serve").arg("--data-dir").arg(dir.path().join(name));
                for (variable, value) in &compose.services[*name].environment {
                    command.env(variable, filled_in(variable, value, &socket));
                }
                Service::with(&mut command)
            })
            .collect();
        let port = free_port();
        let nginx = nginx(dir.path(), port, [instances[0].port, instances[1].port]);
        let deployment = Deployment { port, nginx, instances, redis, dir };
        eventually("nginx listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        deployment
    }

    async fn says(&self, method: Method, path: &str, token: &str, body: Value) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = Client::builder().no_proxy().build().unwrap().request(method, url).bearer_auth(token).json(&body);
        let answer = request.timeout(Duration::from_secs(10)).send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {body}\n{}", self.log());
        serde_json::from_str(&body).unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("nginx.log")).unwrap_or_default()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        for child in [&mut self.nginx, &mut self.redis] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A variable as Compose would fill it in; what names a container names what stands in for it.
fn filled_in(variable: &str, value: &str, redis: &Path) -> String {
    match variable {
        "ROLLCALL_REDIS_URL" => replaced(value, "redis://redis:6379", &format!("unix://{}", redis.display())),
        "ROLLCALL_JWT_SECRET" => SECRET.to_owned(),
        _ if value.starts_with("${") => value.split_once(":-").unwrap().1.trim_end_matches('}').to_owned(),
        _ => value.to_owned(),
    }
}

fn nginx(dir: &Path, port: u16, instances: [u16; 2]) -> Child {
    let mut site = replaced(&shipped("deploy/nginx.conf"), "listen 80;", &format!("listen 127.0.0.1:{port};"));
    for (index, instance) in instances.iter().enumerate() {
        site = replaced(&site, &format!("rollcall-{}:8080", index + 1), &format!("127.0.0.1:{instance}"));
    }
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", dir.display()))
        .concat();
    let whole = format!(
        "daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/nginx.log;\n\
         events {{}}\nhttp {{ access_log off;\n{places}{site}\n}}\n",
        dir = dir.display()
    );
    let config = dir.join("nginx.conf");
    fs::write(&config, whole).unwrap();
    // Debian keeps it where only root's PATH goes.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let command = Command::new("nginx").env("PATH", path).arg("-c").arg(config).stderr(Stdio::null()).spawn();
    command.unwrap_or_else(|error| panic!("nginx cannot be started ({error}): `make test` installs it"))
}

#[test]
fn every_variable_of_the_compose_file_is_a_setting() {
    let help = rollcall().args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let containers = compose().services;
    let variables = containers.values().flat_map(|container| container.environment.keys());
    let (known, unknown): (Vec<_>, Vec<_>) = variables.partition(|name| {
        // a secret's value is not shown
        ["=", "]"].iter().any(|end| help.contains(&format!("[env: {name}{end}")))
    });
    assert!(unknown.is_empty() && !known.is_empty(), "{unknown:?} of {known:?} in:\n{help}");
}

#[tokio::test]
async fn two_instances_behind_nginx_book_are_heard_over_a_socket_and_outlive_one_another() {
    let mut deployment = Deployment::start();
    let (operator, admin, ann) = (
        token("operator", "operator", None),
        token("admin", "admin", Some("gym")),
        token("ann", "member", Some("gym")),
    );
    let put = async |path: &str, token: &str, body: Value| deployment.says(Method::PUT, path, token, body).await;
    put("/v1/orgs/gym", &operator, json!({ "name": "Gym", "preset": "standard" })).await;
    put("/v1/clubs/main", &admin, json!({ "name": "Main" })).await;
    let membership = json!({ "plan": "unlimited", "status": "active", "clubs": "all", "categories": "all" });
    put("/v1/members/ann", &admin, json!({ "name": "Ann", "membership": membership })).await;
    let starts = chrono::Utc::now() + chrono::TimeDelta::hours(30);
    for class in ["first", "second"] {
        let class = json!({
            "id": class, "club": "main", "title": "Yoga", "minutes": 1, "capacity": 10,
            "starts_at": starts.format("%Y-%m-%dT%H:%M:00Z").to_string(), "policy": { "booking": { "allow_overlap": true } },
        });
        deployment.says(Method::POST, "/v1/classes", &admin, class).await;
    }

    let mut request = format!("ws://127.0.0.1:{}/v1/live", deployment.port).into_client_request().unwrap();
    for (name, value) in [
        ("Sec-WebSocket-Protocol", "rollcall.v1"),
        // the service's own pages, by the address that the browser sees
        ("Origin", &format!("http://127.0.0.1:{}", deployment.port)),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let hello = json!({ "op": "hello", "token": ann, "epoch": "", "topics": { "class:first": 0 } });
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let mut hears = async |words: &str| loop {
        let frame = tokio::time::timeout(Duration::from_secs(10), socket.next()).await;
        let frame = frame.unwrap_or_else(|_| panic!("never heard {words}")).unwrap().unwrap();
        if frame.to_text().is_ok_and(|text| text.contains(words)) {
            break;
        }
    };
    hears("\"booked\":0").await;
    deployment.says(Method::POST, "/v1/classes/first/bookings", &ann, json!({})).await;
    hears("\"booked\":1").await;

    deployment.instances[0].child.kill().unwrap();
    for _ in 0..8 {
        deployment.says(Method::GET, "/v1/me", &ann, Value::Null).await;
    }
    let booked = deployment.says(Method::POST, "/v1/classes/second/bookings", &ann, json!({})).await;
    assert_eq!(booked["status"], "booked");
}
