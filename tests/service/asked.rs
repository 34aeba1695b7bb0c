//! What an operator asks of the program besides serving, and gets wrong: a plain line each.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use serde_json::json;

use crate::support::redis::{Keeps, Redis};
use crate::support::service::SECRET;
use crate::support::wire::token;
use crate::{Service, one_line, rollcall};

fn check(url: &str) -> Output {
    rollcall().args(["check", "--url", url]).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_token_that_no_service_would_believe_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("jwt_secret"), SECRET).unwrap();
    let minted = |changes: &[(&str, &str)], env: Option<(&str, &str)>| {
        let mut asked = vec![("--org", "gym"), ("--role", "member"), ("--sub", "ann")];
        for (flag, value) in changes {
            asked.retain(|(known, _)| known != flag);
            asked.push((flag, value));
        }
        let mut command = rollcall();
        command.arg("token").arg("--data-dir").arg(dir.path());
        asked.iter().for_each(|(flag, value)| _ = command.args([flag, value]));
        command.envs(env).output().unwrap()
    };
    assert!(minted(&[], None).status.success());
    for (flag, value) in [
        ("--sub", ""),
        ("--sub", "a b"),
        ("--org", "G_G}"),
        ("--org", ""),
        ("--club", "a b"),
        ("--ttl", "PT0S"),
        ("--ttl", "soon"),
        ("--role", "boss"),
    ] {
        let refused = minted(&[(flag, value)], None);
        assert_eq!((refused.status.code(), told(&refused).as_str()), (Some(2), ""), "{flag} {value:?}");
        assert!(one_line(&refused).contains(flag), "{flag} {value:?}");
    }
    for variable in ["ROLLCALL_JWT_PUBLIC_KEY", "ROLLCALL_JWKS_FILE", "ROLLCALL_JWKS_URL"] {
        let refused = minted(&[], Some((variable, "https://id.example/keys")));
        assert_eq!(refused.status.code(), Some(2));
        assert!(one_line(&refused).contains(variable));
        assert!(minted(&[], Some((variable, ""))).status.success(), "empty is not given");
    }
}

#[test]
fn a_token_says_whose_secret_it_has_and_none_is_made_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let mint = |folder: &std::path::Path| {
        let mut command = rollcall();
        command.args(["token", "--org", "gym", "--role", "staff", "--sub", "desk"]).current_dir(folder);
        command
    };
    let elsewhere = mint(dir.path()).output().unwrap();
    assert_eq!(elsewhere.status.code(), Some(2));
    let line = one_line(&elsewhere);
    assert!(line.contains("./data/jwt_secret") && line.contains("ROLLCALL_DATA_DIR"), "{line}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is made");

    let given = mint(dir.path()).env("ROLLCALL_JWT_SECRET", SECRET).output().unwrap();
    assert!(one_line(&given).contains("secret of ROLLCALL_JWT_SECRET") && !one_line(&given).contains(SECRET));

    let service = Service::start(&dir.path().join("data"));
    let found = mint(dir.path()).output().unwrap();
    let place = fs::canonicalize(dir.path().join("data/jwt_secret")).unwrap();
    assert!(one_line(&found).contains(&place.display().to_string()));
    let answer = service.get_as("/v1/org", told(&found).trim());
    assert!(answer.contains("There is no organisation gym"), "it is believed: {answer}");
}

#[test]
fn variables_that_are_no_settings_are_named_with_the_nearest_that_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = rollcall();
    command.arg("serve").arg("--data-dir").arg(dir.path());
    command.env("ROLLCALL_LISTN", "0.0.0.0:1").env("ROLLCALL_JWKS", "x").env("ROLLCALLED", "x");
    let service = Service::with(&mut command);
    let log: Vec<String> = service.heard.iter().filter(|line| line.contains("is no setting")).cloned().collect();
    assert_eq!(log.len(), 2, "{log:?}");
    let says = |name: &str, nearest: &str| {
        log.iter().any(|line| line.contains(&format!("{name} is no setting")) && line.trim_end().ends_with(nearest))
    };
    assert!(says("ROLLCALL_LISTN", "ROLLCALL_LISTEN") && says("ROLLCALL_JWKS", "ROLLCALL_JWKS_URL"), "{log:?}");
}

#[test]
fn a_key_set_that_is_away_is_told_with_its_address_and_cause() {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = rollcall();
    command.arg("serve").arg("--data-dir").arg(dir.path());
    command.env("ROLLCALL_JWKS_URL", format!("http://ann:hush@127.0.0.1:{port}/keys?key=hush"));
    let service = Service::with(&mut command);
    let lines: Vec<&String> = service.heard.iter().filter(|line| line.contains("key set")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0];
    for words in [&format!("http://127.0.0.1:{port}/keys"), "refused", "no keys yet"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!line.contains("hush") && !line.contains("stay in force"), "{line}");
}

#[tokio::test]
async fn a_check_says_what_it_read() {
    let redis = Redis::start(Keeps::Everything);
    let empty = check(&redis.url());
    assert_eq!((empty.status.code(), told(&empty).as_str()), (Some(2), ""));
    assert!(one_line(&empty).contains("no organisation"));

    let service = crate::support::service::Service::on(&redis);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let puts = async |path: &str, token: &str, body: serde_json::Value| {
        let answer = http.put(format!("{}{path}", service.url())).bearer_auth(token).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    };
    puts("/v1/orgs/gym", &token("operator", "operator", None), json!({ "name": "Gym" })).await;
    let member = json!({ "name": "Ann", "membership": { "plan": "unlimited", "status": "active" } });
    puts("/v1/members/ann", &token("desk", "staff", Some("gym")), member).await;
    let whole = check(&redis.url());
    let said = "read 1 organisations, 1 members, 0 classes, 0 bookings and 2 events: ok\n";
    assert_eq!((whole.status.code(), told(&whole).as_str()), (Some(0), said));

    redis.tells("SET rc:{gym}:odd x");
    let broken = check(&redis.url());
    assert_eq!(broken.status.code(), Some(1));
    assert!(told(&broken).trim_end().ends_with(": 1 broken invariant"), "{}", told(&broken));
}

#[test]
fn a_port_that_is_no_redis_is_told_in_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let output = check(&format!("redis://127.0.0.1:{port}"));
    assert_eq!(output.status.code(), Some(1));
    let line = one_line(&output);
    assert!(line.contains(&format!("127.0.0.1:{port}")) && line.contains("no Redis"), "{line}");
}
