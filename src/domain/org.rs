//! An organisation and its clubs.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::fields::{Fields, exactly, string, text};
use super::ids::{ClubId, OrgId};
use super::invalid::Parsed;
use super::policy::Policy;
use super::presets;

/// Characters of an organisation's or a club's name.
pub const NAME_LEN: RangeInclusive<usize> = 1..=200;

/// No preset has that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of the presets that GET /v1/presets lists")]
pub struct PresetError;

/// A chain of gyms, and the rules it runs by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    pub id: OrgId,
    pub name: String,
    pub policy: Policy,
    pub revision: u64,
    /// What of the stored settings cannot be read; what stands in its place is `standard`'s.
    pub unreadable: Option<String>,
}

/// What an operator says of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrg {
    pub name: String,
    /// None: an organisation that exists keeps its own, a new one gets the default preset's.
    pub policy: Option<Policy>,
}

/// One gym of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Club {
    pub id: ClubId,
    pub name: String,
}

impl NewOrg {
    /// `{name, preset? | policy?}`.
    pub fn parse(body: &Value) -> Parsed<Self> {
        let mut f = Fields::of(body)?;
        let name = f.required("name", text(NAME_LEN));
        let preset = f.nullable("preset", string(preset_policy));
        let policy = f.nullable("policy", Policy::parse);
        if let (Some(Some(_)), Some(Some(_))) = (&preset, &policy) {
            f.refuse("/preset", "must not be given together with a policy");
        }
        f.finish(|| Some(Self { name: name?, policy: policy?.or(preset?) }))
    }
}

impl Club {
    /// The body of a PUT of the club `id`. It may repeat that id, so that what was read can be put back.
    pub fn parse(id: ClubId, body: &Value) -> Parsed<Self> {
        let mut f = Fields::of(body)?;
        let same_id = f.nullable("id", exactly(id.as_str()));
        let name = f.required("name", text(NAME_LEN));
        f.finish(|| same_id.and(Some(Self { id, name: name? })))
    }
}

fn preset_policy(id: &str) -> Result<Policy, PresetError> {
    presets::preset(id).map(|preset| preset.policy.clone()).ok_or(PresetError)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::invalid::pointers;

    #[test]
    fn an_organisation_names_a_preset_or_brings_a_policy_or_neither() {
        let of = |id| Some(presets::preset(id).unwrap().policy.clone());
        let policy = of("bolgen-no").map(|policy| policy.to_json());
        for (body, expected) in [
            (json!({"name": "Nord"}), None),
            (json!({"name": "Nord", "preset": "impuls-lt"}), of("impuls-lt")),
            (json!({"name": "Nord", "policy": policy}), of("bolgen-no")),
        ] {
            assert_eq!(NewOrg::parse(&body), Ok(NewOrg { name: "Nord".to_owned(), policy: expected }));
        }
    }

    #[test]
    fn what_is_wrong_with_an_organisation_is_said_where_it_is() {
        let policy = presets::preset("standard").unwrap().policy.to_json();
        let mut wrong_policy = policy.clone();
        wrong_policy["cancel"]["late"] = json!("sometimes");
        for (body, expected) in [
            (json!({}), vec!["/name"]),
            (json!([]), vec![""]),
            (json!({"name": " "}), vec!["/name"]),
            (json!({"name": "N", "preset": "nowhere"}), vec!["/preset"]),
            (json!({"name": "N", "preset": "standard", "policy": policy}), vec!["/preset"]),
            (json!({"name": "N", "policy": wrong_policy}), vec!["/policy/cancel/late"]),
            (json!({"name": "N", "id": "nord"}), vec!["/id"]),
        ] {
            assert_eq!(pointers(NewOrg::parse(&body)), expected, "{body}");
        }
    }

    #[test]
    fn a_club_may_repeat_its_own_id_and_no_other() {
        let id = || ClubId::parse("nord").unwrap();
        let club = Ok(Club { id: id(), name: "Nord".to_owned() });
        assert_eq!(Club::parse(id(), &json!({"name": " Nord "})), club);
        assert_eq!(Club::parse(id(), &json!({"id": "nord", "name": "Nord"})), club);
        assert_eq!(pointers(Club::parse(id(), &json!({"id": "syd", "name": "Nord"}))), ["/id"]);
        let longest = "n".repeat(*NAME_LEN.end());
        assert!(Club::parse(id(), &json!({"name": longest})).is_ok());
        assert_eq!(pointers(Club::parse(id(), &json!({"name": longest + "n"}))), ["/name"]);
    }
}
