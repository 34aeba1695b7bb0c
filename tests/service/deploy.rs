//! What the compose file deploys, without its containers: its Redis started as it says, two instances under the
//! variables it sets, and nginx in front of them with the configuration that is shipped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::names::Names;
use crate::{Service, eventually, rollcall};

#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    image: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    env_file: Vec<EnvFile>,
    #[serde(default)]
    ports: Vec<String>,
    healthcheck: Option<Healthcheck>,
}

#[derive(Deserialize)]
struct EnvFile {
    path: String,
    required: bool,
}

#[derive(Deserialize)]
struct Healthcheck {
    test: Vec<String>,
}

/// What the instances share: a port, each on an address of its own. Linux answers on all of 127.0.0.0/8.
const INSTANCES: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)];
/// Where one that was made anew is.
const ANEW: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

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
    /// That of every instance.
    shared: u16,
    names: Names,
    nginx: Child,
    instances: Vec<Service>,
    redis: Child,
    dir: TempDir,
}

impl Deployment {
    fn start() -> Deployment {
        Deployment::limited("500")
    }

    /// With another number of connections from one address.
    fn limited(connections: &str) -> Deployment {
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
        let shared = free_port();
        let instances = ["rollcall-1", "rollcall-2"].into_iter().zip(INSTANCES);
        let instances = instances.map(|(name, address)| instance(name, address, shared, dir.path())).collect();
        let names = Names::start(&INSTANCES);
        let port = free_port();
        let nginx = nginx(dir.path(), port, shared, names.port, connections);
        let deployment = Deployment { port, shared, names, nginx, instances, redis, dir };
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

    /// A token, made as the compose file says.
    fn token(&self, asked: &[&str]) -> String {
        let mut command = rollcall();
        command.arg("token").args(asked).arg("--data-dir").arg(self.dir.path().join("data"));
        String::from_utf8(command.output().unwrap().stdout).unwrap().trim().to_owned()
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

/// An instance as the compose file has it: its variables, and the folder that all share.
fn instance(name: &str, address: Ipv4Addr, port: u16, dir: &Path) -> Service {
    let mut command = rollcall();
    command.arg("serve");
    for (variable, value) in &compose().services[name].environment {
        let value = match variable.as_str() {
            "ROLLCALL_REDIS_URL" => {
                replaced(value, "redis://redis:6379", &format!("unix://{}/redis.sock", dir.display()))
            }
            "ROLLCALL_DATA_DIR" => replaced(value, "/data", &dir.join("data").display().to_string()),
            _ => value.to_owned(),
        };
        command.env(variable, value);
    }
    Service::at(&mut command, &format!("{address}:{port}"))
}

fn nginx(dir: &Path, port: u16, instances: u16, names: u16, connections: &str) -> Child {
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", dir.display()))
        .concat();
    let mut whole = shipped("deploy/nginx.conf");
    for (from, to) in [
        ("listen 80;", format!("listen 127.0.0.1:{port};")),
        ("resolver 127.0.0.11 valid=5s ipv6=off;", format!("resolver 127.0.0.1:{names} valid=1s ipv6=off;")),
        ("set $instances rollcall:8080;", format!("set $instances rollcall.test:{instances};")),
        ("http {\n", format!("http {{\n{places}")),
        ("access_log /dev/stdout plain;", format!("access_log {}/access.log plain;", dir.display())),
        ("limit_conn addresses 500;", format!("limit_conn addresses {connections};")),
        ("worker_rlimit_nofile 65536;", String::new()),
        ("worker_connections 16384;", "worker_connections 256;".to_owned()),
    ] {
        whole = replaced(&whole, from, &to);
    }
    let config = dir.join("nginx.conf");
    fs::write(&config, whole).unwrap();
    let here = dir.display();
    let process = format!("daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/nginx.log;");
    // Debian keeps it where only root's PATH goes.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("nginx");
    command.env("PATH", path).arg("-c").arg(config).args(["-g", &process]).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("nginx cannot be started ({error}): `make test` installs it"))
}

/// Every setting of the program, and its default where it has one.
fn settings() -> BTreeMap<String, String> {
    let help = rollcall().args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let options = help.split("[env: ").skip(1).map(|option| {
        let name = option.split(['=', ']']).next().unwrap().to_owned();
        let default = option.split_once("[default: ").filter(|(before, _)| !before.contains("--"));
        (name, default.map_or(String::new(), |(_, default)| default.split(']').next().unwrap().to_owned()))
    });
    let settings: BTreeMap<String, String> = options.collect();
    assert!(settings.len() > 12, "{help}");
    settings
}

#[test]
fn the_code_the_readme_and_the_example_of_an_environment_have_the_same_settings() {
    let settings = settings();
    let example = shipped(".env.example");
    let lines = example.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let shown: BTreeMap<String, String> = lines
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(shown, settings, "variables and their defaults");

    let readme = shipped("README.md");
    let (_, table) = readme.split_once("| setting | default | meaning |").expect("the README's table");
    let table = table.split("\n\n").next().unwrap();
    let named: BTreeSet<&str> = (table.lines().filter(|line| line.starts_with("| `ROLLCALL_")))
        .flat_map(|line| line.split('|').nth(1).unwrap().split(',').map(|name| name.trim().trim_matches('`')))
        .collect();
    assert_eq!(named, settings.keys().map(String::as_str).collect());
}

#[test]
fn every_instance_takes_every_setting_and_is_seen_on_this_machine_alone() {
    let (services, settings) = (compose().services, settings());
    let instances: Vec<&Container> = services.values().filter(|container| container.image == "rollcall").collect();
    assert_eq!(instances.len(), 2);
    for container in instances {
        let files: Vec<(&str, bool)> =
            (container.env_file.iter()).map(|file| (file.path.as_str(), file.required)).collect();
        assert_eq!(files, [(".env", false)]);
        // What stands here wins over the file, so nothing may stand here that an operator could want otherwise.
        let set: Vec<&str> = container.environment.keys().map(String::as_str).collect();
        assert_eq!(set, ["ROLLCALL_DATA_DIR", "ROLLCALL_LISTEN", "ROLLCALL_REDIS_URL"]);
        assert!(set.iter().all(|name| settings.contains_key(*name)));
        assert!(container.healthcheck.is_some());
    }
    for (name, container) in &services {
        let pinned =
            container.image == "rollcall" || container.image.split_once(':').is_some_and(|(_, tag)| tag.contains('.'));
        assert!(pinned, "{name}: {}", container.image);
        assert!(
            container.ports.iter().all(|port| port.starts_with("${BIND:-127.0.0.1:")),
            "{name}: {:?}",
            container.ports
        );
    }
}

#[test]
fn the_health_check_of_the_instances_tells_ready_from_not() {
    let dir = tempfile::tempdir().unwrap();
    let healthcheck = |port: u16| {
        let test = compose().services["rollcall-1"].healthcheck.as_ref().unwrap().test.clone();
        let (kind, words) = test.split_first().unwrap();
        assert_eq!(kind, "CMD");
        let words: Vec<String> = words.iter().map(|word| word.replace("/8080", &format!("/{port}"))).collect();
        Command::new(&words[0]).args(&words[1..]).stderr(Stdio::null()).status().unwrap().success()
    };
    let ready = Service::start(&dir.path().join("ready"));
    assert!(healthcheck(ready.port));
    let mut command = rollcall();
    command.args(["serve", "--redis-url", "redis://127.0.0.1:1"]).arg("--data-dir").arg(dir.path());
    let waiting = Service::with(&mut command);
    assert!(!healthcheck(waiting.port));
    assert!(!healthcheck(free_port()));
}

#[tokio::test]
async fn one_address_has_so_many_connections_under_way_and_no_more() {
    let deployment = Deployment::limited("2");
    let open = async || {
        let mut request = format!("ws://127.0.0.1:{}/v1/live", deployment.port).into_client_request().unwrap();
        let protocol = HeaderValue::from_static("rollcall.v1");
        request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    };
    let _first = open().await.unwrap();
    let _second = open().await.unwrap();
    let refused = open().await.unwrap_err().to_string();
    assert!(refused.contains("429"), "{refused}");
}

#[tokio::test]
async fn the_longest_token_passes_nginx() {
    let deployment = Deployment::start();
    let url = format!("http://127.0.0.1:{}/v1/org", deployment.port);
    let answer = Client::builder().no_proxy().build().unwrap().get(url).bearer_auth("x".repeat(16 * 1024)).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer["detail"], "This is no signed JSON Web Token.", "the service's own word");
}

#[tokio::test]
async fn two_instances_behind_nginx_book_are_heard_over_a_socket_and_outlive_one_another() {
    let mut deployment = Deployment::start();
    let operator = deployment.token(&["--role", "operator", "--sub", "operator"]);
    let admin = deployment.token(&["--role", "admin", "--sub", "admin", "--org", "gym"]);
    let ann = deployment.token(&["--role", "member", "--sub", "ann", "--org", "gym"]);
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

    // Both are made anew, elsewhere: nginx, which was not touched, finds them.
    let again = instance("rollcall-1", ANEW, deployment.shared, deployment.dir.path());
    deployment.names.become_(&[ANEW]);
    deployment.instances[1].child.kill().unwrap();
    let url = format!("http://127.0.0.1:{}/readyz?key=hush", deployment.port);
    let http = Client::builder().no_proxy().build().unwrap();
    let begun = Instant::now();
    while http.get(&url).send().await.unwrap().status() != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", deployment.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(deployment.says(Method::GET, "/v1/me", &ann, Value::Null).await["id"], "ann");
    drop(again);

    let hidden = http.get(format!("http://127.0.0.1:{}/metrics", deployment.port)).send().await.unwrap();
    assert_eq!(hidden.status(), 404);
    let access = fs::read_to_string(deployment.dir.path().join("access.log")).unwrap();
    assert!(access.contains("GET /readyz") && !access.contains("hush"), "{access}");
}
