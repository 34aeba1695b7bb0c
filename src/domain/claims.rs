//! Where a token says who its bearer is, and in whose words: identity providers put the member, the organisation and the
//! role into claims of their own, and have names of their own for roles.
//!
//! It reads claims that are believed already; keys and signatures are not known here.

use serde_json::Value;

use super::caller::Role;
use super::ids::OrgId;

/// The way to a claim: the names of objects inside one another, written with dots between them. A dot or a backslash that
/// belongs to a name has a backslash before it: `realm_access.roles`, `https://gym\.example/roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    written: String,
    steps: Vec<String>,
}

impl ClaimPath {
    /// The error is the rest of a sentence that begins with the setting's name.
    pub fn parse(text: &str) -> Result<ClaimPath, String> {
        let steps =
            split(text, '.').ok_or_else(|| format!("is {text:?}, where a backslash stands before neither . nor \\"))?;
        match steps.iter().any(String::is_empty) {
            false => Ok(ClaimPath { written: text.to_owned(), steps }),
            true => Err(format!("is {text:?}, not names of claims with dots between them, such as realm_access.roles")),
        }
    }

    /// As it was configured.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// What stands there; null is there.
    pub fn find<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(claims, |value, step| value.as_object()?.get(step))
    }
}

/// The provider's names of roles, and the role of everybody who has none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleNames {
    named: Vec<(String, Role)>,
    others: Option<Role>,
}

impl RoleNames {
    /// `frontdesk=staff,gym-admin=admin,*=member`. A comma or a backslash in a name has a backslash before it; the role
    /// stands after the last `=`. The error is the rest of a sentence that begins with the setting's name.
    pub fn parse(text: &str) -> Result<RoleNames, String> {
        let pairs =
            split(text, ',').ok_or_else(|| format!("is {text:?}, where a backslash stands before neither , nor \\"))?;
        let mut names = RoleNames::default();
        for pair in pairs {
            let wrong = |problem: &str| format!("holds {pair:?}, {problem}");
            let (name, role) =
                pair.rsplit_once('=').ok_or_else(|| wrong("not a name and a role such as frontdesk=staff"))?;
            let (name, role) = (name.trim(), role.trim());
            let roles = || Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
            let role = Role::parse(role).map_err(|_unknown| wrong(&format!("whose role is none of {}", roles())))?;
            if name.is_empty() {
                return Err(wrong("which names nothing"));
            }
            let known =
                if name == "*" { names.others.is_some() } else { names.named.iter().any(|(known, _)| known == name) };
            if known {
                return Err(wrong("whose name stands there twice"));
            }
            if name == "*" {
                names.others = Some(role);
            } else {
                names.named.push((name.to_owned(), role));
            }
        }
        Ok(names)
    }

    fn role(&self, name: &str) -> Option<Role> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, role)| *role)
    }
}

/// Which claims are read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    pub sub: ClaimPath,
    pub org: ClaimPath,
    pub role: ClaimPath,
    /// `None`: the roles' own names.
    pub roles: Option<RoleNames>,
    /// The organisation of a token that has no claim of one.
    pub org_of_all: Option<OrgId>,
}

impl Default for ClaimNames {
    fn default() -> ClaimNames {
        let own = |name: &str| ClaimPath { written: name.to_owned(), steps: vec![name.to_owned()] };
        ClaimNames { sub: own("sub"), org: own("org"), role: own("role"), roles: None, org_of_all: None }
    }
}

impl ClaimNames {
    /// The role of a claim: a text, or the first text of a list that names one.
    pub fn role_of(&self, claim: Option<&Value>) -> Option<Role> {
        let named = |name: &str| match &self.roles {
            None => Role::parse(name).ok(),
            Some(names) => names.role(name),
        };
        let named = match claim {
            Some(Value::String(name)) => named(name),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find_map(named),
            _ => None,
        };
        named.or_else(|| self.roles.as_ref().and_then(|names| names.others))
    }
}

/// The parts between separators; a backslash takes a separator or a backslash as it is, and stands before nothing else.
fn split(text: &str, separator: char) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let last = parts.last_mut()?;
        match character {
            '\\' => last.push(characters.next().filter(|next| *next == separator || *next == '\\')?),
            other if other == separator => parts.push(String::new()),
            other => last.push(other),
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_a_claim_however_deep() {
        let claims = json!({
            "sub": "ann", "cognito:groups": ["desk"], "https://gym.example/roles": ["staff"], "a\\b": 1, "null": null,
            "realm_access": { "roles": ["frontdesk"] }, "resource_access": { "gym.app": { "roles": ["x"] } }, "": 7,
        });
        for (path, found) in [
            ("sub", Some(json!("ann"))),
            ("cognito:groups", Some(json!(["desk"]))),
            (r"https://gym\.example/roles", Some(json!(["staff"]))),
            ("https://gym.example/roles", None),
            ("realm_access.roles", Some(json!(["frontdesk"]))),
            ("realm_access", Some(json!({ "roles": ["frontdesk"] }))),
            (r"realm_access\.roles", None),
            (r"resource_access.gym\.app.roles", Some(json!(["x"]))),
            ("resource_access.gym.app.roles", None),
            (r"a\\b", Some(json!(1))),
            ("null", Some(json!(null))),
            ("sub.first", None),
            ("realm_access.roles.0", None),
            ("Sub", None),
        ] {
            assert_eq!(ClaimPath::parse(path).unwrap().find(&claims), found.as_ref(), "{path}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", r"a\", r"a\b", r"\"] {
            assert!(ClaimPath::parse(bad).unwrap_err().starts_with("is "), "{bad}");
        }
    }

    #[test]
    fn names_of_roles_are_the_providers() {
        let names = |roles: &str| ClaimNames { roles: Some(RoleNames::parse(roles).unwrap()), ..ClaimNames::default() };
        let given = names(r"frontdesk=staff, gym-admin = admin ,cn=Desk\,ou=gym=kiosk,Front Desk=instructor");
        let open = names("frontdesk=staff,*=member");
        for (claim, given_is, open_is, own_is) in [
            (Some(json!("frontdesk")), Some(Role::Staff), Some(Role::Staff), None),
            (Some(json!(["x", "gym-admin", "frontdesk"])), Some(Role::Admin), Some(Role::Staff), None),
            (Some(json!(["frontdesk", "gym-admin"])), Some(Role::Staff), Some(Role::Staff), None),
            (Some(json!(["cn=Desk,ou=gym"])), Some(Role::Kiosk), Some(Role::Member), None),
            (Some(json!("Front Desk")), Some(Role::Instructor), Some(Role::Member), None),
            (Some(json!("admin")), None, Some(Role::Member), Some(Role::Admin)),
            (Some(json!(["offline_access", "staff", "admin"])), None, Some(Role::Member), Some(Role::Staff)),
            (Some(json!("*")), None, Some(Role::Member), None),
            (Some(json!("Frontdesk")), None, Some(Role::Member), None),
            (Some(json!([["frontdesk"], 7, null])), None, Some(Role::Member), None),
            (Some(json!([])), None, Some(Role::Member), None),
            (Some(json!({ "frontdesk": true })), None, Some(Role::Member), None),
            (None, None, Some(Role::Member), None),
        ] {
            assert_eq!(given.role_of(claim.as_ref()), given_is, "{claim:?}");
            assert_eq!(open.role_of(claim.as_ref()), open_is, "{claim:?}, with *");
            assert_eq!(ClaimNames::default().role_of(claim.as_ref()), own_is, "{claim:?}, the roles' own names");
        }
        for bad in [
            "",
            "frontdesk",
            "frontdesk=",
            "=staff",
            "a=boss",
            "a=Staff",
            "a=staff,a=admin",
            "*=member,*=staff",
            "a=staff,",
            r"a\=staff",
        ] {
            assert!(RoleNames::parse(bad).is_err(), "{bad}");
        }
    }
}
