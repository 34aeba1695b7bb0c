//! An app with a few handlers that stand for all others, and the tokens to call them with.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::middleware::{Compress, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse, body, web};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rollcall::domain::claims::ClaimNames;
use rollcall::domain::ids::ClassId;
use rollcall::http::caller::{
    Admin, Anyone, Attendance, Authenticated, DeskOrKiosk, Member, MemberOrStaff, Operator, Staff,
};
use rollcall::http::command::Incoming;
use rollcall::http::path::{Id, NewId};
use rollcall::http::problem::Problem;
use rollcall::http::query::Params;
use rollcall::http::{Auth, AuthSettings, Health, KeySource, Metrics, Origins, RateLimit, TimeTravel, caller, edge};
use serde_json::{Value, json};

pub const SECRET: &[u8] = b"a secret that is long enough for HS256 to be of use";

/// An answer, read whole.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn pointers(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

/// What a test may want to be different.
pub struct Settings {
    pub auth: AuthSettings,
    pub rate: (u32, u32),
    pub reads: (u32, u32),
    pub origins: Vec<String>,
    pub time_travel: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            auth: checked_by(KeySource::Secret(SECRET.to_vec())),
            rate: (0, 0),
            reads: (0, 0),
            origins: Vec::new(),
            time_travel: true,
        }
    }
}

pub fn checked_by(keys: KeySource) -> AuthSettings {
    AuthSettings { keys, issuer: None, audience: None, claims: ClaimNames::default() }
}

type Called = Rc<dyn Fn(TestRequest) -> Pinned>;
type Pinned = std::pin::Pin<Box<dyn Future<Output = Result<ServiceResponse<BoxBody>, Error>>>>;

/// The app under test.
#[derive(Clone)]
pub struct Rig {
    called: Called,
    pub health: web::Data<Health>,
}

impl Rig {
    pub async fn new() -> Rig {
        Rig::with(Settings::default()).await
    }

    pub async fn checking(auth: AuthSettings) -> Rig {
        Rig::with(Settings { auth, ..Settings::default() }).await
    }

    pub async fn without_time_travel() -> Rig {
        Rig::with(Settings { time_travel: false, ..Settings::default() }).await
    }

    pub async fn with(settings: Settings) -> Rig {
        let health = web::Data::new(Health::new(|| async { Ok(()) }));
        let app = App::new()
            .app_data(web::Data::new(Auth::start(settings.auth).await.unwrap()))
            .app_data(web::Data::new(RateLimit::new(settings.reads, settings.rate)))
            .app_data(web::Data::new(Origins::new(settings.origins)))
            .app_data(web::Data::new(Metrics::in_registry(prometheus::Registry::new()).unwrap()))
            .app_data(web::Data::new(TimeTravel(settings.time_travel)))
            .app_data(health.clone())
            .wrap(Compress::default())
            .wrap(from_fn(edge::edge))
            .service(web::scope("/v1/test").wrap(from_fn(caller::identify)).configure(handlers))
            .configure(rollcall::http::routes);
        let service = Rc::new(init_service(app).await);
        let called = move |req: TestRequest| -> Pinned {
            let service = Rc::clone(&service);
            Box::pin(async move { service.call(req.to_request()).await })
        };
        Rig { called: Rc::new(called), health }
    }

    pub async fn call(&self, req: TestRequest) -> Answer {
        let response = (self.called)(req).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = body::to_bytes(response.into_body()).await.unwrap();
        Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(bearing(TestRequest::get().uri(path), token)).await
    }
}

pub fn bearing(req: TestRequest, token: &str) -> TestRequest {
    req.insert_header(("authorization", format!("Bearer {token}")))
}

macro_rules! tells_who {
    ($($handler:ident($caller:ident))+) => {
        $(async fn $handler(caller: $caller) -> HttpResponse {
            HttpResponse::Ok().json(json!({ "sub": caller.0.sub.as_str(), "role": caller.0.role.as_str() }))
        })+
    };
}

tells_who! {
    anyone(Anyone) member(Member) member_or_staff(MemberOrStaff) attendance(Attendance)
    desk_or_kiosk(DeskOrKiosk) staff(Staff) admin(Admin) operator(Operator) authenticated(Authenticated)
}

async fn write(staff: Staff, write: Incoming) -> Result<HttpResponse, Problem> {
    let call = write.read().await?;
    let command = call.by(&staff).command;
    Ok(HttpResponse::Ok().json(json!({
        "keyed": command.keyed, "id": command.id, "fingerprint": command.fingerprint, "if_match": call.if_match, "body": call.body,
    })))
}

async fn act(_: Staff, id: Id<ClassId>, write: Incoming) -> Result<HttpResponse, Problem> {
    let call = write.read_or_empty().await?;
    Ok(HttpResponse::Ok().json(json!({ "id": id.0, "fingerprint": call.fingerprint, "body": call.body })))
}

async fn create(_: Staff, id: NewId<ClassId>) -> HttpResponse {
    HttpResponse::Ok().json(id.0)
}

async fn list(_: Staff, mut params: Params) -> Result<HttpResponse, Problem> {
    let (page, from, query) = (params.page(), params.instant("from"), params.text("query"));
    let class = params.parsed::<ClassId>("class");
    params.done()?;
    Ok(HttpResponse::Ok().json(json!({
        "limit": page.limit, "cursor": page.cursor, "from": from, "query": query, "class": class,
    })))
}

fn handlers(cfg: &mut web::ServiceConfig) {
    cfg.route("/anyone", web::get().to(anyone))
        .route("/member", web::get().to(member))
        .route("/member-or-staff", web::get().to(member_or_staff))
        .route("/attendance", web::get().to(attendance))
        .route("/desk-or-kiosk", web::get().to(desk_or_kiosk))
        .route("/staff", web::get().to(staff))
        .route("/admin", web::get().to(admin))
        .route("/operator", web::get().to(operator))
        .route("/authenticated", web::get().to(authenticated))
        .route("/write", web::post().to(write))
        .route("/write/other", web::post().to(write))
        .route("/list", web::get().to(list))
        .route("/act/{id}/done", web::post().to(act))
        .route("/create/{id}", web::put().to(create));
}

/// Seconds since 1970.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of somebody with this role, good for an hour.
pub fn claims(role: &str) -> Value {
    json!({ "sub": "ann", "org": "nord", "role": role, "exp": now_s() + 3600 })
}

/// The same claims, changed: null takes a claim away.
pub fn but(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A token of the default rig for a role.
pub fn token(role: &str) -> String {
    hs256(&claims(role))
}

pub fn hs256(claims: &Value) -> String {
    signed(&json!({ "alg": "HS256", "typ": "JWT" }), claims, &EncodingKey::from_secret(SECRET), Algorithm::HS256)
}

/// Any header over any claims, signed by this key with this algorithm, whatever the header says.
pub fn signed(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    signed_text(&header.to_string(), &claims.to_string(), key, algorithm)
}

pub fn signed_text(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

pub mod keys {
    use jsonwebtoken::EncodingKey;

    pub const ED25519: &str = include_str!("keys/ed25519.pub.pem");
    pub const P256: &str = include_str!("keys/p256.pub.pem");
    pub const P384: &str = include_str!("keys/p384.pub.pem");
    /// Too short for RS256.
    pub const RSA_1024: &str = include_str!("keys/rsa1024.pub.pem");
    pub const RSA: &str = include_str!("keys/rsa.pub.pem");

    pub fn ed25519() -> EncodingKey {
        EncodingKey::from_ed_pem(include_bytes!("keys/ed25519.pem")).unwrap()
    }

    pub fn p256() -> EncodingKey {
        EncodingKey::from_ec_pem(include_bytes!("keys/p256.pem")).unwrap()
    }

    pub fn rsa() -> EncodingKey {
        EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.pem")).unwrap()
    }
}
