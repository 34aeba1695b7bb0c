//! What holds for every call of the API's description, said once: parameters by their names, refusals by status, the
//! headers of writes, and an example of each body.

use utoipa::Modify;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, PathItem, Ref, RefOr, Required, ResponseBuilder};

use super::examples;
use crate::http::command::KEY_LEN_MAX;
use crate::http::cursor::OPAQUE_LEN_MAX;
use crate::http::problem::CONTENT_TYPE;
use crate::http::query::{LIMIT_DEFAULT, LIMIT_MAX, QUERY_LEN_MAX};

/// What any call of the API may be refused with.
const REFUSALS: [(&str, &str); 9] = [
    ("400", "It cannot be read: not JSON, not UTF-8, wrongly framed."),
    ("401", "There is no token, or none that is believed; `detail` says why."),
    ("403", "The token's role may not do this."),
    ("404", "It is not there, or is somebody else's."),
    ("406", "None of the accepted encodings can be produced."),
    ("422", "Values are not allowed; `errors` names each."),
    ("429", "Too much at once; `Retry-After` says when to come back."),
    ("500", "A fault of the service; its log has the cause."),
    ("503", "Not now, or nobody knows whether it was done; see `code`."),
];

/// What a write may be refused with besides.
const REFUSED_WRITES: [(&str, &str); 5] = [
    ("408", "The body did not arrive in time."),
    ("409", "A rule of the chain refuses it, by `code`."),
    ("412", "It has changed since the revision in `If-Match`."),
    ("413", "The body is larger than 64 KiB."),
    ("415", "The body is not application/json."),
];

/// What the open calls may be refused with.
const OPEN_REFUSALS: [(&str, &str); 3] = [REFUSALS[4], REFUSALS[7], REFUSALS[8]];

pub(super) struct Shared;

impl Modify for Shared {
    fn modify(&self, api: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        api.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
        for (path, item) in &mut api.paths.paths {
            for (method, operation) in operations(item) {
                describe_answers(operation);
                if !path.starts_with("/v1/") {
                    refusable(operation, &OPEN_REFUSALS);
                    continue;
                }
                operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("bearer", [])]);
                refusable(operation, &REFUSALS);
                for parameter in operation.parameters.iter_mut().flatten() {
                    let RefOr::T(parameter) = parameter else { continue };
                    parameter.schema = Some(meaning(path, &parameter.name));
                }
                if method != HttpMethod::Get {
                    refusable(operation, &REFUSED_WRITES);
                    repeatable(operation);
                    show_body(operation);
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// OpenAPI wants a description of every answer.
fn describe_answers(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            response.description = match status.as_str() {
                "200" => "As it is now.",
                "201" => "It is made.",
                "204" => "It is done, and there is nothing to show.",
                _ => "See the status.",
            }
            .to_owned();
        }
    }
}

/// Refusals are always problems. What a call says of a status itself stays.
fn refusable(operation: &mut Operation, refusals: &[(&str, &str)]) {
    for (status, description) in refusals {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let said = operation.responses.responses.get(*status).and_then(|said| match said {
            RefOr::T(response) => Some(response.description.clone()),
            RefOr::Ref(_) => None,
        });
        let description = said.unwrap_or_else(|| (*description).to_owned());
        let problem = ResponseBuilder::new().description(description).content(CONTENT_TYPE, content).build();
        operation.responses.responses.insert((*status).to_owned(), RefOr::T(problem));
    }
}

/// A parameter means the same wherever it is taken.
fn meaning(path: &str, name: &str) -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let matching = |pattern: &str| text().pattern(Some(pattern));
    let named = |name: &str| RefOr::Ref(Ref::from_schema_name(name));
    match (path, name) {
        ("/v1/fees/{id}/waive", "id") | ("/v1/fees", "after") => matching("^[0-9]{1,15}$").into(),
        (_, "member" | "instructor") => named("PersonId"),
        (path, "id") if path.starts_with("/v1/members/") => named("PersonId"),
        (_, "id" | "org" | "club") => named("Id"),
        (_, "from" | "to") => named("Instant"),
        (_, "category") => named("Name"),
        (_, "query") => matching("^[^\\u0000-\\u001f\\u007f-\\u009f]+$").max_length(Some(QUERY_LEN_MAX)).into(),
        (_, "after") => matching("^(0|[0-9]{1,15}-[0-9]{1,15})$").into(),
        (_, "when") => text().enum_values(Some(["upcoming", "past"])).into(),
        (_, "limit") => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(LIMIT_MAX))
            .default(Some(LIMIT_DEFAULT.into()))
            .into(),
        (_, "cursor") => matching("^([0-9a-f]{2})+$").max_length(Some(OPAQUE_LEN_MAX)).into(),
        _ => text().into(),
    }
}

/// Writes may be repeated under a key, and say where the event stream is.
fn repeatable(operation: &mut Operation) {
    let headers = [
        (
            "Idempotency-Key",
            format!("^[!-~]{{1,{KEY_LEN_MAX}}}$"),
            "Within 24 hours the same call with the same key gets the same reply. 1 to 255 visible ASCII characters.",
        ),
        (
            "If-Match",
            r#"^([*]|[0-9]{1,19}|(W/)?"[0-9]{1,19}")$"#.to_owned(),
            "The revision the caller expects to change; another one is refused as `stale`.",
        ),
    ];
    let described = headers.into_iter().map(|(name, pattern, description)| header(name, pattern, description));
    operation.parameters.get_or_insert_default().extend(described.map(RefOr::T));
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let cursor = HeaderBuilder::new().description(Some("The place of the write in the event stream.")).build();
            response.headers.insert("Rollcall-Cursor".to_owned(), RefOr::T(cursor));
        }
    }
}

fn header(name: &str, pattern: String, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))))
        .build()
}

/// The example of the body's schema.
fn show_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        if let Some(RefOr::Ref(schema)) = &content.schema {
            content.example = examples::of(schema.ref_location.rsplit('/').next().unwrap_or_default());
        }
    }
}
