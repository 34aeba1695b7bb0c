//! The demonstration's people: members with every kind of membership, and the ones whose links are printed.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

const FIRST: [&str; 25] = [
    "Anna", "Jonas", "Ida", "Lukas", "Freja", "Emil", "Sofie", "Mantas", "Ingrid", "Oskar", "Gabija", "Noah", "Maja",
    "Tomas", "Astrid", "Karl", "Lina", "Magnus", "Rasa", "Henrik", "Signe", "Paulius", "Nora", "Viktor", "Elena",
];
const LAST: [&str; 16] = [
    "Hansen",
    "Nielsen",
    "Kazlauskas",
    "Berg",
    "Larsen",
    "Petrauskas",
    "Dahl",
    "Lund",
    "Jankauskas",
    "Holm",
    "Moen",
    "Solberg",
    "Madsen",
    "Urbonas",
    "Haugen",
    "Krogh",
];

/// A small generator (splitmix64): the same text gives the same throws everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn of(text: &str) -> Dice {
        Dice(
            text.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Whose links are printed: role, id and screen. The member is the first of the members, the instructor teaches daily.
pub fn cast() -> [(&'static str, &'static str, &'static str); 5] {
    [
        ("member", "m-001", "/book"),
        ("instructor", "i-eva", "/roster"),
        ("kiosk", "kiosk-1", "/desk"),
        ("staff", "desk", "/desk"),
        ("admin", "manager", "/"),
    ]
}

pub fn member_id(n: u64) -> String {
    format!("m-{:03}", n + 1)
}

/// The body of the member's upsert. Of ten members six have everything, the others one kind each of clips, one club
/// alone, a freeze ahead, and (in turn) blocked, ended, clips used up or under age.
pub fn member(n: u64, today: NaiveDate, clubs: &[&str; 2]) -> Value {
    let mut dice = Dice::of(&member_id(n));
    let first = FIRST[(n as usize * 7) % FIRST.len()];
    let last = LAST[(n as usize * 5 + n as usize / 25) % LAST.len()];
    let mut membership = json!({"plan": "unlimited", "status": "active", "clubs": "all", "categories": "all"});
    let mut born = today - Days::new(365 * 18 + dice.below(365 * 50));
    match n % 10 {
        6 => membership = clips(3 + dice.below(10)),
        7 => membership["clubs"] = json!([clubs[(n / 10 % 2) as usize]]),
        8 => {
            let from = today + Days::new(3 + dice.below(8));
            membership["frozen"] = json!([{"from": from.to_string(), "until": (from + Days::new(20)).to_string()}]);
        }
        9 => match n / 10 % 4 {
            0 => membership["status"] = json!("blocked"),
            1 => membership["status"] = json!("ended"),
            2 => membership = clips(0),
            _ => born = today - Days::new(365 * 14),
        },
        _ => {}
    }
    json!({
        "name": format!("{first} {last}"),
        "email": format!("{}@example.org", member_id(n)),
        "phone": format!("+45{:08}", 20_000_000 + n * 137),
        "born": born.to_string(),
        "membership": membership,
    })
}

fn clips(left: u64) -> Value {
    json!({"plan": "clips", "status": "active", "clips": left, "clips_revision": "demo", "clubs": "all", "categories": "all"})
}
