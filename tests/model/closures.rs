//! Closing days: what is on them is called off, and nothing comes to be on them.

use chrono::NaiveDate;

use crate::state::{Org, Stage};
use crate::views::{Answer, Body, Refused};

/// Days on which a club is closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Closure {
    pub club: String,
    pub id: String,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Org {
    pub fn closed_on(&self, club: &str, date: NaiveDate) -> bool {
        self.closures.iter().any(|c| c.club == club && c.from <= date && date <= c.to)
    }

    pub fn close_club(&mut self, new: &Closure) -> Answer {
        if !self.clubs.contains(&new.club) {
            return Answer::refused(Refused::new("not_found"));
        }
        match self.closures.iter().find(|c| (&c.club, &c.id) == (&new.club, &new.id)) {
            Some(known) if known == new => return Answer::done(200, "repeated", Body::Nothing),
            Some(_) => return Answer::refused(Refused::new("invalid")),
            None => {}
        }
        self.closures.push(new.clone());
        let told = self.bare("club_changed");
        self.events.push(told);
        let held = |stage: Stage| matches!(stage, Stage::Scheduled | Stage::Open);
        let on_them = self.classes.values().filter(|class| {
            let date = class.terms.date;
            class.club == new.club
                && new.from <= date
                && date <= new.to
                && self.now < class.starts_at
                && held(class.stage)
        });
        let ids: Vec<String> = on_them.map(|class| class.id.clone()).collect();
        let (now, outcome) = (self.now, if ids.is_empty() { "closed" } else { "called_off" });
        for id in self.in_order(&ids) {
            self.call_off(&id, now);
        }
        Answer::done(201, outcome, Body::Nothing)
    }

    pub fn reopen(&mut self, club: &str, id: &str) -> Answer {
        let Some(at) = self.closures.iter().position(|c| c.club == club && c.id == id) else {
            return Answer::refused(Refused::new("not_found"));
        };
        let ended = self.closures.remove(at);
        let told = self.bare("club_changed");
        self.events.push(told);
        let published = self.look_again(club, ended.from);
        Answer::done(204, if published { "published" } else { "reopened" }, Body::Nothing)
    }
}
