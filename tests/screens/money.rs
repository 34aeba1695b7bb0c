//! Sums are those of ISO 4217 on every screen, whatever a browser thinks of a currency's decimals.

use rollcall::screens::SCREENS;
use serde_json::{Value, json};

use crate::browser::Window;
use crate::gym::Gym;

/// A currency, a sum in its minor units, how English readers see it, and how accounts write it.
const SUMS: [(&str, i64, &str, &str); 34] = [
    ("DKK", 3_000, "30", "30.00"),
    ("DKK", 3_050, "30.50", "30.50"),
    ("EUR", 400, "4", "4.00"),
    ("EUR", 5, "0.05", "0.05"),
    ("NOK", 79_000, "790", "790.00"),
    ("NOK", 99_999_999, "999,999.99", "999999.99"),
    ("SEK", 12_345, "123.45", "123.45"),
    ("PLN", 10, "0.10", "0.10"),
    // Browsers have 0 or 2 for these; the standard has 2.
    ("HUF", 300_000, "3,000", "3000.00"),
    ("HUF", 300_050, "3,000.50", "3000.50"),
    ("COP", 300_000, "3,000", "3000.00"),
    ("COP", 300_001, "3,000.01", "3000.01"),
    ("IDR", 1_500_000, "15,000", "15000.00"),
    ("IDR", 1_500_050, "15,000.50", "15000.50"),
    ("RSD", 25_050, "250.50", "250.50"),
    ("ALL", 25_000, "250", "250.00"),
    ("PKR", 25_050, "250.50", "250.50"),
    ("UZS", 100, "1", "1.00"),
    ("TWD", 3_001, "30.01", "30.01"),
    ("CZK", 19_990, "199.90", "199.90"),
    ("MGA", 3_020, "30.20", "30.20"),
    // No decimals.
    ("JPY", 3_000, "3,000", "3000"),
    ("JPY", 1, "1", "1"),
    ("ISK", 4_500, "4,500", "4500"),
    ("KRW", 15_000, "15,000", "15000"),
    ("CLP", 3_001, "3,001", "3001"),
    ("UGX", 10_050, "10,050", "10050"),
    ("XOF", 500, "500", "500"),
    // Three, and four.
    ("KWD", 3_000, "3", "3.000"),
    ("KWD", 1_005, "1.005", "1.005"),
    ("TND", 3_000_500, "3,000.500", "3000.500"),
    ("BHD", 250, "0.250", "0.250"),
    ("CLF", 30_005, "3.0005", "3.0005"),
    ("XYZ", 150, "1.50", "1.50"),
];

/// A browser that has other decimals for a currency than the standard, and is not to be asked.
const ANOTHER_OPINION: &str = "
    const NumberFormat = Intl.NumberFormat;
    const wrong = { HUF: 0, COP: 0, IDR: 0, ISK: 2, KWD: 2, JPY: 2, DKK: 0 };
    Intl.NumberFormat = function (locale, options = {}) {
        const digits = wrong[options.currency];
        const own = digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits };
        return new NumberFormat(locale, { ...own, ...options });
    };";

/// What a module's function gives in the page.
async fn gives(window: &Window, module: &str, call: &str, args: Value) -> Value {
    let script = format!(
        "const [path, args, done] = arguments;
        import(path).then((of) => done(args.map((given) => {call})), (error) => done(String(error)));"
    );
    let path = format!("/screens/{}/shared/{module}.js", SCREENS.version());
    window.awaits(&script, vec![json!(path), args]).await
}

/// Digits and what stands between them; the sign of the currency differs between browsers.
fn figures(shown: &Value) -> String {
    let text = shown.as_str().unwrap().replace(['\u{a0}', '\u{202f}'], " ");
    let kept: String = text.chars().filter(|c| c.is_ascii_digit() || ".,' ".contains(*c)).collect();
    kept.trim_matches([' ', '.', ',']).to_owned()
}

#[tokio::test]
async fn a_sum_is_the_same_in_every_language_and_browser() {
    let gym = Gym::on("pulsn-dk", json!({})).await;
    let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
    for opinion in ["", ANOTHER_OPINION] {
        let window = Window::phone().await;
        window.begins_with(opinion).await;
        gym.opens(&window, "/book", &ann).await;
        window.sees("All instructors").await;
        for (language, thousands, decimals) in [("en", ",", "."), ("da", ".", ","), ("lt", " ", ","), ("nb", " ", ",")]
        {
            let call = format!("of.formats({language:?}, 'Europe/Oslo', 'SEK').money(given)");
            let asked: Vec<Value> =
                SUMS.iter().map(|(currency, amount, ..)| json!({ "amount": amount, "currency": currency })).collect();
            let shown = gives(&window, "format", &call, json!(asked)).await;
            for (given, (currency, amount, english, _)) in shown.as_array().unwrap().iter().zip(SUMS) {
                let expected = english.replace(',', "T").replace('.', decimals).replace('T', thousands);
                assert_eq!(figures(given), expected, "{amount} {currency} in {language}: {given}");
            }
        }
        let asked: Vec<Value> = SUMS.iter().map(|(currency, amount, ..)| json!([amount, currency])).collect();
        let written = gives(&window, "money", "of.decimal(...given)", json!(asked)).await;
        let back = gives(&window, "money", "of.minor(of.whole(...given), given[1])", json!(asked)).await;
        for (at, (currency, amount, _, account)) in SUMS.into_iter().enumerate() {
            assert_eq!((&written[at], &back[at]), (&json!(account), &json!(amount)), "{amount} {currency}");
        }
    }
}

#[tokio::test]
async fn fees_are_typed_shown_and_exported_in_the_chains_own_units() {
    // A currency, its fee in minor units, how the form and the screens show it, what is typed then, and what that is.
    let stories = [
        ("HUF", 300_000, "3000", "HUF 3,000", "2500.5", 250_050, "3000.00"),
        ("KWD", 1_005, "1.005", "KWD 1.005", "2.5", 2_500, "1.005"),
        ("JPY", 500, "500", "¥500", "750", 750, "500"),
    ];
    for (currency, fee, typed, shown, changed, minor, account) in stories {
        let policy = json!({ "currency": currency, "cancel": { "late": "charged", "late_fee": fee } });
        let gym = Gym::on("pulsn-dk", policy).await;
        let ann = gym.member("ann", "Ann Lund", "+4511111111").await;
        let held = ann.books(&gym.class_in(70, json!({})).await).await;
        let window = Window::desktop().await;
        window.begins_with(ANOTHER_OPINION).await;
        gym.opens(&window, "/book", &ann).await;
        window.taps("#tab-mine").await;
        window.taps("#panel [data-action=cancel]").await;
        let words = async |css: &str| window.words_in(css).await.replace('\u{a0}', " ");
        window.sees_in("dialog .amount", currency_sign(shown)).await;
        assert!(words("dialog .amount").await.contains(shown), "{}", words("dialog .amount").await);
        ann.cancels(&held).becoming("late_cancelled").await;

        window.goes_to("about:blank").await;
        gym.opens(&window, "/", &gym.org.admin()).await;
        window.taps("#tab-fees").await;
        window.sees_in("table", "Ann Lund").await;
        assert!(words("table").await.contains(shown) && words(".tiles").await.contains(shown), "{currency}");
        let csv = window.runs("return document.querySelector('rc-day').sections.fees.csv()", vec![]).await;
        assert!(csv.as_str().unwrap().contains(&format!("\"{account}\",\"{currency}\"")), "{csv}");
        window.taps("#tab-rules").await;
        let field = "[aria-labelledby=rule-cancel-late_fee] input";
        window.comes_to(&format!("document.querySelector({field:?})?.value === {typed:?}")).await;
        assert!(words("[data-rule='cancel.late_fee']").await.contains(shown), "{currency}");
        window.types(field, &format!("{changed}\u{e004}")).await;
        window.taps_named("Save").await;
        window.taps_named("Change the rules").await;
        window.sees_in("#notes", "The new rules apply").await;
        let policy = gym.org.admin().get("/v1/org").await.body["policy"].clone();
        assert_eq!(policy["cancel"]["late_fee"], json!(minor), "{changed} {currency}");
    }
}

/// The part of a shown sum that has no blank.
fn currency_sign(shown: &str) -> &str {
    shown.split(' ').next_back().unwrap()
}
