//! `/openapi.json` is true: a validator reads it, its examples are what it describes, and a program that knows nothing
//! but the document calls a running service without a surprise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::service::SECRET;
use crate::support::wire::token;
use crate::{Service, rollcall};

/// What the calls may take together, in seconds. The examples and the edge cases of every operation come first.
const CALLING_S: &str = "45";

/// So many of the generated calls of an operation, at most.
const CALLS_EACH: &str = "25";

/// Fewer calls than this are no trial, however busy the machine; a quiet one makes close to three thousand.
const CALLS_MIN: u32 = 200;

/// What every answer is held to, beside `what_is_described_is_taken` of the hooks.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,negative_data_rejection,unsupported_method,what_is_described_is_taken";

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/described");

/// The folder of the programs, in the versions pinned here.
pub static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
    let wanted = Path::new(FOLDER).join("requirements.txt");
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let installed = home.join("installed.txt");
    let text = fs::read(&wanted).unwrap();
    if fs::read(&installed).is_ok_and(|found| found == text) {
        return home.join("bin");
    }
    runs(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    let mut pip = Command::new(home.join("bin/pip"));
    runs(pip.args(["install", "--quiet", "--retries", "5", "--timeout", "20", "-r"]).arg(&wanted));
    fs::write(installed, text).unwrap();
    home.join("bin")
});

/// What a program says that ends well.
pub fn runs(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: `make test` installs it"));
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{said}");
    said
}

/// A service with an organisation in it, and what the calls need to know of that.
struct Gym {
    service: Service,
    known: Value,
    dir: tempfile::TempDir,
}

impl Gym {
    async fn start() -> Gym {
        let dir = tempfile::tempdir().unwrap();
        let mut command = rollcall();
        command.arg("serve").arg("--data-dir").arg(dir.path());
        command.env("ROLLCALL_JWT_SECRET", SECRET).env("ROLLCALL_RATE_LIMIT", "0");
        let service = Service::with(&mut command);
        let tokens = json!({
            "operator": token("operator", "operator", None),
            "admin": token("desk", "admin", Some("gym")),
            "member": token("m-1", "member", Some("gym")),
        });
        let gym = Gym { service, known: json!({ "tokens": tokens }), dir };
        gym.says("operator", "PUT", "/v1/orgs/gym", json!({ "name": "Gym" })).await;
        gym.says("admin", "PUT", "/v1/clubs/main", json!({ "name": "Main" })).await;
        let membership = json!({ "plan": "unlimited", "status": "active" });
        let member = json!({ "name": "Ann", "phone": "+4712345678", "membership": membership });
        gym.says("admin", "PUT", "/v1/members/m-1", member).await;
        let starts = (chrono::Utc::now() + chrono::TimeDelta::days(2)).format("%Y-%m-%dT%H:%M:00Z").to_string();
        let class =
            json!({ "id": "c-1", "club": "main", "title": "Yoga", "starts_at": starts, "minutes": 60, "capacity": 1 });
        gym.says("admin", "POST", "/v1/classes", class).await;
        let series = json!({ "id": "s-1", "club": "main", "title": "Spin", "starts_on": "2026-01-05", "time": "18:00",
            "rrule": "FREQ=WEEKLY;BYDAY=MO", "minutes": 45, "capacity": 20 });
        gym.says("admin", "POST", "/v1/series", series).await;
        let booking = gym.says("member", "POST", "/v1/classes/c-1/bookings", json!({})).await;
        let mut known = gym.known.clone();
        known["ids"] = json!({ "orgs": "gym", "clubs": "main", "members": "m-1", "classes": "c-1", "series": "s-1",
            "bookings": booking["id"], "fees": "1" });
        Gym { known, ..gym }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.service.port)
    }

    async fn says(&self, role: &str, method: &str, path: &str, body: Value) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.request(method.parse().unwrap(), self.url(path)).json(&body);
        let answer = request.bearer_auth(self.known["tokens"][role].as_str().unwrap()).send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {body}");
        body
    }

    async fn document(&self) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        http.get(self.url("/openapi.json")).send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test]
async fn the_description_is_valid_and_so_is_each_of_its_examples() {
    let gym = Gym::start().await;
    let document = gym.document().await;
    let file = gym.dir.path().join("openapi.json");
    fs::write(&file, document.to_string()).unwrap();
    let said = runs(Command::new(PROGRAMS.join("openapi-spec-validator")).arg(&file));
    assert!(said.contains("OK"), "{said}");

    let mut shown = 0;
    examples(&document, &document, &mut shown);
    assert!(shown > 30, "only {shown} examples");
}

/// Holds every example to the schema it stands beside.
fn examples(document: &Value, at: &Value, shown: &mut usize) {
    match at {
        Value::Object(fields) => {
            // A body's example stands beside the schema, a value's within it.
            let schema = fields.get("schema").unwrap_or(at);
            let singles =
                fields.get("example").filter(|_| fields.contains_key("schema") || fields.contains_key("type"));
            let several = fields.get("examples").and_then(Value::as_array);
            for example in singles.into_iter().chain(several.into_iter().flatten()) {
                let mut whole = json!({ "allOf": [schema], "components": document["components"] });
                without_examples(&mut whole["allOf"][0]);
                let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
                let wrong: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
                assert!(wrong.is_empty(), "{example} beside {schema}: {}", wrong.join("; "));
                *shown += 1;
            }
            fields.values().for_each(|value| examples(document, value, shown));
        }
        Value::Array(values) => values.iter().for_each(|value| examples(document, value, shown)),
        _ => {}
    }
}

fn without_examples(schema: &mut Value) {
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("example");
    }
}

#[tokio::test]
async fn who_knows_nothing_but_the_description_meets_no_surprise() {
    let gym = Gym::start().await;
    let mut calls = Command::new(PROGRAMS.join("schemathesis"));
    calls
        .current_dir(gym.dir.path())
        .args([
            "--config-file",
            &format!("{FOLDER}/schemathesis.toml"),
            "run",
            "--no-color",
            "--checks",
            CHECKS,
            "--phases",
            "examples,coverage,fuzzing",
            "--max-time",
            CALLING_S,
        ])
        .args(["--max-examples", CALLS_EACH, "--seed", "8", "--suppress-health-check", "all", "--warnings", "off"])
        .args(["--exclude-path", "/v1/live", "--exclude-path", "/v1/clock", "--continue-on-failure", "--no-shrink"])
        .arg(gym.url("/openapi.json"))
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", FOLDER)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("DESCRIBED", gym.known.to_string());
    let said = runs(&mut calls);
    let count = said.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count > CALLS_MIN), "too few calls:\n{said}");
    assert!(gym.service.get("/readyz").starts_with("HTTP/1.1 200"));
}
