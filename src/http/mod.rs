//! The rim: requests become valid types, outcomes become answers.
//!
//! One file per resource holds its bodies, handlers and routes; around them stand
//! the files that all of them share. Nothing here decides a rule: what depends on
//! stored state is asked of the store, what depends on the request alone is parsed
//! by the domain.
//!
//! Reading order: who may call, what they send, how it goes wrong, what surrounds
//! every request, then the resources.

pub mod caller;
mod distrust;
mod guesses;
mod jwks;
mod jwt;
mod keys;
pub mod limit;
pub mod tokens;

pub mod body;
pub mod command;
mod cursor;
pub mod path;
pub mod query;
mod reason;

pub mod answer;
pub mod problem;

pub mod edge;
pub mod metrics;
pub mod origins;
mod resource;
pub mod wire;

pub mod attendance;
pub mod bookings;
pub mod classes;
pub mod clock;
pub mod closures;
pub mod clubs;
pub mod events;
pub mod fees;
pub mod live;
pub mod members;
pub mod orgs;
pub mod presets;
pub mod reports;
pub mod series;

mod asset;
pub mod screens;

pub mod docs;
pub mod health;
mod policy_schema;
mod schema;
mod series_schema;

use actix_web::middleware::from_fn;
use actix_web::{ResponseError, web};

pub use self::clock::TimeTravel;
pub use self::docs::Docs;
pub use self::guesses::Guesses;
pub use self::health::Health;
pub use self::keys::{KeyError, KeySource};
pub use self::limit::RateLimit;
pub use self::metrics::Metrics;
pub use self::origins::Origins;
pub use self::tokens::{Auth, AuthSettings};

use self::problem::Problem;

/// Every route of the API, and the answer to all others.
///
/// The app gives `web::Data` of the store, the hub of sockets, [`Auth`], [`RateLimit`], [`Guesses`], [`Origins`],
/// [`Metrics`], [`Health`], [`TimeTravel`] and [`Docs`], and wraps everything in [`edge::edge`], with compression inside it.
pub fn routes(cfg: &mut web::ServiceConfig) {
    let api = web::scope("/v1")
        .wrap(from_fn(caller::identify))
        .configure(orgs::routes)
        .configure(presets::routes)
        .configure(clubs::routes)
        .configure(closures::routes)
        .configure(classes::routes)
        .configure(bookings::routes)
        .configure(attendance::routes)
        .configure(members::routes)
        .configure(series::routes)
        .configure(reports::routes)
        .configure(fees::routes)
        .configure(events::routes)
        .configure(live::routes)
        .configure(clock::routes);
    cfg.service(api)
        .configure(health::routes)
        .configure(docs::routes)
        .configure(screens::routes)
        .default_service(web::to(nothing_here));
}

async fn nothing_here() -> impl actix_web::Responder {
    Problem::not_found().error_response()
}
