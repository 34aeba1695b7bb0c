//! The desk and the kiosk find people: by parts of names in any writing, and by phones in any form.

use serde_json::{Value, json};

use crate::support::api::{Org, Person, World};

async fn puts(org: &Org, id: &str, name: &str, phone: Value) -> Person {
    let body = json!({ "name": name, "phone": phone, "membership": { "plan": "unlimited", "status": "active" } });
    let put = org.desk().put(&format!("/v1/members/{id}"), body).await;
    assert_eq!(put.text("/name"), name.trim());
    org.caller(id, "member")
}

fn query(text: &str) -> String {
    let written: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/v1/members?query={written}")
}

async fn found(org: &Org, text: &str) -> Vec<String> {
    let mut ids: Vec<String> = org.desk().get(&query(text)).await.ids().into_iter().map(str::to_owned).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_name_is_found_by_each_of_its_parts_whatever_its_case_accents_order_and_form() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for (id, name) in [
        ("m1", "Åse Berg-Žydrė"),
        ("m2", "Z\u{30c}aneta  S\u{30c}imkute\u{307}"),
        ("m3", "Søren\u{a0}Kjærgård"),
        ("m4", "Łukasz Dąbrowski"),
        ("m5", "O’Neill Bergþóra"),
        ("m6", "Jürgen Groß"),
        ("m7", "Đorđe Ilić"),
        ("m8", "ANNE-MARIE BERGMANN"),
    ] {
        puts(&org, id, name, json!(null)).await;
    }
    for (text, expected) in [
        ("berg", &["m1", "m5", "m8"][..]),
        ("BERG", &["m1", "m5", "m8"]),
        ("zydre", &["m1"]),
        ("žydrė", &["m1"]),
        ("z\u{30c}ydre\u{307}", &["m1"]),
        ("aase", &["m1"]),
        ("ase", &["m1"]),
        ("åse", &["m1"]),
        ("berg åse", &["m1"]),
        ("zyd be as", &["m1"]),
        ("zaneta", &["m2"]),
        ("simkute zan", &["m2"]),
        ("Žaneta Šimkutė", &["m2"]),
        ("soren", &["m3"]),
        ("soeren", &["m3"]),
        ("kjaergaard", &["m3"]),
        ("kjærgard søren", &["m3"]),
        ("lukasz", &["m4"]),
        ("dabrow", &["m4"]),
        ("neill", &["m5"]),
        ("oneill", &["m5"]),
        ("o'neill", &["m5"]),
        ("bergthora", &["m5"]),
        ("juergen gross", &["m6"]),
        ("jurgen", &["m6"]),
        ("dorde", &["m7"]),
        ("annemarie", &["m8"]),
        ("marie anne", &["m8"]),
        ("m", &["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"]),
        ("erg", &[]),
        ("berg zaneta", &[]),
        ("åse bergman", &[]),
        ("'", &[]),
    ] {
        assert_eq!(found(&org, text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn of_many_who_are_called_alike_the_others_words_choose_and_each_is_listed_once() {
    let world = World::new().await;
    let org = world.org("standard").await;
    for n in 0..130 {
        puts(&org, &format!("b{n:03}"), &format!("Bo Bosen{} Bo-Bo", n % 10), json!(null)).await;
    }
    puts(&org, "rare", "Zoe Bosen", json!(null)).await;
    assert_eq!(found(&org, "bo zoe").await, ["rare"]);
    for (text, count) in [("bo", 131), ("bosen3", 13), ("bo bosen3 bo", 13), ("b bosen", 131)] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = org.desk().get(&format!("{}&limit=50{cursor}", query(text))).await;
            assert!(
                page.items().len() == 50 || page.at("/next").is_null(),
                "{text}: a page that is not full is the last"
            );
            ids.extend(page.ids().into_iter().map(str::to_owned));
            match page.at("/next").as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let listed = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((listed, ids.len()), (count, count), "{text}");
    }
    let page = org.desk().get(&format!("{}&limit=5", query("bo"))).await;
    let cursor = page.text("/next").to_owned();
    org.desk().get(&format!("{}&cursor={cursor}", query("zoe"))).refused("invalid").await;
}

#[tokio::test]
async fn a_phone_is_one_number_however_it_is_written() {
    let world = World::new().await;
    for (zone, region, kept, forms) in [
        (
            "Europe/Copenhagen",
            json!(null),
            "+45 20 12 34 56",
            &[
                "20123456",
                "004520123456",
                "4520123456",
                "+4520123456",
                "20 12 34 56",
                "(0045) 20-12-34-56",
                "\u{202a}20123456\u{202c}",
            ][..],
        ),
        (
            "Europe/Copenhagen",
            json!(null),
            "20123456",
            &["+45 20 12 34 56", "004520123456", "4520123456", "20.12.34.56"],
        ),
        (
            "Europe/Vilnius",
            json!(null),
            "8 612 34567",
            &["+37061234567", "0037061234567", "61234567", "861234567", "370 612 34567"],
        ),
        ("Europe/Vilnius", json!(null), "+370 (612) 34567", &["8 612 34567", "0 612 34567", "61234567"]),
        ("Europe/Oslo", json!(null), "47 12 34 56", &["+4747123456", "47123456", "004747123456", "4747123456"]),
        ("UTC", json!("LT"), "8 612 34567", &["+37061234567", "61234567"]),
        (
            "Europe/Copenhagen",
            json!("SE"),
            "070-123 45 67",
            &["+46701234567", "0701234567", "0046701234567", "+46 (0)70 123 45 67"],
        ),
    ] {
        let org = world
            .org_under(
                "standard",
                json!({ "timezone": zone, "phone_region": region, "booking": { "allow_overlap": true } }),
            )
            .await;
        let ann = puts(&org, "ann", "Ann", json!(format!(" {kept}\u{200b} "))).await;
        assert_eq!(ann.get("/v1/me").await.text("/phone"), kept);
        puts(&org, "bob", "Bob", json!("+4799999999")).await;
        let class = org.class(json!({})).await;
        ann.books(&class).await;
        world.sets_clock("2026-03-03T11:30:00Z").await;
        for form in forms {
            assert_eq!(found(&org, form).await, ["ann"], "{form} for {kept} in {zone}");
            let arrived = org.kiosk().post("/v1/check-ins", json!({ "club": "main", "phone": form })).await;
            assert_eq!(arrived.text("/member"), "ann", "{form} for {kept} in {zone}");
        }
        for stranger in ["20123457", "+4620123456", "+45 612 34567"] {
            let refused = org
                .kiosk()
                .post("/v1/check-ins", json!({ "club": "main", "phone": stranger }))
                .refused("invalid")
                .await;
            assert_eq!(refused.pointers(), ["/phone"], "{stranger}");
        }
        world.sets_clock("2026-03-02T08:00:00Z").await;
    }
}

#[tokio::test]
async fn a_number_of_two_readings_is_nobodys_and_of_those_who_share_one_the_earliest_class_is_meant() {
    let world = World::new().await;
    let org = world.org_under("standard", json!({ "timezone": "Europe/Berlin" })).await;
    puts(&org, "two", "Two", json!("4921123456")).await;
    puts(&org, "one", "One", json!("+49 211 23456")).await;
    let (early, late) = (org.class(json!({})).await, org.class(json!({ "starts_at": "2026-03-03T12:30:00Z" })).await);
    let (mum, kid) =
        (puts(&org, "mum", "Mum", json!("030 7654321")).await, puts(&org, "kid", "Kid", json!("+49307654321")).await);
    mum.books(&late).await;
    kid.books(&early).await;
    world.sets_clock("2026-03-03T11:45:00Z").await;
    let arrives = |phone: &str| org.kiosk().post("/v1/check-ins", json!({ "club": "main", "phone": phone }));
    assert_eq!(arrives("4921123456").refused("invalid").await.pointers(), ["/phone"]);
    arrives("0211 23456").refused("check_in_not_open").await;
    assert_eq!(found(&org, "4921123456").await, Vec::<String>::new());
    assert_eq!(found(&org, "+4921123456").await, ["one"]);
    assert_eq!(arrives("0049 30 7654321").await.text("/member"), "kid");
    assert_eq!(arrives("030 765-43-21").await.text("/member"), "mum");
}

#[tokio::test]
async fn a_policy_that_names_another_country_reads_every_phone_again() {
    let world = World::with(2, crate::support::redis::Keeps::Everything).await;
    let org = world.org_under("standard", json!({ "timezone": "Europe/Copenhagen" })).await;
    for n in 0..90 {
        puts(&org, &format!("m{n:02}"), "Somebody", json!(format!("612 345{n:02}"))).await;
    }
    assert!(found(&org, "+37061234507").await.is_empty());
    let policy = |zone: &str, region: Value| {
        let mut policy = rollcall::domain::presets::preset("standard").expect("a preset").policy.to_json();
        policy["timezone"] = json!(zone);
        if !region.is_null() {
            policy["phone_region"] = region;
        }
        policy
    };
    for (zone, region, there, gone) in [
        ("Europe/Vilnius", json!(null), "+37061234507", "+4561234507"),
        ("Europe/Copenhagen", json!("LT"), "+370 612 34507", "+4561234507"),
        ("Europe/Copenhagen", json!(null), "+45 61 23 45 07", "+37061234507"),
        ("Europe/Vilnius", json!("DK"), "+45 61 23 45 07", "+37061234507"),
        ("Europe/Riga", json!("LT"), "8 612 34507", "+4561234507"),
    ] {
        let put = org.admin().put("/v1/org/policy", policy(zone, region.clone())).at(0).await;
        assert_eq!(put.body.pointer("/policy/phone_region").cloned().unwrap_or_default(), region);
        for instance in [0, 1] {
            assert_eq!(org.desk().get(&query(there)).at(instance).await.ids(), ["m07"], "{there} in {zone}");
            assert_eq!(org.desk().get(&query(gone)).at(instance).await.ids().len(), 0, "{gone} in {zone}");
        }
        // A member that comes by the instance that has not heard of the policy.
        let body =
            json!({ "name": "New", "phone": "612 34999", "membership": { "plan": "unlimited", "status": "active" } });
        org.desk().put("/v1/members/new", body).at(1).await;
        assert!(found(&org, "new").await.contains(&"new".to_owned()));
        assert_eq!(found(&org, &there.replace("507", "999").replace("5 07", "9 99")).await, ["new"]);
        org.desk().delete("/v1/members/new").await;
    }
    for wrong in [json!("lt"), json!("LTU"), json!("ZZ"), json!(""), json!(370)] {
        let refused = org.admin().put("/v1/org/policy", policy("Europe/Vilnius", wrong)).refused("invalid").await;
        assert_eq!(refused.pointers(), ["/phone_region"]);
    }
    let class = json!({ "club": "main", "title": "Yoga", "starts_at": "2026-03-03T12:00:00Z", "minutes": 60, "capacity": 1, "policy": { "phone_region": "DK" } });
    assert_eq!(org.desk().post("/v1/classes", class).refused("invalid").await.pointers(), ["/policy/phone_region"]);
}

#[tokio::test]
async fn an_address_that_no_mail_reaches_is_refused() {
    let world = World::new().await;
    let org = world.org("standard").await;
    let put = |email: &str| {
        let body = json!({ "name": "Ann", "email": email, "membership": { "plan": "unlimited", "status": "active" } });
        org.desk().put("/v1/members/ann", body)
    };
    for bad in [
        "a.@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a@example..com",
        "a@.example.com",
        "a@-x.com",
        "a b@example.com",
        "a@",
        "@a",
        "a@b@c",
        "a(b)@example.com",
    ] {
        assert_eq!(put(bad).refused("invalid").await.pointers(), ["/email"], "{bad}");
    }
    for good in [
        "a.b@example.com",
        "o'hara+gym@example.co.uk",
        "ann@žydrė.lt",
        "ann@xn--ydr-5ua40c.lt",
        "a_b@example.com",
        "ann@exämple.com",
    ] {
        assert_eq!(put(good).await.text("/email"), good);
    }
}
