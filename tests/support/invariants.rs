//! What must hold of every organisation whatever was done to it, as far as it can be seen from outside.
//!
//! Read over HTTP like `rollcall check` does; the numbers are those of `DESIGN.md`.

use std::collections::HashSet;

use serde_json::Value;

use super::api::token;

/// Every broken invariant of these organisations, in a sentence each.
pub fn broken(url: &str, orgs: &[String]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut broken = Vec::new();
        for org in orgs {
            let desk = Desk { http: http.clone(), url: url.to_owned(), token: token("checker", "staff", Some(org)) };
            desk.check(org, &mut broken).await;
        }
        broken
    })
}

struct Desk {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Desk {
    async fn get(&self, path: &str) -> Option<Value> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let response = request.send().await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        serde_json::from_slice(&response.bytes().await.ok()?).ok()
    }

    async fn check(&self, org: &str, broken: &mut Vec<String>) {
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/classes?from=2000-01-01T00:00:00Z&to=2199-01-01T00:00:00Z&limit=200{cursor}");
            let Some(page) = self.get(&path).await else {
                broken.push(format!("{org}: the classes cannot be read"));
                return;
            };
            for class in page["items"].as_array().into_iter().flatten() {
                let id = class["id"].as_str().unwrap_or_default();
                match self.get(&format!("/v1/classes/{id}/roster")).await {
                    Some(roster) => {
                        let found = of_class(class, &roster);
                        broken.extend(found.into_iter().map(|what| format!("{org}, class {id}: {what}")));
                    }
                    None => broken.push(format!("{org}, class {id}: the roster cannot be read")),
                }
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return,
            }
        }
    }
}

fn of_class(class: &Value, roster: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let list = |name: &str| roster[name].as_array().cloned().unwrap_or_default();
    let (spots, waitlist) = (list("bookings"), list("waitlist"));
    let with = |status: &str| spots.iter().filter(|entry| entry["status"] == status).count() as u64;
    let counted = |name: &str| class[name].as_u64().unwrap_or_default();
    let (booked, offered) = (with("booked") + with("checked_in"), with("offered"));
    if counted("booked") != booked {
        broken.push(format!("booked is {} and the roster has {booked} (invariant 1)", class["booked"]));
    }
    if counted("waiting") != waitlist.len() as u64 {
        broken.push(format!("waiting is {} and the waitlist has {} (invariant 1)", class["waiting"], waitlist.len()));
    }
    if counted("checked_in") != with("checked_in") {
        broken.push(format!("checked_in is {} and the roster has {}", class["checked_in"], with("checked_in")));
    }
    if counted("free") > counted("capacity").saturating_sub(booked + offered) {
        broken.push(format!("free is {} of {} with {booked} booked, {offered} offered", class["free"], class["capacity"]));
    }
    let mut seen = HashSet::new();
    for entry in spots.iter().chain(&waitlist) {
        if !seen.insert(entry["member"].to_string()) {
            broken.push(format!("member {} is there twice (invariants 1 and 5)", entry["member"]));
        }
    }
    for (index, entry) in waitlist.iter().enumerate() {
        if entry["position"] != index + 1 {
            broken.push(format!("the waitlist's entry {} has position {}", index + 1, entry["position"]));
        }
    }
    broken
}
