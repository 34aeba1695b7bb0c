//! Places in waitlists, derived from events: who joined goes to the end, who left is taken out. Nothing is read for it,
//! so every instance knows the same places at the same version, at a cost bounded by the waitlist's length.

use std::collections::HashMap;

use crate::domain::event::Event;
use crate::domain::ids::{BookingId, ClassId};

/// The waitlists that somebody listens to, each in order.
#[derive(Debug, Default)]
pub struct Queues(HashMap<ClassId, Vec<BookingId>>);

impl Queues {
    /// Begins to follow a queue that is like this now; one that is followed already is known.
    pub fn follow(&mut self, class: &ClassId, queue: impl FnOnce() -> Vec<BookingId>) {
        self.0.entry(class.clone()).or_insert_with(queue);
    }

    pub fn follows(&self, class: &ClassId) -> bool {
        self.0.contains_key(class)
    }

    pub fn retain(&mut self, mut wanted: impl FnMut(&ClassId) -> bool) {
        self.0.retain(|class, _| wanted(class));
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The place of a booking, from 1.
    pub fn position(&self, class: &ClassId, booking: &BookingId) -> Option<usize> {
        self.0.get(class)?.iter().position(|waiting| waiting == booking).map(|index| index + 1)
    }

    /// The places of all in a queue, from 1.
    pub fn places(&self, class: &ClassId) -> HashMap<&BookingId, usize> {
        self.0.get(class).into_iter().flatten().zip(1..).collect()
    }

    /// Takes an event in; those whose places it changed, with their new ones.
    pub fn apply(&mut self, event: &Event) -> Vec<(BookingId, usize)> {
        let (Some(class), Some(booking), Some(status)) = (&event.class, &event.booking, event.data["status"].as_str())
        else {
            return Vec::new();
        };
        let Some(queue) = self.0.get_mut(class) else { return Vec::new() };
        let at = queue.iter().position(|waiting| waiting == booking);
        match (at, status == "waitlisted") {
            (None, true) => queue.push(booking.clone()),
            (Some(index), false) => {
                queue.remove(index);
                let moved = queue.iter().enumerate().skip(index);
                return moved.map(|(index, booking)| (booking.clone(), index + 1)).collect();
            }
            (Some(_), true) | (None, false) => {}
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::caller::By;
    use crate::domain::instant::from_ms;

    fn event(booking: &str, status: &str) -> Event {
        Event {
            cursor: "0-1".to_owned(),
            event: "waitlist_joined".to_owned(),
            at: from_ms(0).unwrap(),
            class: Some("yoga".parse().unwrap()),
            booking: Some(booking.parse().unwrap()),
            member: None,
            by: By { sub: String::new(), role: String::new() },
            data: json!({ "status": status }),
        }
    }

    #[test]
    fn those_behind_whoever_leaves_move_up_and_nobody_else() {
        let class: ClassId = "yoga".parse().unwrap();
        let mut queues = Queues::default();
        queues.follow(&class, Vec::new);
        for booking in ["a", "b", "c"] {
            assert_eq!(queues.apply(&event(booking, "waitlisted")), []);
        }
        assert_eq!(queues.apply(&event("b", "waitlisted")), [], "present on stand-by changes no place");
        assert_eq!(queues.apply(&event("b", "booked")), [("c".parse().unwrap(), 2)]);
        assert_eq!(queues.position(&class, &"a".parse().unwrap()), Some(1));
        assert_eq!(queues.position(&class, &"b".parse().unwrap()), None);
    }
}
