//! The demonstration's clubs and their week: what is taught when, where, by whom, and how much it is wanted.

use chrono::{Datelike, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::people::Dice;
use crate::domain::calendar::local_at;
use crate::domain::instant::with_zone;

/// One line of the week: on these weekdays (Monday is 0) at this time.
struct Line {
    days: &'static [u32],
    hour: u32,
    minute: u32,
    title: &'static str,
    category: &'static str,
    room: &'static str,
    instructor: (&'static str, &'static str),
    minutes: u32,
    capacity: u32,
}

const ALL: &[u32] = &[0, 1, 2, 3, 4, 5, 6];
const WORKDAYS: &[u32] = &[0, 1, 2, 3, 4];
const WEEKEND: &[u32] = &[5, 6];

const EVA: (&str, &str) = ("i-eva", "Eva Lind");
const MARKUS: (&str, &str) = ("i-markus", "Markus Vik");
const RUTA: (&str, &str) = ("i-ruta", "Rūta Banytė");
const SARA: (&str, &str) = ("i-sara", "Sara Bruun");
const JON: (&str, &str) = ("i-jon", "Jon Aas");

#[rustfmt::skip]
const WEEK: [Line; 12] = [
    Line { days: WORKDAYS, hour: 6, minute: 30, title: "Morning Spin", category: "spin", room: "Spin Studio", instructor: MARKUS, minutes: 45, capacity: 18 },
    Line { days: WORKDAYS, hour: 7, minute: 0, title: "Aqua Fit", category: "pool", room: "Pool", instructor: SARA, minutes: 45, capacity: 16 },
    Line { days: &[0, 2, 4], hour: 9, minute: 30, title: "Senior Strength", category: "strength", room: "Hall 1", instructor: JON, minutes: 60, capacity: 20 },
    Line { days: ALL, hour: 10, minute: 0, title: "Vinyasa Yoga", category: "yoga", room: "Quiet Room", instructor: RUTA, minutes: 75, capacity: 14 },
    Line { days: WORKDAYS, hour: 12, minute: 0, title: "Lunch HIIT", category: "hiit", room: "Hall 1", instructor: EVA, minutes: 30, capacity: 20 },
    Line { days: &[1, 3], hour: 16, minute: 30, title: "Teen Circuit", category: "strength", room: "Hall 2", instructor: JON, minutes: 45, capacity: 15 },
    Line { days: WORKDAYS, hour: 17, minute: 0, title: "Evening Spin", category: "spin", room: "Spin Studio", instructor: EVA, minutes: 45, capacity: 12 },
    Line { days: &[0, 1, 2, 3], hour: 17, minute: 30, title: "Barbell Strength", category: "strength", room: "Hall 1", instructor: MARKUS, minutes: 60, capacity: 16 },
    Line { days: WORKDAYS, hour: 18, minute: 0, title: "Personal Training", category: "pt", room: "Gym Floor", instructor: JON, minutes: 60, capacity: 1 },
    Line { days: &[0, 2, 3], hour: 18, minute: 30, title: "Yin Yoga", category: "yoga", room: "Quiet Room", instructor: RUTA, minutes: 60, capacity: 10 },
    Line { days: &[1, 3], hour: 19, minute: 30, title: "Dance", category: "dance", room: "Hall 2", instructor: SARA, minutes: 60, capacity: 25 },
    Line { days: WEEKEND, hour: 11, minute: 30, title: "Weekend Bootcamp", category: "hiit", room: "Hall 1", instructor: EVA, minutes: 60, capacity: 24 },
];

/// The two clubs of a preset's chain: id and name.
pub fn clubs(preset: &str) -> [(&'static str, &'static str); 2] {
    match preset {
        "impuls-lt" => [("kaunas", "Kaunas Centre"), ("vilnius", "Vilnius Riverside")],
        "pulsn-dk" => [("aarhus", "Aarhus Harbour"), ("odense", "Odense South")],
        "actic-no" => [("bergen", "Bergen Baths"), ("oslo", "Oslo East")],
        "impulse-no" => [("stavanger", "Stavanger"), ("sandnes", "Sandnes")],
        "bolgen-no" => [("moss", "Moss Waterfront"), ("horten", "Horten")],
        _ => [("centre", "City Centre"), ("harbour", "Harbour")],
    }
}

/// A class of one day.
pub struct Planned {
    id: String,
    line: &'static Line,
    preset: &'static str,
}

/// What a club of a preset's chain has on a day.
pub fn day(preset: &'static str, club: &str, day: NaiveDate) -> impl Iterator<Item = Planned> {
    let prefix = format!("{club}-{}", day.format("%m%d"));
    let weekday = day.weekday().num_days_from_monday();
    WEEK.iter().filter(move |line| line.days.contains(&weekday)).map(move |line| Planned {
        id: format!("{prefix}-{:02}{:02}-{}", line.hour, line.minute, line.category),
        line,
        preset,
    })
}

impl Planned {
    /// The body that publishes it.
    pub fn body(&self, club: &str, day: NaiveDate, zone: Tz) -> Value {
        let Line { hour, minute, title, category, room, instructor, minutes, capacity, .. } = self.line;
        let time = NaiveTime::from_hms_opt(*hour, *minute, 0).unwrap_or_default();
        let mut body = json!({
            "id": self.id, "club": club, "title": title, "category": category, "room": room,
            "instructor": {"id": instructor.0, "name": instructor.1},
            "starts_at": with_zone(local_at(day, time, zone), zone), "minutes": minutes, "capacity": capacity,
        });
        if *category == "pt" {
            body["policy"] = self.personal_training();
        }
        if *category == "pool" {
            body["min_age"] = json!(16);
        }
        body
    }

    /// A personal training is a class of one, with the rules of its own that the chain publishes.
    fn personal_training(&self) -> Value {
        if self.preset == "actic-no" {
            return json!({
                "booking": {"opens": {"before": "P42D"}, "daily_limit": null},
                "cancel": {"free_until": "PT24H", "late": "charged", "late_fee": 79_000},
                "attendance": {"minimum": 1, "no_show_fee": 79_000},
            });
        }
        json!({"attendance": {"minimum": 1}})
    }

    /// How many members try to book: a third of the classes are wanted by more than fit.
    pub fn wanted(&self, capacity: u32) -> u32 {
        match Dice::of(&self.id).below(6) {
            0 | 1 => capacity + capacity / 2 + 3,
            2 | 3 => capacity * 2 / 3,
            4 => capacity / 3,
            _ => 2,
        }
    }
}
