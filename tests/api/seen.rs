//! What a test looks at after it has acted: states, counts, instants, and what a history says.

use serde_json::{Value, json};

use crate::dump::every;
use crate::support::api::{Named, Org, Person, Reply};

/// A class whose only spot is taken.
pub struct Full {
    pub class: Reply,
    pub holder: Person,
    pub spot: Reply,
}

impl Full {
    /// Whoever holds the spot gives it up.
    pub async fn frees(&self) {
        self.holder.cancels(&self.spot).becoming("cancelled").await;
    }
}

impl Named for Full {
    fn id(&self) -> String {
        self.class.id()
    }
}

impl Reply {
    /// A text of the body, by JSON pointer.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_else(|| panic!("no text at {pointer} in {}", self.body))
    }

    /// A value of the body, by JSON pointer; null where there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The pointers of a 422, sorted.
    pub fn pointers(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let mut found: Vec<String> =
            errors.iter().filter_map(|error| error["pointer"].as_str()).map(str::to_owned).collect();
        found.sort();
        found
    }

    /// The `id` of every item.
    pub fn ids(&self) -> Vec<&str> {
        self.items().iter().filter_map(|item| item["id"].as_str()).collect()
    }
}

impl Org {
    /// Asserts what has become of a booking.
    pub async fn finds(&self, booking: &impl Named, status: &str) -> Reply {
        let seen = self.desk().sees_booking(booking).await;
        assert_eq!(seen.body["status"], status, "{}", seen.body);
        seen
    }

    /// Booked, free and waiting.
    pub async fn counts(&self, class: &impl Named) -> (u64, u64, u64) {
        let seen = self.desk().sees(class).await;
        let count = |name: &str| seen.body[name].as_u64().expect("a count");
        (count("booked"), count("free"), count("waiting"))
    }

    /// The lines of a class's history that tell of this event.
    pub async fn told(&self, class: &impl Named, event: &str) -> Vec<Value> {
        let mut history = every(&self.desk(), &format!("/v1/classes/{}/history", class.id())).await;
        history.retain(|line| line["event"] == event);
        history
    }

    /// Who was passed over in a class and why, in order.
    pub async fn passed_over(&self, class: &impl Named) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told = self.told(class, "promotion_passed_over").await;
        let passed = told.iter().flat_map(|line| line["data"]["passed"].as_array().expect("a list"));
        passed.map(|one| (text(&one["member"]), text(&one["reason"]))).collect()
    }

    /// The place of the newest event.
    pub async fn cursor(&self) -> String {
        let unchanged = self.desk().put("/v1/clubs/main", json!({ "name": "Main" })).await;
        unchanged.cursor.expect("a write says where the stream is")
    }

    /// Members whose memberships cover everything.
    pub async fn members<const N: usize>(&self, ids: [&str; N]) -> [Person; N] {
        for id in ids {
            self.member(id).await;
        }
        ids.map(|id| self.caller(id, "member"))
    }

    /// A class of one spot that a member of its own has taken.
    pub async fn full_class(&self, changes: Value) -> Full {
        let mut body = changes;
        body["capacity"] = json!(1);
        let class = self.class(body).await;
        let id = format!("holder-of-{}", class.id());
        let membership = json!({ "plan": "unlimited", "status": "active" });
        let of_age = json!({ "name": "Holder", "born": "1990-01-01", "membership": membership });
        self.desk().put(&format!("/v1/members/{id}"), of_age).await;
        let holder = self.caller(&id, "member");
        let spot = holder.books(&class).await;
        Full { class, holder, spot }
    }

    /// How many clips a member has left.
    pub async fn clips(&self, member: &Person) -> u64 {
        self.desk().standing_of(&member.sub).await.at("/clips").as_u64().expect("a member with clips")
    }
}
