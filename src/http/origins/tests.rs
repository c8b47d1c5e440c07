use super::*;

fn origins(allowed: &[&str], public: &str, proxies: usize) -> Origins {
    let allowed = allowed.iter().map(|text| Origin::parse(text).unwrap());
    let public = match public {
        "" => PublicUrls::default(),
        public => PublicUrls::parse(public).unwrap(),
    };
    Origins {
        allowed: allowed.collect(),
        public,
        proxies,
    }
}

fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for &(name, value) in headers {
        map.append(name, value.parse().unwrap());
    }
    map
}

fn verdict(allowed: &[&str], proxies: usize, headers: &[(&'static str, &str)]) -> OriginVerdict {
    origins(allowed, "", proxies).judge(&map(headers))
}

fn passes(origin: &str, host: &str) -> bool {
    let allowed = [
        "https://portal.example.com",
        "http://10.0.0.1:8080",
        "wss://socket.example.com",
        "capacitor://localhost",
        "app://main:1",
    ];
    let headers = [("origin", origin), ("host", host)];
    match verdict(&allowed, 0, &headers) {
        OriginVerdict::Allowed(given) => given == origin,
        OriginVerdict::Refused => false,
        OriginVerdict::None => panic!("there is an origin"),
    }
}

#[test]
fn allowed_origins_pass_and_nothing_that_looks_like_them() {
    for origin in [
        "https://portal.example.com",
        "https://portal.example.com:443",
        "https://Portal.Example.COM",
        "wss://portal.example.com",
        "http://10.0.0.1:8080",
        "ws://10.0.0.1:8080",
        "https://socket.example.com",
        "capacitor://localhost",
        "Capacitor://LOCALHOST",
        "app://main:1",
    ] {
        assert!(passes(origin, "gw"), "{origin}");
    }
    for origin in [
        "",
        "null",
        "portal.example.com",
        "http://portal.example.com",
        "ws://portal.example.com",
        "https://portal.example.com:444",
        "https://portal.example.com:",
        "https://portal.example.com:0443x",
        "https://portal.example.com.",
        "https://portal.example.com/",
        "https://portal.example.com.evil.com",
        "https://evilportal.example.com",
        "https://evil.com/https://portal.example.com",
        "https://portal.example.com@evil.com",
        "https://evil.com@portal.example.com",
        "https://user:password@portal.example.com",
        "https://portal.example.com evil",
        "https://portal.example.com,https://evil.com",
        "https://portal.example.com https://evil.com",
        "https://portal.example.com#",
        "https://portal.example.com?",
        "https://portal.example.com\\.evil.com",
        "https:portal.example.com",
        "ftp://portal.example.com",
        "file://",
        "https://",
        "http://10.0.0.1",
        "http://10.0.0.1:80800",
        "http://[::1",
        "capacitor://localhost:80",
        "capacitor://localhost.evil.com",
        "capacitor2://localhost",
        "ionic://localhost",
        "http://localhost",
        "app://main",
    ] {
        assert!(!passes(origin, "gw"), "{origin}");
    }
}

#[test]
fn its_own_origin_passes_by_host_and_port() {
    for (origin, host, own) in [
        ("https://gw.example.com", "gw.example.com", true),
        ("https://gw.example.com", "gw.example.com:443", true),
        ("https://gw.example.com", "GW.example.com", true),
        ("http://gw.example.com", "gw.example.com", true),
        ("wss://gw.example.com", "gw.example.com", true),
        ("ws://gw.example.com", "gw.example.com", true),
        ("ws://127.0.0.1:3012", "127.0.0.1:3012", true),
        ("http://127.0.0.1:3012", "127.0.0.1:3012", true),
        ("http://[::1]:3012", "[0:0::1]:3012", true),
        ("https://gw.example.com", "gw.example.com:80", false),
        ("http://gw.example.com:3012", "gw.example.com", false),
        ("http://gw.example.com", "gw.example.com:3012", false),
        ("http://x.gw.example.com", "gw.example.com", false),
        ("http://gw.example.com", "x.gw.example.com", false),
        ("http://gw.example.com", "", false),
        ("ionic://gw.example.com", "gw.example.com", false),
        ("null", "null", false),
    ] {
        assert_eq!(passes(origin, host), own, "{origin} at {host}");
    }
}

#[test]
fn which_host_was_asked_for_is_a_proxys_word_only_if_there_is_one() {
    let origin = ("origin", "https://gw.example.com");
    let inner = ("host", "gateway:3012");
    let outer = ("x-forwarded-host", "evil.example, gw.example.com");
    let refused = verdict(&[], 0, &[origin, inner, outer]);
    assert_eq!(refused, OriginVerdict::Refused);
    let allowed = |headers: &[_]| verdict(&[], 1, headers) != OriginVerdict::Refused;
    assert!(allowed(&[origin, inner, outer]));
    assert!(allowed(&[origin, ("host", "gw.example.com")]));
    assert!(!allowed(&[origin, inner]));
    let evil = ("origin", "https://evil.example");
    assert!(!allowed(&[evil, inner, outer]));
}

#[test]
fn what_a_proxy_says_of_scheme_and_port_counts_as_well() {
    for (origin, host, proto, port, own) in [
        ("https://gw.example", "gw.example", "https", "443", true),
        ("https://gw.example", "gw.example", "wss", "", true),
        ("http://gw.example", "gw.example", "https", "443", false),
        ("https://gw.example", "gw.example", "http", "80", false),
        ("https://gw.example:8443", "gw.example", "", "8443", true),
        // What listens on another port within: the proxy is called by the usual one.
        ("https://gw.example", "gw.example", "https", "8443", true),
        ("https://gw.example", "gw.example:8443", "", "443", false),
        ("https://gw.example:8443", "gw.example", "", "", false),
    ] {
        let mut headers = vec![("origin", origin), ("host", host)];
        headers.extend([("x-forwarded-proto", proto), ("x-forwarded-port", port)]);
        let passes = verdict(&[], 1, &headers) != OriginVerdict::Refused;
        assert_eq!(passes, own, "{headers:?}");
        let passes = verdict(&[], 0, &headers) != OriginVerdict::Refused;
        let by_host = origin.ends_with("gw.example") && host == "gw.example";
        assert_eq!(passes, by_host, "{headers:?} without proxies");
    }
}

#[test]
fn what_the_gateway_is_called_outside_is_all_that_counts_if_it_is_known() {
    let origins = origins(
        &["https://portal.example"],
        "https://gw.example/realtime, http://gw.internal:8080/realtime",
        1,
    );
    for (origin, passes) in [
        ("https://gw.example", true),
        ("wss://gw.example", true),
        ("http://gw.internal:8080", true),
        ("https://portal.example", true),
        ("http://gw.example", false),
        ("https://gw.example:8443", false),
        ("http://gateway:3012", false),
        ("https://forwarded.example", false),
    ] {
        let headers = map(&[
            ("origin", origin),
            ("host", "gateway:3012"),
            ("x-forwarded-host", "forwarded.example"),
        ]);
        let verdict = origins.judge(&headers);
        assert_eq!(verdict != OriginVerdict::Refused, passes, "{origin}");
    }
}

#[test]
fn none_is_no_browsers_and_two_are_nobodys() {
    assert_eq!(verdict(&[], 0, &[("host", "gw")]), OriginVerdict::None);
    let gw = ("origin", "http://gw");
    let twice = [gw, gw, ("host", "gw")];
    assert_eq!(verdict(&[], 0, &twice), OriginVerdict::Refused);
    let hosts = [gw, ("host", "gw"), ("host", "gw")];
    assert_eq!(verdict(&[], 0, &hosts), OriginVerdict::Refused);
}

#[test]
fn the_advice_is_what_to_write() {
    let advice = |allowed: &[&str], public: &str, origin: &str| {
        origins(allowed, public, 0).advice(&map(&[("origin", origin)]))
    };
    assert_eq!(
        advice(&[], "", "https://portal.example.com:8443"),
        "set PUBLIC_URL=https://portal.example.com:8443 if that is what the gateway is called \
         outside, or ALLOWED_ORIGINS=https://portal.example.com:8443 if it is another page's"
    );
    let more = advice(&[], "https://a.example/x", "https://b.example");
    assert!(more.starts_with("add PUBLIC_URL=https://b.example/x "));
    assert_eq!(
        advice(&[], "", "capacitor://localhost"),
        "set ALLOWED_ORIGINS=capacitor://localhost if that is an app of yours"
    );
    assert!(advice(&[], "", "null").contains("allow-same-origin"));
    for origin in ["file://", "x", "https://a.example/; rm"] {
        assert!(advice(&[], "", origin).contains("cannot be allowed"));
    }
    let headers = [("origin", "https://a.example"), ("x-forwarded-host", "a")];
    let proxied = origins(&[], "", 0).advice(&map(&headers));
    assert!(proxied.ends_with("counts with TRUSTED_PROXIES alone"));
    let proxied = origins(&[], "", 1).advice(&map(&headers));
    assert!(!proxied.contains("TRUSTED_PROXIES"));
}
