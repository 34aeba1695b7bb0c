//! A window of a real Chromium, driven over WebDriver: what somebody sees, taps and types.
//!
//! One chromedriver a test run, on a free port; each window is a session of its own, with an empty profile. Waiting is
//! for what should be there, never for time to pass.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long something may take to show; a busy machine starts a browser slowly.
const WAIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(40);

const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP rollcall.example 127.0.0.1",
];

/// Keys that are no letters, as WebDriver names them.
pub mod key {
    pub const ENTER: &str = "\u{e007}";
    pub const ESCAPE: &str = "\u{e00c}";
    pub const LEFT: &str = "\u{e012}";
    pub const RIGHT: &str = "\u{e014}";
}

/// Widths and heights of the two kinds of device.
pub const PHONE: (u32, u32) = (390, 844);
pub const DESKTOP: (u32, u32) = (1280, 900);

/// The driver, for as long as the process lives; it is ended by whoever started it, through its standard input.
fn driver() -> &'static str {
    static DRIVER: OnceLock<(String, Child)> = OnceLock::new();
    let (url, _) = DRIVER.get_or_init(|| {
        // The shell waits for the end of the tests, which closes its input, and takes the driver with it.
        let script = "chromedriver --port=0 & driver=$!; cat >/dev/null; kill $driver";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = said.expect("chromedriver cannot be started: run scripts/deps, which installs it and Chromium");
        std::thread::spawn(move || lines.for_each(drop));
        (format!("http://127.0.0.1:{port}"), child)
    });
    url
}

/// Somebody's window.
pub struct Window {
    client: Client,
    http: reqwest::Client,
    session: String,
    _profile: TempDir,
}

impl Window {
    /// A new window of this size, whose reader prefers `language`.
    pub async fn open(size: (u32, u32), language: &str) -> Window {
        Window::with(size, json!({ "intl.accept_languages": language })).await
    }

    /// A window of a browser that keeps nothing for any page.
    pub async fn that_keeps_nothing() -> Window {
        let blocked = 2;
        let name = "profile.default_content_setting_values.cookies";
        Window::with(PHONE, json!({ "intl.accept_languages": "en-GB", name: blocked })).await
    }

    async fn with((width, height): (u32, u32), preferences: Value) -> Window {
        let profile = TempDir::with_prefix("rollcall-chromium-").expect("a profile");
        let mut args: Vec<String> = FLAGS.map(str::to_owned).into();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": args, "prefs": preferences },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(driver())
            .await
            .expect("a browser");
        let session = client.session_id().await.unwrap().expect("a session");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let window = Window { client, http, session, _profile: profile };
        window.is(width, height).await;
        window
    }

    pub async fn phone() -> Window {
        Window::open(PHONE, "en-GB").await
    }

    pub async fn desktop() -> Window {
        Window::open(DESKTOP, "en-GB").await
    }

    /// A device of this size; a headless window alone cannot be as narrow as a phone.
    pub async fn is(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        self.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true })).await;
    }

    /// The device's appearance: `light` or `dark`.
    pub async fn appears(&self, scheme: &str) {
        self.prefers("prefers-color-scheme", scheme).await;
    }

    /// What the device asks of every page, such as less motion.
    pub async fn prefers(&self, feature: &str, value: &str) {
        let media = json!({ "features": [{ "name": feature, "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Where the device is.
    pub async fn is_in(&self, zone: &str) {
        self.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
    }

    /// Runs a script in each page from now on, before its own.
    pub async fn begins_with(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        let url = format!("{}/session/{}/goog/cdp/execute", driver(), self.session);
        let body = json!({ "cmd": command, "params": params });
        let answer = self.http.post(url).json(&body).send().await.expect("the driver answers");
        answer.json::<Value>().await.expect("JSON")["value"].take()
    }

    pub async fn goes_to(&self, url: &str) {
        self.client.goto(url).await.expect("the page");
    }

    pub async fn address(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// What a script gives.
    pub async fn runs(&self, script: &str, args: Vec<Value>) -> Value {
        self.client.execute(script, args).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What a script gives in the end: its last argument is what it calls with it.
    pub async fn awaits(&self, script: &str, args: Vec<Value>) -> Value {
        self.client.execute_async(script, args).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// All words in the element that `css` finds, as they are shown; empty where it is not there.
    pub async fn words_in(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        self.runs(script, vec![json!(css)]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the element that `css` finds shows these words.
    pub async fn sees_in(&self, css: &str, words: &str) {
        self.until(&format!("{words:?} in {css}"), async || self.words_in(css).await.contains(words)).await;
    }

    pub async fn sees(&self, words: &str) {
        self.sees_in("body", words).await;
    }

    /// Waits until the words are no longer there.
    pub async fn misses(&self, css: &str, words: &str) {
        self.until(&format!("no {words:?} in {css}"), async || !self.words_in(css).await.contains(words)).await;
    }

    /// Waits until a script's expression is true.
    pub async fn comes_to(&self, expression: &str) {
        let script = format!("return {expression}");
        self.until(expression, async || self.runs(&script, vec![]).await == true).await;
    }

    async fn until(&self, what: &str, there: impl AsyncFn() -> bool) {
        let waited = tokio::time::timeout(WAIT, async {
            while !there().await {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        });
        if waited.await.is_err() {
            panic!("waited in vain for {what}; shown is:\n{}\n{}", self.words_in("body").await, self.said().await);
        }
    }

    /// What the page wrote to the console.
    pub async fn said(&self) -> String {
        let url = format!("{}/session/{}/se/log", driver(), self.session);
        let answer = self.http.post(url).json(&json!({ "type": "browser" })).send().await.expect("the driver answers");
        let lines = answer.json::<Value>().await.expect("JSON")["value"].take();
        let lines = lines.as_array().into_iter().flatten();
        lines.filter_map(|line| line["message"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Taps what `css` finds, as soon as it is there and nothing covers it.
    pub async fn taps(&self, css: &str) {
        let what = format!("something to tap at {css}");
        let tapped = async || match self.client.find(Locator::Css(css)).await {
            Ok(found) => {
                let middle = "document.querySelector(arguments[0])?.scrollIntoView({ block: 'center' })";
                self.runs(middle, vec![json!(css)]).await;
                found.click().await.is_ok()
            }
            Err(_) => false,
        };
        self.until(&what, tapped).await;
    }

    /// Taps the button with this name, which is its label for screen readers or its words.
    pub async fn taps_named(&self, name: &str) {
        let quoted = format!("\"{name}\"");
        let path =
            format!("(//dialog//button|//button)[@aria-label={quoted} or normalize-space(.)={quoted}][not(@disabled)]");
        let what = format!("a button {name:?}");
        let tapped = async || {
            let found = self.client.find_all(Locator::XPath(&path)).await.unwrap_or_default();
            for button in found.into_iter().rev() {
                let shown = vec![serde_json::to_value(&button).expect("a reference")];
                let _ = self.client.execute("arguments[0].scrollIntoView({ block: 'center' })", shown).await;
                if button.click().await.is_ok() {
                    return true;
                }
            }
            false
        };
        self.until(&what, tapped).await;
    }

    /// Presses keys, one of [`key`] or letters, where the focus is.
    pub async fn presses(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.unwrap_or_else(|error| panic!("pressing {keys:?}: {error}"));
    }

    /// Puts the focus on what `css` finds, as soon as it is there.
    pub async fn focuses(&self, css: &str) {
        let script = "document.querySelector(arguments[0])?.focus()";
        self.until(&format!("{css} to take the focus"), async || {
            self.runs(script, vec![json!(css)]).await;
            self.is_focused(css).await
        })
        .await;
    }

    async fn is_focused(&self, css: &str) -> bool {
        let script = "return document.activeElement === document.querySelector(arguments[0])";
        self.runs(script, vec![json!(css)]).await == json!(true)
    }

    /// Waits until what `css` finds has the focus.
    pub async fn has_focus_on(&self, css: &str) {
        self.until(&format!("the focus on {css}"), async || self.is_focused(css).await).await;
    }

    /// Waits until a script gives true.
    pub async fn finds(&self, what: &str, script: &str) {
        self.until(what, async || self.runs(script, vec![]).await == json!(true)).await;
    }

    /// Clears a field and types into it.
    pub async fn types(&self, css: &str, text: &str) {
        let typed = async || match self.client.find(Locator::Css(css)).await {
            Ok(field) => field.clear().await.is_ok() && field.send_keys(text).await.is_ok(),
            Err(_) => false,
        };
        self.until(&format!("a field {css}"), typed).await;
    }

    /// The page as a picture, all of it.
    pub async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture")
    }
}

impl Drop for Window {
    /// Ends the session, and with it the browser, also when the test fails: a driver that ends leaves its browsers
    /// running.
    fn drop(&mut self) {
        let address = driver().trim_start_matches("http://");
        let Ok(mut line) = TcpStream::connect(address) else { return };
        let request =
            format!("DELETE /session/{} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n", self.session);
        let _ = line.set_read_timeout(Some(WAIT));
        if line.write_all(request.as_bytes()).is_ok() {
            // The answer comes when the browser has ended.
            let _ = line.read(&mut [0; 512]);
        }
    }
}
