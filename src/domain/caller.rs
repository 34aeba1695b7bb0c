//! Who acts: the role a token carries, and the mark an act leaves in the history.

use serde::Serialize;

use super::words::words;

words! {
    /// What a token lets its bearer be.
    Role {
        /// Books for themselves.
        Member = "member",
        /// Takes the roll of their own classes.
        Instructor = "instructor",
        /// Checks members in at a club.
        Kiosk = "kiosk",
        /// The desk.
        Staff = "staff",
        /// The desk, and the policy.
        Admin = "admin",
        /// Runs the service; belongs to no organisation.
        Operator = "operator",
    }
}

/// Who did something. The role is text: the service itself acts too, and is none of the roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct By {
    pub sub: String,
    pub role: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_are_the_contracts() {
        let words: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        assert_eq!(words.join(" "), "member instructor kiosk staff admin operator");
        assert!(Role::parse("Admin").is_err());
    }
}
