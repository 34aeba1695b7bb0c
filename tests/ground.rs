//! The ground the house stands on, against real Redis servers: the private one and its life, the lanes and their
//! bounds, the library, and the refusal to write where writes could be lost.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use redis::Value;
use rollcall::store::durability::{Durability, DurabilityPolicy};
use rollcall::store::embedded::{Embedded, EmbeddedError};
use rollcall::store::error::StoreError;
use rollcall::store::lanes::{LaneLimits, Lanes};
use rollcall::store::library::Library;
use rollcall::store::target::RedisTarget;
use tempfile::TempDir;

/// A Redis of the test's own, on a free port.
struct Redis {
    child: Child,
    port: u16,
    dir: TempDir,
    options: Vec<String>,
}

impl Redis {
    fn start(options: &[&str]) -> Redis {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let options = options.iter().map(|&option| option.to_owned()).collect::<Vec<_>>();
        let child = serve(port, dir.path(), &options);
        Redis { child, port, dir, options }
    }

    fn durable() -> Redis {
        Redis::start(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    fn target(&self) -> RedisTarget {
        RedisTarget::parse(&format!("redis://127.0.0.1:{}", self.port)).unwrap()
    }

    async fn lanes(&self, acks: u32, limits: LaneLimits) -> Lanes {
        let lanes = Lanes::open(&self.target(), acks, limits).unwrap();
        lanes.ready(Duration::from_secs(10)).await.unwrap();
        lanes
    }

    fn signal(&self, signal: &str) {
        send_signal(self.child.id(), signal);
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.child = serve(self.port, self.dir.path(), &self.options);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(port: u16, dir: &Path, options: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .arg("--dir")
        .arg(dir)
        .args(options)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is needed by these tests: install it (make deps)")
}

fn send_signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn command(line: &str) -> redis::Cmd {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command
}

async fn lanes_of(embedded: &Embedded) -> Lanes {
    let lanes = Lanes::open(&embedded.target(), 0, LaneLimits::default()).unwrap();
    lanes.ready(Duration::from_secs(10)).await.unwrap();
    lanes
}

async fn pid_of(lanes: &Lanes) -> u32 {
    let info: String = redis::from_redis_value(lanes.call(&command("INFO server")).await.unwrap()).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap();
    line.trim().parse().unwrap()
}

/// Asks until the answer is there, for at most ten seconds.
async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn text(value: Value) -> String {
    redis::from_redis_value(value).unwrap()
}

// ---- the private Redis ----

#[tokio::test(flavor = "multi_thread")]
async fn the_private_redis_comes_back_after_kill_9_with_what_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = Embedded::start(dir.path()).unwrap();
    let lanes = lanes_of(&embedded).await;
    lanes.commit(&command("SET spot taken")).await.unwrap();
    let first = pid_of(&lanes).await;

    send_signal(first, "-KILL");

    let found = eventually("Redis is back", async || lanes.call(&command("GET spot")).await.ok()).await;
    assert_eq!(text(found), "taken");
    assert_ne!(pid_of(&lanes).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_redis_is_durable_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = Embedded::start(dir.path()).unwrap();
    let lanes = lanes_of(&embedded).await;

    let durability = Durability::new(DurabilityPolicy::Required);
    durability.check(&lanes).await.unwrap();
    assert_eq!(durability.check_writes(), Ok(()));

    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("redis"), 0o700);
    assert_eq!(mode("redis.log"), 0o600);
    assert!(fs::read_to_string(dir.path().join("redis.log")).unwrap().contains("ready to accept connections"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_redis_ends_with_the_service() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = Embedded::start(dir.path()).unwrap();
    let lanes = lanes_of(&embedded).await;
    let pid = pid_of(&lanes).await;
    lanes.commit(&command("SET spot taken")).await.unwrap();

    drop(embedded);

    assert!(!Path::new(&format!("/proc/{pid}")).exists() || cfg!(not(target_os = "linux")));
    let again = Embedded::start(dir.path()).unwrap();
    assert_eq!(text(lanes_of(&again).await.call(&command("GET spot")).await.unwrap()), "taken");
}

#[test]
fn a_second_service_on_one_data_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Embedded::start(dir.path()).unwrap();

    let refused = Embedded::start(dir.path()).err().unwrap();

    assert!(matches!(refused, EmbeddedError::InUse(_)), "{refused}");
    assert!(refused.to_string().contains("in use by another rollcall service"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphaned_redis_is_shut_down_before_another_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let home = fs::canonicalize(dir.path()).unwrap().join("redis");
    fs::create_dir(&home).unwrap();
    let socket = home.join("redis.sock");
    let options = ["--appendonly", "yes", "--appendfsync", "always", "--unixsocket", socket.to_str().unwrap()];
    let mut orphan = serve(0, &home, &options.map(str::to_owned));
    let unix = RedisTarget::parse(&format!("unix://{}", socket.display())).unwrap();
    let lanes = Lanes::open(&unix, 0, LaneLimits::default()).unwrap();
    lanes.ready(Duration::from_secs(10)).await.unwrap();
    lanes.commit(&command("SET spot taken")).await.unwrap();

    let embedded = Embedded::start(dir.path()).unwrap();

    // Its files and connections are closed; the kernel may take a moment to say that it is gone.
    assert!(ends_within(&mut orphan, Duration::from_secs(2)), "the orphan still runs");
    assert_eq!(text(lanes_of(&embedded).await.call(&command("GET spot")).await.unwrap()), "taken");
}

fn ends_within(child: &mut Child, most: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < most {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        thread::yield_now();
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_data_directory_gets_a_short_private_socket() {
    let dir = tempfile::tempdir().unwrap();
    let long: PathBuf = dir.path().join("a directory with spaces ".repeat(4)).join("and a long name ".repeat(5));
    let embedded = Embedded::start(&long).unwrap();

    let socket = PathBuf::from(embedded.target().to_string());

    assert!(socket.as_os_str().len() < 104, "{}", socket.display());
    assert_eq!(fs::metadata(socket.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    lanes_of(&embedded).await.commit(&command("SET spot taken")).await.unwrap();
    drop(embedded);
    assert!(!socket.parent().unwrap().exists(), "the short directory goes with the service");
}

// ---- lanes ----

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_redis_leaves_the_outcome_unknown_then_unavailable_then_heals() {
    let redis = Redis::durable();
    let limits = LaneLimits { lanes: 1, answer_ms_max: 300, connect_ms_max: 200, ..LaneLimits::default() };
    let lanes = redis.lanes(0, limits).await;
    redis.signal("-STOP");

    let begun = Instant::now();
    let sent = lanes.call(&command("SET spot taken")).await;
    assert_eq!(sent, Err(StoreError::OutcomeUnknown));
    assert!((250..1500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());

    let begun = Instant::now();
    assert!(matches!(lanes.call(&command("PING")).await, Err(StoreError::Unavailable(_))));
    assert!(begun.elapsed() < Duration::from_millis(100));

    redis.signal("-CONT");
    let found = eventually("the lane heals", async || lanes.call(&command("GET spot")).await.ok()).await;
    assert_eq!(text(found), "taken", "what was sent before the silence was carried out after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_gone_is_unavailable_at_once_and_found_again() {
    let mut redis = Redis::durable();
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    lanes.commit(&command("SET spot taken")).await.unwrap();
    redis.kill();
    // Nobody was using the lanes: they learn of the end by themselves.
    eventually("the lanes notice", async || lanes.ready(Duration::ZERO).await.err()).await;

    for _ in 0..20 {
        let begun = Instant::now();
        let refused = lanes.call(&command("PING")).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        assert!(begun.elapsed() < Duration::from_secs(1));
    }

    redis.start_again();
    let found = eventually("the lanes are back", async || lanes.call(&command("GET spot")).await.ok()).await;
    assert_eq!(text(found), "taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_under_load_never_hangs_and_never_lies() {
    let mut redis = Redis::durable();
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    let callers: Vec<_> = (0..64)
        .map(|caller| {
            let lanes = lanes.clone();
            tokio::spawn(async move {
                let mut acknowledged = 0;
                for count in 1..=100_000 {
                    match lanes.commit(&command(&format!("SET caller:{caller} {count}"))).await {
                        Ok(_) => acknowledged = count,
                        Err(StoreError::OutcomeUnknown | StoreError::Unavailable(_)) => break,
                        Err(other) => panic!("{other}"),
                    }
                }
                acknowledged
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    redis.kill();
    let mut acknowledged = Vec::new();
    for caller in callers {
        acknowledged.push(tokio::time::timeout(Duration::from_secs(2), caller).await.unwrap().unwrap());
    }

    redis.start_again();
    eventually("the lanes are back", async || lanes.call(&command("PING")).await.ok()).await;
    for (caller, acknowledged) in acknowledged.into_iter().enumerate() {
        let stored = lanes.call(&command(&format!("GET caller:{caller}"))).await.unwrap();
        let stored: i64 = redis::from_redis_value(stored).unwrap();
        assert!(stored >= acknowledged, "caller {caller}: {acknowledged} acknowledged, {stored} stored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_more_than_may_be_under_way_is_refused_at_once() {
    let redis = Redis::durable();
    let limits = LaneLimits { in_flight_max: 8, answer_ms_max: 1000, ..LaneLimits::default() };
    let lanes = redis.lanes(0, limits).await;
    redis.signal("-STOP");
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let lanes = lanes.clone();
            tokio::spawn(async move { lanes.call(&command("PING")).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;

    let begun = Instant::now();
    let refused = lanes.call(&command("PING")).await;

    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.starts_with("8 calls")), "{refused:?}");
    assert!(begun.elapsed() < Duration::from_millis(50));
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), Err(StoreError::OutcomeUnknown));
    }
}

/// Keeps Redis busy for so many turns of a loop.
fn busy(turns: u64) -> redis::Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg("local n = 0 for i = 1, tonumber(ARGV[1]) do n = n + i % 7 end return n").arg(0).arg(turns);
    command
}

/// What keeps Redis busy for about a tenth of a second.
async fn slow(lanes: &Lanes) -> redis::Cmd {
    const TRIAL: u64 = 2_000_000;
    let begun = Instant::now();
    lanes.call(&busy(TRIAL)).await.unwrap();
    let tenths = begun.elapsed().as_secs_f64() / 0.1;
    busy((TRIAL as f64 / tenths) as u64)
}

async fn connection_of(lanes: &Lanes) -> i64 {
    redis::from_redis_value(lanes.call(&command("CLIENT ID")).await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_given_up_does_not_end_a_lane_that_is_slow() {
    let redis = Redis::durable();
    let limits = LaneLimits { lanes: 1, answer_ms_max: 600, ..LaneLimits::default() };
    let lanes = redis.lanes(0, limits).await;
    let connection = connection_of(&lanes).await;
    let slow = slow(&lanes).await;
    let waiting: Vec<_> = (0..12)
        .map(|_| {
            let (lanes, slow) = (lanes.clone(), slow.clone());
            tokio::spawn(async move { lanes.call(&slow).await })
        })
        .collect();
    let mut given_up = 0;
    for waiting in waiting {
        given_up += usize::from(waiting.await.unwrap() == Err(StoreError::OutcomeUnknown));
    }
    assert!(given_up > 0, "Redis was not slow enough for this test");
    eventually("what was given up is worked off", async || lanes.call(&command("PING")).await.ok()).await;
    assert_eq!(connection_of(&lanes).await, connection);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_lane_takes_no_calls_until_it_is_heard_again() {
    let redis = Redis::durable();
    let limits = LaneLimits { lanes: 1, read_lanes: 1, answer_ms_max: 300, ..LaneLimits::default() };
    let lanes = redis.lanes(0, limits).await;
    let (reads, connection) = (lanes.reading(), connection_of(&lanes.reading()).await);

    redis.signal("-STOP");
    assert_eq!(reads.call(&command("GET spot")).await, Err(StoreError::OutcomeUnknown));
    assert!(matches!(reads.call(&command("GET spot")).await, Err(StoreError::Unavailable(_))));
    redis.signal("-CONT");

    eventually("the lane is heard again", async || reads.call(&command("PING")).await.ok()).await;
    assert_eq!(connection_of(&reads).await, connection, "nothing was wrong with the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_are_stuck_leave_the_lanes_of_writes_alone() {
    let redis = Redis::durable();
    let limits = LaneLimits { read_lanes: 1, answer_ms_max: 300, connect_ms_max: 10_000, ..LaneLimits::default() };
    let lanes = redis.lanes(0, limits).await;
    let writer = connection_of(&lanes).await;
    // A connection that waits for a list is answered nothing else.
    let stuck = lanes.reading().call(&command("BLPOP nothing 0")).await;
    assert_eq!(stuck, Err(StoreError::OutcomeUnknown));
    for _ in 0..8 {
        lanes.commit(&command("SET spot taken")).await.unwrap();
    }
    let still = command(&format!("CLIENT LIST ID {writer}"));
    assert!(text(lanes.call(&still).await.unwrap()).contains(&format!("id={writer} ")));
    let found = eventually("the silent lane gets a connection that answers", async || {
        lanes.reading().call(&command("GET spot")).await.ok()
    });
    assert_eq!(text(found.await), "taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_keeps_its_place_in_flight_when_its_caller_has_gone() {
    let redis = Redis::durable();
    let limits = LaneLimits {
        read_lanes: 1,
        reads_in_flight_max: 2,
        answer_ms_max: 60_000,
        heartbeat_ms: 60_000,
        ..LaneLimits::default()
    };
    let lanes = redis.lanes(0, limits).await;
    let reads = lanes.reading();
    eventually("the lane is there", async || reads.call(&command("PING")).await.ok()).await;
    let id = connection_of(&reads).await;
    let sent = async || {
        let listed = text(lanes.call(&command(&format!("CLIENT LIST ID {id}"))).await.unwrap());
        let field = |name: &str| listed.split([' ', '\n']).find_map(|word| word.strip_prefix(name).map(str::to_owned));
        (field("cmd=").unwrap(), field("qbuf=").unwrap().parse::<usize>().unwrap())
    };
    // While the connection waits for a list, whatever is sent after that stays in its buffer, where it is seen.
    let gone = tokio::spawn({
        let reads = reads.clone();
        async move { reads.call(&command("BLPOP list 0")).await }
    });
    eventually("the first is under way", async || (sent().await.0 == "blpop").then_some(())).await;
    gone.abort();
    let second = tokio::spawn({
        let reads = reads.clone();
        async move { reads.call(&command("GET second")).await }
    });
    let buffered = eventually("the second is sent", async || Some(sent().await.1).filter(|bytes| *bytes > 0)).await;
    let third = tokio::spawn(async move { reads.call(&command("GET third")).await });
    for _ in 0..50 {
        assert_eq!(sent().await.1, buffered, "a third was sent");
        tokio::task::yield_now().await;
    }
    lanes.call(&command("LPUSH list x")).await.unwrap();
    assert_eq!((second.await.unwrap(), third.await.unwrap()), (Ok(Value::Nil), Ok(Value::Nil)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_counts_once_enough_replicas_hold_it() {
    let primary = Redis::durable();
    let lanes = primary.lanes(1, LaneLimits::default()).await;
    let alone = lanes.commit(&command("SET spot taken")).await;
    assert_eq!(alone, Err(StoreError::OutcomeUnknown), "no replica held it");
    let wrong = lanes.commit(&command("LPUSH spot x")).await;
    assert!(matches!(wrong, Err(StoreError::Corrupt(_))), "an error reply needs no replica: {wrong:?}");
    assert!(lanes.call(&command("GET spot")).await.is_ok(), "a read needs no replica");

    let replica = Redis::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    eventually("the replica confirms", async || lanes.commit(&command("SET spot taken")).await.ok()).await;
    let writers: Vec<_> = (0..500)
        .map(|writer| {
            let lanes = lanes.clone();
            tokio::spawn(async move { lanes.commit(&command(&format!("SET writer:{writer} {writer}"))).await })
        })
        .collect();
    for (writer, answer) in writers.into_iter().enumerate() {
        assert_eq!(answer.await.unwrap(), Ok(Value::Okay), "writer {writer}");
    }

    let refused = replica.lanes(0, LaneLimits::default()).await.commit(&command("SET spot free")).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.starts_with("READONLY")), "{refused:?}");
}

#[tokio::test]
async fn sentinel_and_cluster_are_refused_in_one_clear_line() {
    for url in ["redis+sentinel://:secret@h1,h2/gym", "redis+cluster://h1,h2,h3"] {
        let target = RedisTarget::parse(url).unwrap();
        let refused = Lanes::open(&target, 0, LaneLimits::default()).err().unwrap().to_string();
        assert!(refused.contains("is not supported yet") && !refused.contains("secret"), "{refused}");
    }
    for url in ["redis+sentinel://h1,h2", "redis+cluster://h1,,h3", "http://h1", "redis://", "nonsense"] {
        assert!(RedisTarget::parse(url).is_err(), "{url}");
    }
}

// ---- the library ----

const SOURCE: &str = "#!lua name=rollcall_@HASH@
redis.register_function('greet_@HASH@', function(keys, args) return { 'GREETED', args[1] } end)";

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_went_missing_is_loaded_once_and_the_call_repeated() {
    let redis = Redis::durable();
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    let library = Library::of(SOURCE);
    let greet = async || library.fcall(&lanes, "greet", "rc:{gym}:org", &["ann"]).await;
    assert_eq!(text_list(greet().await.unwrap()), ["GREETED", "ann"], "a server that never had it");

    lanes.commit(&command(&format!("FUNCTION DELETE {}", library.name()))).await.unwrap();
    assert_eq!(text_list(greet().await.unwrap()), ["GREETED", "ann"], "deleted");

    lanes.commit(&command("FUNCTION FLUSH")).await.unwrap();
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (lanes, library) = (lanes.clone(), library.clone());
            tokio::spawn(async move { library.fcall(&lanes, "greet", "rc:{gym}:org", &["ann"]).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(text_list(caller.await.unwrap().unwrap()), ["GREETED", "ann"], "flushed, a hundred at once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_may_load_the_library_at_once() {
    let redis = Redis::durable();
    let mut loaders = Vec::new();
    for _ in 0..8 {
        let lanes = redis.lanes(0, LaneLimits::default()).await;
        loaders.push(tokio::spawn(async move { Library::of(SOURCE).load(&lanes).await }));
    }
    for loader in loaders {
        assert_eq!(loader.await.unwrap(), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_code_under_the_librarys_name_is_never_replaced() {
    let redis = Redis::durable();
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    let library = Library::of(SOURCE);
    let mut other = redis::cmd("FUNCTION");
    other
        .arg("LOAD")
        .arg(format!("#!lua name={}\nredis.register_function('other', function() return 1 end)", library.name()));
    lanes.commit(&other).await.unwrap();

    let refused = library.load(&lanes).await;

    assert!(matches!(&refused, Err(StoreError::Corrupt(why)) if why.contains("other code")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_s_own_library_loads() {
    let redis = Redis::durable();
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    let library = Library::default();
    library.load(&lanes).await.unwrap();
    library.load(&lanes).await.unwrap();
    let listed = lanes.call(&command(&format!("FUNCTION LIST LIBRARYNAME {}", library.name()))).await.unwrap();
    assert_ne!(listed, Value::Array(Vec::new()));
}

fn text_list(value: Value) -> Vec<String> {
    redis::from_redis_value(value).unwrap()
}

// ---- durability ----

#[tokio::test(flavor = "multi_thread")]
async fn writes_are_refused_on_a_redis_that_could_lose_them() {
    let redis = Redis::durable();
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    let durability = Durability::new(DurabilityPolicy::Required);
    assert!(durability.check_writes().is_err(), "nothing is known before the first look");
    durability.check(&lanes).await.unwrap();
    assert_eq!(durability.check_writes(), Ok(()));

    for (setting, wrong, right) in [
        ("appendonly", "no", "yes"),
        ("appendfsync", "everysec", "always"),
        ("no-appendfsync-on-rewrite", "yes", "no"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
    ] {
        lanes.call(&command(&format!("CONFIG SET {setting} {wrong}"))).await.unwrap();
        durability.check(&lanes).await.unwrap();
        let refused = durability.check_writes().unwrap_err().to_string();
        assert_eq!(refused, format!("writes are refused: {setting} is {wrong}, not {right}"));
        lanes.call(&command(&format!("CONFIG SET {setting} {right}"))).await.unwrap();
        durability.check(&lanes).await.unwrap();
        assert_eq!(durability.check_writes(), Ok(()), "healed: {setting}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_may_not_be_read_count_as_not_durable() {
    let redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always", "--rename-command", "CONFIG", ""]);
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    let durability = Durability::new(DurabilityPolicy::Required);
    durability.check(&lanes).await.unwrap();
    let refused = durability.check_writes().unwrap_err().to_string();
    assert!(refused.contains("may not be read"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_accept_loss() {
    let redis = Redis::start(&["--appendonly", "no"]);
    let lanes = redis.lanes(0, LaneLimits::default()).await;
    let durability = Durability::new(DurabilityPolicy::Any);
    assert_eq!(durability.check_writes(), Ok(()));
    durability.check(&lanes).await.unwrap();
    assert_eq!(durability.check_writes(), Ok(()));
}
