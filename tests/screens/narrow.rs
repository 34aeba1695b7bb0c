//! The smallest phones: at 320 pixels nothing is wider than the screen, on no page, tab or dialog, in no language, with the
//! longest things that people and chains are called.

use std::cell::RefCell;

use rollcall::domain::ids::MemberId;
use serde_json::{Value, json};

use crate::browser::Window;
use crate::gym::Gym;
use crate::support::api::{Named, Person, Reply};

const SIZE: (u32, u32) = (320, 700);
const LANGUAGES: [&str; 4] = ["en-GB", "da-DK", "nb-NO", "lt-LT"];

/// Surnames of 35 letters, and the other longest names, with nothing to break them at.
const ANN: &str = "Annemarie Wolfeschlegelsteinhausenbergerdorff";
const BEN: &str = "Benjamin Hubertusblaineschlegelsteinhausen";
const TITLE: &str = "Styrketræning for begyndere";
const LONG_TITLE: &str = "Rygtræningsholdsbegynderundervisningstimerne";
const ROOM: &str = "Gymnastikhallenbagvedsvømmebassinetunderkælderensmotionsrum";
const INSTRUCTOR: &str = "Kristoffer-Alexander Christoffersen-Wolfeschlegelsteinhausen";
const CLUB: &str = "Aarhushavnefrontsfitnessogvandsportscenterforhelefamilienxyz";
const CATEGORY: &str = "genoptræningogrehabiliteringefterskader";

/// As long as ids may be.
fn longest_id(letter: char) -> String {
    let fits = |len: &usize| MemberId::parse(&letter.to_string().repeat(*len)).is_ok();
    letter.to_string().repeat((1..=1024).rev().find(fits).expect("some length is one"))
}

fn long_reason() -> String {
    "uforudsetbegivenhed".repeat(20)
}

/// What is too wide: the page, a dialog, or something whose words stand out of its own box. Each is named.
const TOO_WIDE: &str = "
    const name = (one) => `${one.tagName.toLowerCase()}${one.id && `#${one.id}`}.${[...one.classList].join('.')} `
        + `«${one.textContent.trim().slice(0, 60)}»`;
    const scrolls = (one) => one.closest('.scroll, .chips, .tabs') !== null;
    const boxes = [document.documentElement, ...document.querySelectorAll('dialog[open]')];
    const over = boxes.filter((one) => one.scrollWidth !== one.clientWidth).map((one) => {
        const edge = one.getBoundingClientRect().left + one.clientWidth + (one === document.documentElement ? 0 : 1);
        const inside = [...one.querySelectorAll('*')].filter((part) => !scrolls(part))
            .sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right);
        return `${one.scrollWidth} in ${one.clientWidth} of ${name(one).slice(0, 30)}: the widest is ${name(inside[0])}`
            + ` up to ${inside[0].getBoundingClientRect().right} of ${edge}`;
    });
    const shown = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility() && !one.closest('.sr'));
    for (const one of shown) {
        const { overflowX, display } = getComputedStyle(one);
        if (one instanceof SVGElement || one.clientWidth === 0 || overflowX !== 'visible' || display === 'inline') continue;
        // Rows of chips stand out by 3 pixels, for the ring of the focus.
        if (one.scrollWidth > one.clientWidth + 3) over.push(`out of its box by ${one.scrollWidth - one.clientWidth}: ${name(one)}`);
    }
    return over;";

/// One reader's phone.
struct Phone<'a> {
    window: Window,
    language: &'a str,
    gym: &'a Gym,
    /// What was too wide so far.
    found: RefCell<Vec<String>>,
}

impl Phone<'_> {
    async fn opens(&self, path: &str, who: &Person) {
        self.window.goes_to("about:blank").await;
        self.gym.opens(&self.window, path, who).await;
    }

    /// Notes what does not fit, and keeps a picture of it.
    async fn fits(&self, what: &str) {
        let over = self.window.runs(TOO_WIDE, vec![]).await;
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screens/320");
        std::fs::create_dir_all(&folder).unwrap();
        let picture = folder.join(format!("{what}-{}.png", &self.language[..2]));
        std::fs::write(picture, self.window.picture().await).unwrap();
        let found = over.as_array().unwrap().iter().map(|one| format!("{what} in {}: {one}", self.language));
        self.found.borrow_mut().extend(found);
    }

    /// Taps, waits for one more dialog with something in it, and looks at it.
    async fn asks(&self, css: &str, what: &str) {
        let before = self.dialogs().await;
        self.window.taps(css).await;
        self.window.comes_to(&format!("document.querySelectorAll('dialog[open]').length === {}", before + 1)).await;
        self.window.comes_to("document.querySelector('dialog:last-of-type .waiting') === null").await;
        self.fits(what).await;
    }

    async fn dialogs(&self) -> u64 {
        let count = "return document.querySelectorAll('dialog[open]').length";
        self.window.runs(count, vec![]).await.as_u64().unwrap()
    }

    /// Closes the topmost dialog.
    async fn closes(&self) {
        let left = self.dialogs().await - 1;
        self.window.taps("dialog:last-of-type .actions button:first-child").await;
        self.window.comes_to(&format!("document.querySelectorAll('dialog[open]').length === {left}")).await;
    }
}

/// A chain in which everything that can be shown is there to be shown.
struct Chain {
    gym: Gym,
    ann: Person,
    ben: Person,
    soon: Reply,
    /// Ben's in it.
    spot: Reply,
    ahead: Reply,
    past: Reply,
    untouched: Reply,
}

impl Chain {
    async fn new() -> Chain {
        let gym = Gym::on(
            "pulsn-dk",
            json!({
                "booking": { "allow_overlap": true, "daily_limit": 9 },
                "attendance": { "strikes": 1, "minimum": 1 },
                "cancel": { "late_fee": 79_000_050, "after_booking": "PT0S" },
            }),
        )
        .await;
        let (ann_id, ben_id) = (longest_id('a'), longest_id('b'));
        for club in ["main", "north", "south"] {
            gym.org.desk().put(&format!("/v1/clubs/{club}"), json!({ "name": format!("{CLUB}-{club}") })).await;
        }
        let ann = gym.member(&ann_id, ANN, "+4511111111").await;
        let ben = gym.member(&ben_id, BEN, "+4522222222").await;
        let long = json!({
            "title": TITLE, "room": ROOM, "category": CATEGORY, "instructor": { "id": longest_id('i'), "name": INSTRUCTOR },
        });
        let with = |more: Value| {
            let mut changes = long.clone();
            crate::support::api::merge(&mut changes, &more);
            changes
        };
        let (past, untouched) = Self::yesterday(&gym, &ann, &ben, &with).await;
        let soon = gym.class_in(25, with(json!({ "capacity": 2 }))).await;
        let late = gym.class_in(70, with(json!({ "title": LONG_TITLE }))).await;
        let strict = gym.class_in(75, with(json!({ "policy": { "cancel": { "late": "refused" } } }))).await;
        let ahead = gym.class_in(8 * 60, with(json!({ "capacity": 5 }))).await;
        let full = gym.class_in(8 * 60 + 5, with(json!({ "capacity": 1 }))).await;
        let offered = gym
            .class_in(8 * 60 + 10, with(json!({ "capacity": 1, "policy": { "waitlist": { "mode": "offer" } } })))
            .await;
        gym.class_in(9 * 60, with(json!({ "minimum": 5, "title": LONG_TITLE }))).await;
        let cleo = gym.member("cleo", "Cleo Moen", "+4533333333").await;
        let spot = ben.books(&soon).await;
        for class in [&late, &strict, &ahead] {
            ben.books(class).await;
        }
        let given_up = cleo.books(&ahead).await;
        let called_off = json!({ "charge": false, "reason": long_reason() });
        gym.org.desk().post(&format!("/v1/bookings/{}/cancel", given_up.id()), called_off).await;
        for class in [&full, &offered] {
            let held = cleo.books(class).await;
            ben.queues_for(class).await;
            if class.id() == offered.id() {
                cleo.cancels(&held).await;
            }
        }
        cleo.books(&soon).await;
        Chain { gym, ann, ben, soon, spot, ahead, past, untouched }
    }

    async fn takes_back_bens_arrival(&self) {
        self.gym.org.desk().act(&format!("/v1/bookings/{}/undo-check-in", self.spot.id())).await;
    }

    /// Ann stayed away yesterday, and is banned; nobody took the roll of another class.
    async fn yesterday(gym: &Gym, ann: &Person, ben: &Person, with: &impl Fn(Value) -> Value) -> (Reply, Reply) {
        let day = 24 * 60;
        gym.clock_goes(-day).await;
        let past = gym.class_in(20 - day, with(json!({}))).await;
        let untouched = gym.class_in(25 - day, with(json!({}))).await;
        let (came, _) = (ben.books(&past).await, ann.books(&past).await);
        ben.books(&untouched).await;
        gym.org.desk().act(&format!("/v1/bookings/{}/check-in", came.id())).await;
        gym.world.deletes_clock().await;
        (past, untouched)
    }
}

#[tokio::test]
async fn nothing_is_wider_than_the_smallest_phone() {
    let chain = Chain::new().await;
    for language in LANGUAGES {
        let phone =
            Phone { window: Window::open(SIZE, language).await, language, gym: &chain.gym, found: RefCell::default() };
        the_member(&chain, &phone).await;
        the_instructor(&chain, &phone).await;
        the_desk(&chain, &phone).await;
        the_kiosk(&chain, &phone).await;
        the_classes(&chain, &phone).await;
        the_sections(&chain, &phone).await;
        nobody(&chain, &phone).await;
        chain.takes_back_bens_arrival().await;
        let found = phone.found.into_inner();
        assert!(found.is_empty(), "too wide:\n{}", found.join("\n"));
    }
}

async fn the_member(chain: &Chain, phone: &Phone<'_>) {
    let window = &phone.window;
    phone.opens("/book", &chain.ben).await;
    window.sees_in(".week .classes", TITLE).await;
    phone.fits("book").await;
    window.taps("#tab-mine").await;
    window.sees_in("#panel .lines", TITLE).await;
    phone.fits("book-mine").await;
    let all = "return [...document.querySelectorAll('#panel .card')].flatMap((card) => \
        [...card.querySelectorAll('[data-action=cancel], [data-action=leave], [data-action=decline]')] \
        .map((button) => `[data-class='${card.dataset.class}'] [data-action=${button.dataset.action}]`))";
    let buttons: Vec<String> = serde_json::from_value(window.runs(all, vec![]).await).unwrap();
    assert_eq!(buttons.len(), 6, "free, charged, refused, leave, decline: {buttons:?}");
    for (n, button) in buttons.iter().enumerate() {
        phone.asks(&format!("#panel {button}"), &format!("book-cancel-{n}")).await;
        phone.closes().await;
    }
    window.taps("#tab-standing").await;
    window.sees_in("#panel", BEN).await;
    phone.fits("book-standing").await;
    phone.asks("header .round", "book-settings").await;
    phone.closes().await;
    // Banned, for a missed class.
    phone.opens("/book", &chain.ann).await;
    window.sees_in(".week .classes", TITLE).await;
    phone.fits("book-banned").await;
    window.taps("#tab-standing").await;
    window.sees_in("#panel", ANN).await;
    phone.fits("book-banned-standing").await;
}

async fn the_instructor(chain: &Chain, phone: &Phone<'_>) {
    phone.opens("/roster", &chain.gym.org.instructor(&longest_id('i'))).await;
    phone.window.sees_in(".roll", BEN).await;
    phone.fits("roster").await;
    phone.asks("header .round", "roster-settings").await;
    phone.closes().await;
    phone.window.taps(".split .chip:nth-child(2)").await;
    phone.window.comes_to("document.querySelector('.empty') !== null").await;
    phone.fits("roster-tomorrow").await;
}

async fn the_desk(chain: &Chain, phone: &Phone<'_>) {
    let window = &phone.window;
    phone.opens("/desk", &chain.gym.org.desk()).await;
    window.sees_in(".roll", BEN).await;
    phone.fits("desk").await;
    for who in [longest_id('q'), chain.ann.sub.clone(), "+4511111111".to_owned(), chain.ben.sub.clone()] {
        window.types("#who", &who).await;
        window.taps("form.arrive .primary").await;
        window.comes_to("document.querySelector('.result[data-tone]:not(:empty)') !== null").await;
        phone.fits("desk-arrival").await;
    }
    for (n, query) in ["Ann", "Ben", "nobody"].into_iter().enumerate() {
        window.types("#find", query).await;
        window.comes_to("document.querySelector('[role=status] .lines, [role=status] .empty') !== null").await;
        phone.fits(&format!("desk-find-{n}")).await;
    }
    for n in [1, 2] {
        phone.asks(&format!(".roll-head .row button:nth-child({n})"), &format!("desk-ask-{n}")).await;
        window.types("#find-for", "Ann").await;
        window.comes_to("document.querySelector('dialog .lines') !== null").await;
        phone.fits(&format!("desk-ask-{n}-found")).await;
        phone.closes().await;
    }
    // Ben, with everything that is ahead of him, then Ann, with what she missed.
    phone.asks(".names .open", "desk-member").await;
    phone.asks("dialog .lines li:last-child button", "desk-member-cancel").await;
    phone.closes().await;
    phone.closes().await;
    window.types("#find", "Annemarie").await;
    window.sees_in("[role=status] .lines", ANN).await;
    phone.asks("[role=status] .lines button", "desk-banned").await;
    for (n, css) in [
        "dialog .row > .plain:only-child",
        "dialog section:nth-of-type(2) li button",
        "dialog section:nth-of-type(3) li button",
    ]
    .into_iter()
    .enumerate()
    {
        phone.asks(css, &format!("desk-banned-{n}")).await;
        window.types("dialog:last-of-type #reason", &long_reason()).await;
        phone.fits(&format!("desk-banned-{n}-reason")).await;
        phone.closes().await;
    }
    phone.closes().await;
}

async fn the_kiosk(chain: &Chain, phone: &Phone<'_>) {
    let window = &phone.window;
    phone.opens("/desk", &chain.gym.org.kiosk()).await;
    window.sees_in(".picks", CLUB).await;
    phone.fits("kiosk-club").await;
    window.taps(".picks li:first-child .huge").await;
    window.comes_to("document.querySelector('#who') !== null").await;
    phone.fits("kiosk").await;
    for who in ["+4599999999".to_owned(), longest_id('q'), chain.ben.sub.clone()] {
        window.types("#who", &who).await;
        phone.fits("kiosk-typed").await;
        window.taps("form.arrive .primary").await;
        window.comes_to("document.querySelector('.result:not(:empty)') !== null").await;
        phone.fits("kiosk-result").await;
    }
}

async fn the_classes(chain: &Chain, phone: &Phone<'_>) {
    let window = &phone.window;
    phone.opens("/", &chain.gym.org.admin()).await;
    window.sees_in(".sessions", TITLE).await;
    phone.fits("day").await;
    phone.asks(&format!("[data-class=\"{}\"]", chain.ahead.id()), "day-class").await;
    for action in ["change", "substitute", "capacity", "cancel"] {
        phone.asks(&format!("dialog [data-action={action}]"), &format!("day-class-{action}")).await;
        if action == "cancel" {
            window.types("dialog:last-of-type #reason", &long_reason()).await;
            phone.fits("day-class-cancel-reason").await;
        }
        phone.closes().await;
    }
    phone.closes().await;
    phone.asks(&format!("[data-class=\"{}\"]", chain.soon.id()), "day-class-soon").await;
    phone.closes().await;
    phone.asks(".bar-top .primary", "day-publish").await;
    window.taps("dialog .own-rules summary").await;
    window.comes_to("document.querySelectorAll('dialog .rule').length > 20").await;
    phone.fits("day-publish-rules").await;
    phone.closes().await;
    window.taps(".bar-top .round:first-child").await;
    window.comes_to(&format!("document.querySelector('[data-class=\"{}\"]') !== null", chain.past.id())).await;
    phone.fits("day-before").await;
    phone.asks(&format!("[data-class=\"{}\"]", chain.past.id()), "day-past").await;
    phone.closes().await;
    phone.asks(&format!("[data-class=\"{}\"]", chain.untouched.id()), "day-untouched").await;
    phone.asks("dialog [data-action=close]", "day-close").await;
    phone.closes().await;
    phone.closes().await;
}

async fn the_sections(chain: &Chain, phone: &Phone<'_>) {
    let window = &phone.window;
    window.taps("#tab-series").await;
    window.comes_to("document.querySelector('#panel .empty, #panel .sessions') !== null").await;
    if chain.gym.org.desk().get("/v1/series").await.items().is_empty() {
        let series = json!({
            "id": "weekly", "club": "main", "title": LONG_TITLE, "starts_on": "2030-01-07", "time": "18:00",
            "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "minutes": 45, "capacity": 20, "room": ROOM,
            "instructor": { "id": "eva", "name": INSTRUCTOR },
        });
        chain.gym.org.desk().post("/v1/series", series).answers(201).await;
        window.taps("#tab-members").await;
        window.taps("#tab-series").await;
    }
    window.sees_in("#panel", LONG_TITLE).await;
    phone.fits("day-series").await;
    phone.asks("#panel .session button:first-child", "day-series-change").await;
    window.taps("dialog .own-rules summary").await;
    window.comes_to("document.querySelectorAll('dialog .rule').length > 20").await;
    phone.fits("day-series-rules").await;
    phone.closes().await;
    phone.asks("#panel .session button:last-child", "day-series-end").await;
    phone.closes().await;

    window.taps("#tab-members").await;
    window.types("#members-find", "Ann").await;
    window.sees_in("#panel .lines", ANN).await;
    phone.fits("day-members").await;
    phone.asks("#panel .lines button", "day-member").await;
    phone.asks("dialog [data-action=edit]", "day-member-edit").await;
    phone.asks("dialog:last-of-type .actions button:last-child", "day-member-erase").await;
    phone.closes().await;
    phone.closes().await;
    phone.closes().await;
    phone.asks("#panel .primary", "day-member-new").await;
    for css in ["[name=everywhere]", "[name=everything]", ".body > fieldset:last-child button"] {
        window.taps(&format!("dialog {css}")).await;
    }
    window.comes_to("document.querySelector('dialog .span') !== null").await;
    phone.fits("day-member-new-all").await;
    phone.closes().await;

    window.taps("#tab-fees").await;
    window.sees_in("#panel table", ANN).await;
    phone.fits("day-fees").await;
    phone.asks("#panel tbody .plain", "day-waive").await;
    phone.closes().await;

    window.taps("#tab-reports").await;
    window.comes_to("document.querySelector('#panel .pictures') !== null").await;
    window.runs("document.querySelectorAll('#panel details').forEach((one) => { one.open = true; })", vec![]).await;
    phone.fits("day-reports").await;

    window.taps("#tab-rules").await;
    window.comes_to("document.querySelectorAll('#panel .rule').length > 20").await;
    phone.fits("day-rules").await;
    window.types("[aria-labelledby=rule-waitlist-max] input", "7\u{e004}").await;
    phone.asks("#panel .save-bar .primary", "day-rules-save").await;
    phone.closes().await;
}

/// Those who are not let in.
async fn nobody(chain: &Chain, phone: &Phone<'_>) {
    let window = &phone.window;
    phone.opens("/", &chain.ben).await;
    window.comes_to("document.querySelector('.stranger') !== null").await;
    phone.fits("stranger").await;
    let elsewhere = crate::support::api::token(&longest_id('x'), "admin", Some(&"o".repeat(64)));
    window.goes_to("about:blank").await;
    window.goes_to(&format!("{}/#token={elsewhere}", chain.gym.url())).await;
    window.comes_to("document.querySelector('.failure') !== null").await;
    phone.fits("no-chain").await;
}
