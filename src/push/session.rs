//! One socket: the only file that names `actix-web-actors`.
//!
//! It says who the client is, holds it to its limits, keeps the heartbeat, and passes frames on: what the client asks
//! to the relay of its organisation, what comes from there to the client, as it is. An actor that cannot write is not
//! polled, so a client that does not read is ended by the relay's bounded queue and the socket's own time-out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix::dev::Stream;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, SpawnHandle, StreamHandler, WrapFuture};
use actix_http::ws::Item;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{Error, HttpRequest, HttpResponse};
use actix_web_actors::ws::{self, CloseReason, Message, ProtocolError, WebsocketContext, WsResponseBuilder};
use bytestring::ByteString;
use chrono_tz::Tz;
use serde_json::Value;

use super::bearer::{Bearer, Gate, Guest, NoBearer};
use super::bell::Bell;
use super::counters::Counters;
use super::hub::{Bucket, Hub, Limits, Refused, Seat};
use super::meter::{Meter, Metered, Verdict};
use super::outbox::{Inbox, Out};
use super::protocol::{self, Asked, CloseCode, FRAME_BYTES_MAX, HELLO_BYTES_MAX, Held, Topic, TopicName, Unreadable};
use super::relay::{Command, Request};
use crate::domain::caller::Role;
use crate::domain::instant::with_zone;

/// How long a client may take to answer a close before the connection is ended without it.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// Upgrades a request to a socket. `Ok(Err(…))` where no more connections are taken for the moment.
pub fn open(
    request: &HttpRequest,
    payload: Payload,
    hub: &Hub,
    gate: Gate,
    guest: Guest,
) -> Result<Result<HttpResponse, Refused>, Error> {
    // Before a place is taken, so that what is no handshake costs none.
    ws::handshake(request)?;
    let (seat, inbox) = match hub.admit(Bell::here()) {
        Ok(admitted) => admitted,
        Err(refused) => return Ok(Err(refused)),
    };
    let limits = hub.limits();
    let session = Session {
        seat,
        inbox: Some(inbox),
        gate,
        limits,
        counters: hub.counters().clone(),
        state: State::Greeting(guest),
        verdict: Verdict::default(),
        shown: Bucket::full(limits.shown_bytes_per_s, limits.shown_bytes_burst),
        partial: BytesMut::new(),
        heard_at: Instant::now(),
        expiry: None,
        welcome: None,
        renewed_early: Vec::new(),
    };
    let meter = Meter::new(HELLO_BYTES_MAX, &limits);
    let metered = Metered::new(payload, meter, session.verdict.clone());
    let response = WsResponseBuilder::new(session, request, metered).protocols(&[protocol::PROTOCOL]);
    response.frame_size(HELLO_BYTES_MAX).start().map(Ok)
}

enum State {
    Greeting(Guest),
    Open(Bearer),
    Closing,
}

struct Session {
    seat: Seat,
    inbox: Option<Inbox>,
    gate: Gate,
    limits: Limits,
    counters: Counters,
    state: State,
    /// Why the client must be ended, by what it sent.
    verdict: Verdict,
    /// What it may still ask to be shown, in bytes.
    shown: Bucket,
    /// Of a message that comes in several frames.
    partial: BytesMut,
    /// When the client last said something.
    heard_at: Instant,
    expiry: Option<SpawnHandle>,
    /// What the client was told, once it was: the epoch of its versions, and its organisation's zone.
    welcome: Option<(String, Tz)>,
    /// Renewals that were asked for before the welcome, and are answered after it, in that zone.
    renewed_early: Vec<Value>,
}

type Ctx = WebsocketContext<Session>;

impl Actor for Session {
    type Context = Ctx;

    fn started(&mut self, ctx: &mut Ctx) {
        if matches!(self.state, State::Greeting(Guest::Foreign)) {
            return self.close(ctx, CloseCode::Forbidden);
        }
        if let Some(inbox) = self.inbox.take() {
            ctx.add_stream(Outgoing(inbox));
        }
        ctx.run_later(Duration::from_millis(self.limits.hello_ms_max), |session, ctx| {
            if matches!(session.state, State::Greeting(_)) {
                session.close(ctx, CloseCode::NoHello);
            }
        });
    }
}

impl Session {
    fn say(&self, ctx: &mut Ctx, frame: ByteString) {
        self.counters.frames.inc();
        ctx.text(frame);
    }

    /// Says why, and ends the connection once the client has heard it.
    fn close(&mut self, ctx: &mut Ctx, code: CloseCode) {
        if matches!(self.state, State::Closing) {
            return;
        }
        self.state = State::Closing;
        self.seat.tell(Command::Leave { session: self.seat.outbox().session });
        self.counters.closed(code);
        let description = Some(code.reason().to_owned());
        ctx.close(Some(CloseReason { code: ws::CloseCode::Other(code.number()), description }));
        ctx.run_later(CLOSE_WAIT, |_, ctx| ctx.stop());
    }

    fn text(&mut self, ctx: &mut Ctx, text: &str) {
        if matches!(self.state, State::Closing) {
            return;
        }
        let bytes_max = if matches!(self.state, State::Open(_)) { FRAME_BYTES_MAX } else { HELLO_BYTES_MAX };
        if text.len() > bytes_max {
            return self.close(ctx, CloseCode::BadFrame);
        }
        self.heard_at = Instant::now();
        match Asked::parse(text) {
            Ok(asked) => self.asked(ctx, asked),
            Err(Unreadable::Frame) => self.close(ctx, CloseCode::BadFrame),
            Err(Unreadable::Object { id, code, detail }) => {
                self.say(ctx, protocol::error(id.as_ref(), None, code, &detail))
            }
        }
    }

    fn asked(&mut self, ctx: &mut Ctx, asked: Asked) {
        let known = match &self.state {
            State::Open(bearer) => Some(bearer.clone()),
            State::Greeting(_) | State::Closing => None,
        };
        match (asked, known) {
            (Asked::Hello { token, epoch, topics }, None) => self.hello(ctx, token, epoch, topics),
            (Asked::Hello { .. }, Some(_)) => {
                self.say(ctx, protocol::error(None, None, "invalid", "hello was said before"))
            }
            (Asked::Subscribe { id, topics }, Some(bearer)) => {
                let epoch = self.welcome.as_ref().map(|(epoch, _)| epoch.clone());
                self.subscribe(ctx, &bearer, Some(id), epoch, topics);
            }
            (Asked::Unsubscribe { id, topics }, Some(bearer)) => {
                let names = topics.iter().filter_map(|name| topic_of(name, &bearer).ok()).collect();
                self.seat.tell(Command::Unsubscribe { outbox: self.seat.outbox().clone(), id, topics: names });
            }
            (Asked::Renew { id, token }, Some(bearer)) => self.renew(ctx, id, token, bearer),
            (Asked::Pong, _) => {}
            (Asked::Subscribe { id, .. } | Asked::Unsubscribe { id, .. } | Asked::Renew { id, .. }, None) => {
                self.say(ctx, protocol::error(Some(&id), None, "unauthenticated", "say hello first"));
            }
        }
    }

    fn hello(&mut self, ctx: &mut Ctx, token: Option<String>, epoch: Option<String>, topics: Held) {
        let State::Greeting(guest) = &self.state else { return };
        match (token, guest) {
            (Some(token), _) => {
                let judged = (self.gate)(token);
                ctx.wait(judged.into_actor(self).map(|judged, session, ctx| match judged {
                    Ok(bearer) => session.greet(ctx, bearer, epoch, topics),
                    Err(why) => {
                        if matches!(why, NoBearer::Unauthenticated(_)) {
                            session.say(ctx, why.told(None));
                        }
                        session.close(ctx, why.close_code());
                    }
                }));
            }
            (None, Guest::Known(bearer)) => {
                let bearer = bearer.clone();
                self.greet(ctx, bearer, epoch, topics);
            }
            (None, Guest::Unknown | Guest::Foreign) => self.close(ctx, CloseCode::Unauthenticated),
        }
    }

    fn greet(&mut self, ctx: &mut Ctx, bearer: Bearer, epoch: Option<String>, topics: Held) {
        let most = match bearer.role {
            Role::Member => self.limits.per_member_max,
            Role::Instructor | Role::Kiosk | Role::Staff | Role::Admin | Role::Operator => self.limits.per_caller_max,
        };
        if !self.seat.claim(&bearer.org, &bearer.sub, most) {
            return self.close(ctx, CloseCode::TooManyConnections);
        }
        self.expire_at(ctx, &bearer);
        self.state = State::Open(bearer.clone());
        self.subscribe(ctx, &bearer, None, epoch, topics);
        ctx.run_interval(Duration::from_millis(self.limits.heartbeat_ms), Session::beat);
    }

    fn beat(&mut self, ctx: &mut Ctx) {
        if matches!(self.state, State::Closing) {
            return;
        }
        if self.seat.is_cut_off() {
            return self.close(ctx, CloseCode::Internal);
        }
        let asked_at = Instant::now();
        self.say(ctx, protocol::ping());
        ctx.run_later(Duration::from_millis(self.limits.pong_ms_max), move |session, ctx| {
            if session.heard_at < asked_at {
                session.close(ctx, CloseCode::NoPong);
            }
        });
    }

    /// Topics the bearer may listen to go to the relay, with the reasons against the others.
    fn subscribe(&mut self, ctx: &mut Ctx, bearer: &Bearer, id: Option<Value>, epoch: Option<String>, held: Held) {
        if self.shown.is_empty(Instant::now()) {
            return self.close(ctx, CloseCode::TooManyFrames);
        }
        let Some(turn) = self.seat.turn() else { return self.close(ctx, CloseCode::Shedding) };
        let (mut topics, mut refused) = (Vec::new(), Vec::new());
        for (name, version) in held {
            match topic_of(&name, bearer) {
                Ok(topic) => topics.push((topic, version)),
                Err((code, detail)) => refused.push((name, code, detail)),
            }
        }
        let instructor = (bearer.role == Role::Instructor).then(|| bearer.sub.to_string());
        self.seat.tell(Command::Subscribe(Request {
            outbox: self.seat.outbox().clone(),
            hello: id.is_none(),
            id,
            epoch,
            topics,
            refused,
            instructor,
            topics_max: self.limits.topics_max,
            turn,
        }));
    }

    /// Another token of the same bearer takes the place of the one before.
    fn renew(&mut self, ctx: &mut Ctx, id: Value, token: String, bearer: Bearer) {
        let judged = (self.gate)(token);
        ctx.wait(judged.into_actor(self).map(move |judged, session, ctx| {
            let same = |new: &Bearer| (&new.org, &new.sub, new.role) == (&bearer.org, &bearer.sub, bearer.role);
            match judged {
                Ok(new) if same(&new) => {
                    session.expire_at(ctx, &new);
                    match session.welcome.as_ref().map(|(_, zone)| with_zone(new.expires_at, *zone)) {
                        Some(expires_at) => session.say(ctx, protocol::renewed(&id, &expires_at)),
                        None => session.renewed_early.push(id),
                    }
                    session.state = State::Open(new);
                }
                Ok(_) => {
                    session.say(ctx, protocol::error(Some(&id), None, "forbidden", "the token is another bearer's"))
                }
                Err(why) => session.say(ctx, why.told(Some(&id))),
            }
        }));
    }

    fn expire_at(&mut self, ctx: &mut Ctx, bearer: &Bearer) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let end = Duration::from_millis(u64::try_from(bearer.expires_at.timestamp_millis()).unwrap_or(0));
        if let Some(timer) = self.expiry.take() {
            ctx.cancel_future(timer);
        }
        let expired = |session: &mut Session, ctx: &mut Ctx| session.close(ctx, CloseCode::TokenExpired);
        self.expiry = Some(ctx.run_later(end.saturating_sub(now), expired));
    }

    fn finish_partial(&mut self, ctx: &mut Ctx, last: &Bytes) {
        self.partial.extend_from_slice(last);
        let whole = self.partial.split().freeze();
        match std::str::from_utf8(&whole) {
            Ok(text) => self.text(ctx, text),
            Err(_) => self.close(ctx, CloseCode::BadFrame),
        }
    }
}

/// What a bearer may listen to by its role; an instructor's classes are known to the relay.
fn topic_of(name: &str, bearer: &Bearer) -> Result<Topic, (&'static str, &'static str)> {
    let forbidden = Err(("forbidden", "the token's role may not listen to this"));
    match TopicName::parse(name) {
        Some(TopicName::Class(id)) => Ok(Topic::Class(id)),
        Some(TopicName::Day(club, date)) => Ok(Topic::Day(club, date)),
        Some(TopicName::Me) if bearer.role == Role::Member => Ok(Topic::Me(bearer.sub.clone())),
        Some(TopicName::Roster(id)) if matches!(bearer.role, Role::Instructor | Role::Staff | Role::Admin) => {
            Ok(Topic::Roster(id))
        }
        Some(TopicName::Me | TopicName::Roster(_)) => forbidden,
        None => Err(("invalid", "this is no topic")),
    }
}

/// From the client.
impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, message: Result<Message, ProtocolError>, ctx: &mut Ctx) {
        let closing = matches!(self.state, State::Closing);
        match message {
            Ok(Message::Text(text)) => self.text(ctx, &text),
            Ok(Message::Ping(payload)) if !closing => ctx.pong(&payload),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Nop) => {}
            Ok(Message::Close(reason)) => {
                if !closing {
                    ctx.close(reason);
                }
                self.state = State::Closing;
                ctx.stop();
            }
            Ok(Message::Continuation(Item::FirstText(part) | Item::Continue(part))) => {
                self.partial.extend_from_slice(&part);
                if self.partial.len() > HELLO_BYTES_MAX {
                    self.partial.clear();
                    self.close(ctx, CloseCode::BadFrame);
                }
            }
            Ok(Message::Continuation(Item::Last(part))) => self.finish_partial(ctx, &part),
            Ok(Message::Binary(_) | Message::Continuation(Item::FirstBinary(_))) => {
                self.close(ctx, CloseCode::BadFrame);
            }
            // The codec gives the same error again and again.
            Err(_) if closing => ctx.stop(),
            Err(_) => self.close(ctx, self.verdict.get().unwrap_or(CloseCode::BadFrame)),
        }
    }

    fn finished(&mut self, ctx: &mut Ctx) {
        ctx.stop();
    }
}

/// To the client.
impl StreamHandler<Out> for Session {
    fn handle(&mut self, out: Out, ctx: &mut Ctx) {
        if matches!(self.state, State::Closing) {
            return;
        }
        match out {
            Out::Frame(frame) => self.say(ctx, frame),
            Out::Frames(frames) => {
                let bytes = frames.iter().map(|frame| frame.len()).sum();
                self.shown.overdraw(bytes, Instant::now());
                frames.into_iter().for_each(|frame| self.say(ctx, frame));
            }
            Out::Welcome { epoch, zone } => {
                if let State::Open(bearer) = &self.state {
                    let expires_at = with_zone(bearer.expires_at, zone);
                    let Limits { heartbeat_ms, topics_max, .. } = self.limits;
                    self.say(ctx, protocol::welcome(&epoch, heartbeat_ms, topics_max, &expires_at));
                    for id in std::mem::take(&mut self.renewed_early) {
                        self.say(ctx, protocol::renewed(&id, &expires_at));
                    }
                }
                self.welcome = Some((epoch, zone));
            }
            Out::Bye { after_ms, spread_ms } => {
                self.say(ctx, protocol::bye(after_ms, spread_ms));
                self.close(ctx, CloseCode::GoingAway);
            }
            Out::Close(code) => self.close(ctx, code),
        }
    }
}

struct Outgoing(Inbox);

impl Stream for Outgoing {
    type Item = Out;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Out>> {
        self.0.poll(context)
    }
}
