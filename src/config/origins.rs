//! Origins of pages that may call, as browsers and app shells write them (RFC 6454, section 6.2).

/// The scheme and the port that it has without saying so: browsers leave that port out.
const DEFAULT_PORTS: [(&str, u16); 2] = [("http", 80), ("https", 443)];

/// A comma-separated list, each in lower case and without its default port. The error is the rest of a sentence that
/// begins with the setting's name.
pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    let given = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    given
        .map(|text| {
            origin(text).ok_or_else(|| {
                format!("holds {text:?}, not an origin such as https://gym.example or capacitor://localhost (no path)")
            })
        })
        .collect()
}

/// A scheme, a host and perhaps a port, and nothing after them.
fn origin(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (scheme, place) = text.split_once("://")?;
    let (host, port) = match place.rsplit_once(':') {
        // The last colon of an address in brackets is its own.
        Some((host, port)) if !port.ends_with(']') => (host, Some(number(port)?)),
        Some(_) | None => (place, None),
    };
    let sound = is_scheme(scheme) && (is_name(host) || is_address(host));
    let port = port.filter(|port| !DEFAULT_PORTS.contains(&(scheme, *port)));
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    sound.then(|| format!("{scheme}://{host}{port}"))
}

/// RFC 3986, section 3.1. Of a file's page browsers tell nothing.
fn is_scheme(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(letters) && text != "file"
}

/// Names beyond ASCII are written `xn--…`, as browsers do.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn is_address(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
}

/// As browsers write it: no sign, no zero in front.
fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port: &u16| *port > 0 && port.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_of_pages_and_of_app_shells_are_read() {
        for (given, read) in [
            ("https://gym.example", "https://gym.example"),
            ("HTTPS://Gym.Example", "https://gym.example"),
            ("https://gym.example:443", "https://gym.example"),
            ("http://gym.example:80", "http://gym.example"),
            ("http://gym.example:443", "http://gym.example:443"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("https://xn--trning-hua.example", "https://xn--trning-hua.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("ionic://localhost", "ionic://localhost"),
            ("tauri://localhost", "tauri://localhost"),
            ("app://obsidian.md", "app://obsidian.md"),
            ("app://-", "app://-"),
            ("com.gym-app+ios://localhost:80", "com.gym-app+ios://localhost:80"),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
            ("http://desk_1.intern", "http://desk_1.intern"),
        ] {
            assert_eq!(origins(given), Ok(vec![read.to_owned()]));
        }
        let list = origins(" https://app.example,capacitor://localhost , ,").unwrap();
        assert_eq!(list, ["https://app.example", "capacitor://localhost"]);
    }

    #[test]
    fn what_is_no_origin_is_told() {
        for bad in [
            "gym.example",
            "null",
            "*",
            "https://*.gym.example",
            "https://",
            "://gym.example",
            "https:gym.example",
            "https:/gym.example",
            "https://gym.example/",
            "https://gym.example/app",
            "capacitor://localhost/",
            "capacitor://",
            "capacitor:localhost",
            "1app://localhost",
            "my_app://localhost",
            "my app://localhost",
            "file://localhost",
            "https://gym.example?x",
            "https://gym.example#x",
            "https://ann@gym.example",
            "https://gym.example:",
            "https://gym.example:0",
            "https://gym.example:0443",
            "https://gym.example:+443",
            "https://gym.example:65536",
            "https://gym.example:https",
            "https://træning.example",
            "https://gym example",
            "http://[::1",
            "http://[gym]",
            "http://::1",
            "https://gym.example https://app.example",
        ] {
            let told = origins(bad).unwrap_err();
            assert!(told.starts_with("holds ") && told.contains("not an origin"), "{bad}: {told}");
        }
        assert!(
            origins("https://gym.example,null").unwrap_err().contains("\"null\""),
            "the one that is wrong is named"
        );
    }
}
