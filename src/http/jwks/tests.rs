//! When a set is fetched, on clocks of the tests' own, from a server that is real and counts.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;

/// Any 32 bytes will do where nothing is signed.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// A server of one document, and how often it was fetched.
struct Server {
    url: String,
    document: watch::Sender<String>,
    fetched: watch::Receiver<usize>,
}

impl Server {
    /// Of a set with keys of these names; no names: it answers nothing.
    async fn of(kids: &[&str]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (document, answers) = watch::channel(answer(kids));
        let (counts, fetched) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let answer = answers.borrow().clone();
                let _ = stream.write_all(answer.as_bytes()).await;
                counts.send_modify(|count| *count += 1);
            }
        });
        Server { url, document, fetched }
    }

    fn holds(&self, kids: &[&str]) {
        self.document.send(answer(kids)).unwrap();
    }

    async fn jwks(&self) -> Jwks {
        let jwks = Jwks::start(&self.url).await.unwrap();
        assert_eq!(self.fetched(), 1);
        jwks
    }

    fn fetched(&self) -> usize {
        *self.fetched.borrow()
    }
}

fn answer(kids: &[&str]) -> String {
    if kids.is_empty() {
        return String::new();
    }
    let keys: Vec<String> =
        kids.iter().map(|kid| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{X}"}}"#)).collect();
    let set = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{set}", set.len())
}

async fn knows(jwks: &Jwks, kid: &str, now: Instant) -> bool {
    matches!(jwks.lookup_at(Some(kid), now).await, Lookup::Keys(keys) if may_hold(&keys, Some(kid)))
}

const JUST_BEFORE: Duration = Duration::from_millis(1);

#[actix_web::test]
async fn a_set_that_was_away_at_the_start_is_fetched_later() {
    let server = Server::of(&[]).await;
    let (jwks, now) = (server.jwks().await, Instant::now());
    let away = async |at: Instant| matches!(jwks.lookup_at(Some("a"), at).await, Lookup::Away);
    assert!(away(now).await && away(now + FIRST_PAUSE - JUST_BEFORE).await);
    assert_eq!(server.fetched(), 2);
    server.holds(&["a"]);
    assert!(!away(now + FIRST_PAUSE).await);
    assert_eq!(server.fetched(), 3);
    assert!(matches!(jwks.lookup(None).await, Lookup::Keys(keys) if keys.len() == 1), "and kept");
}

#[actix_web::test]
async fn a_made_up_name_just_before_a_rotation_costs_nobody_anything() {
    let server = Server::of(&["old"]).await;
    let (jwks, now) = (server.jwks().await, Instant::now());
    assert!(!knows(&jwks, "made up", now).await);
    server.holds(&["old", "new"]);
    assert!(knows(&jwks, "new", now).await);
    assert_eq!(server.fetched(), 3);
}

#[actix_web::test]
async fn a_name_that_was_asked_for_in_vain_is_not_asked_for_again_for_a_minute() {
    let server = Server::of(&["old"]).await;
    let (jwks, now) = (server.jwks().await, Instant::now());
    assert!(!knows(&jwks, "late", now).await);
    server.holds(&["old", "late"]);
    assert!(!knows(&jwks, "late", now + NAME_PAUSE - JUST_BEFORE).await);
    assert_eq!(server.fetched(), 2);
    assert!(knows(&jwks, "late", now + NAME_PAUSE).await);
    assert_eq!(server.fetched(), 3);
}

#[actix_web::test]
async fn a_flood_of_names_is_worth_two_fetches_and_one_each_ten_seconds() {
    let server = Server::of(&["old"]).await;
    let (jwks, start) = (server.jwks().await, Instant::now());
    let mut names = 0;
    let mut floods = async |at: Instant| {
        for _ in 0..30 {
            names += 1;
            assert!(!knows(&jwks, &format!("made up {names}"), at).await);
        }
        server.fetched()
    };
    assert_eq!(floods(start).await, 3);
    assert_eq!(floods(start + NAMES_PAUSE - JUST_BEFORE).await, 3);
    assert_eq!(floods(start + NAMES_PAUSE).await, 4);
    assert_eq!(floods(start + NAMES_PAUSE * 2 - JUST_BEFORE).await, 4);
    assert_eq!(floods(start + NAMES_PAUSE * 2).await, 5);
    assert_eq!(floods(start + NAMES_PAUSE * 60).await, 7, "what was not used is not saved up");
    server.holds(&["new"]);
    assert!(!knows(&jwks, "new", start + NAMES_PAUSE * 61 - JUST_BEFORE).await);
    assert!(knows(&jwks, "new", start + NAMES_PAUSE * 61).await, "so long a flood can hide a rotation");
    assert!(jwks.asked.lock().await.in_vain.len() <= 3, "what is remembered is bounded by what was fetched");
}

#[actix_web::test]
async fn a_fetch_that_failed_was_not_in_vain() {
    let server = Server::of(&["old"]).await;
    let (jwks, now) = (server.jwks().await, Instant::now());
    server.holds(&[]);
    assert!(!knows(&jwks, "new", now).await);
    assert!(knows(&jwks, "old", now).await, "the last keys stay");
    server.holds(&["new"]);
    assert!(knows(&jwks, "new", now).await);
    assert!(!knows(&jwks, "old", now).await, "a key that was withdrawn is gone");
}

#[actix_web::test]
async fn a_signature_that_fails_has_the_set_fetched_at_most_every_ten_seconds() {
    let server = Server::of(&["a"]).await;
    let (jwks, now) = (server.jwks().await, Instant::now());
    let held = jwks.current().unwrap();
    server.holds(&["a", "b"]);
    let newer = jwks.doubted_at(&held, now).await.unwrap();
    assert_eq!((newer.len(), server.fetched()), (2, 2));
    let other = jwks.doubted_at(&held, now).await.unwrap();
    assert!(Arc::ptr_eq(&other, &newer), "who had the old ones gets the newer");
    assert!(jwks.doubted_at(&newer, now + DOUBT_PAUSE - JUST_BEFORE).await.is_none());
    assert_eq!(server.fetched(), 2);
    assert!(jwks.doubted_at(&newer, now + DOUBT_PAUSE).await.is_some());
    assert_eq!(server.fetched(), 3);
    assert!(!knows(&jwks, "made up", now).await);
    assert_eq!(server.fetched(), 4, "names and signatures have bounds of their own");
    server.holds(&[]);
    let held = jwks.current().unwrap();
    assert!(jwks.doubted_at(&held, now + DOUBT_PAUSE * 2).await.is_none());
    assert_eq!(jwks.current().unwrap().len(), 2, "the last keys stay");
}

#[actix_web::test]
async fn the_set_is_fetched_in_the_background() {
    let mut server = Server::of(&["a"]).await;
    let jwks = Arc::new(server.jwks().await);
    let keeping = tokio::spawn({
        let jwks = Arc::clone(&jwks);
        async move { jwks.keep_every(Duration::from_millis(5)).await }
    });
    server.holds(&["b"]);
    // The third and fourth fetch began after the second had ended.
    server.fetched.wait_for(|fetched| *fetched >= 4).await.unwrap();
    assert!(may_hold(&jwks.current().unwrap(), Some("b")) && !may_hold(&jwks.current().unwrap(), Some("a")));
    server.holds(&[]);
    let failed = server.fetched() + 2;
    server.fetched.wait_for(|fetched| *fetched >= failed).await.unwrap();
    assert!(may_hold(&jwks.current().unwrap(), Some("b")), "the last keys stay");
    keeping.abort();
    assert_eq!(REFRESH_EVERY, Duration::from_secs(300));
}
