//! URLs of mapped hosts: found as people write them, and the same again after the way there and back.

use proptest::prelude::*;

use super::*;
use crate::rewrite::fuzz::cases;

fn mapping(pairs: &[(&str, &str)]) -> Mapping {
    let parse = |text: &str| Url::parse(text).unwrap();
    let pairs: Vec<Pair> =
        pairs.iter().map(|(origin, public)| Pair { origin: parse(origin), public: parse(public) }).collect();
    Mapping::new(&pairs)
}

fn shop() -> Mapping {
    mapping(&[
        ("https://www.shop.example", "http://shop.test:8080"),
        ("http://10.0.0.7:9000", "https://help.test"),
        ("https://id.shop.example", "https://id.test"),
    ])
}

fn found(text: &str) -> String {
    let shop = shop();
    let out = shop.to_public().everywhere(text.as_bytes());
    out.map_or_else(|| text.to_owned(), |out| String::from_utf8(out).unwrap())
}

#[test]
fn finds_a_host_in_every_spelling() {
    for (text, expected) in [
        ("https://www.shop.example/a", "http://shop.test:8080/a"),
        ("http://www.shop.example/a", "http://shop.test:8080/a"),
        ("http://www.shop.example:80", "http://shop.test:8080"),
        ("https://www.shop.example:443?q", "http://shop.test:8080?q"),
        ("HTTPS://WWW.Shop.Example#x", "http://shop.test:8080#x"),
        ("//www.shop.example", "//shop.test:8080"),
        ("wss://www.shop.example/live", "ws://shop.test:8080/live"),
        ("http://10.0.0.7:9000/x", "https://help.test/x"),
        ("ws://10.0.0.7:9000/x", "wss://help.test/x"),
        (r"https:\/\/www.shop.example\/a", r"http:\/\/shop.test:8080\/a"),
        (r#"{"a":"\/\/www.shop.example"}"#, r#"{"a":"\/\/shop.test:8080"}"#),
        ("?u=https%3A%2F%2Fwww.shop.example%2Fa", "?u=http%3A%2F%2Fshop.test%3A8080%2Fa"),
        ("?u=https%3a%2f%2fwww.shop.example&b", "?u=http%3A%2F%2Fshop.test%3A8080&b"),
        ("?u=http%3A%2F%2F10.0.0.7%3A9000%2Fa", "?u=https%3A%2F%2Fhelp.test%2Fa"),
        ("u%253Dhttps%253A%252F%252Fid.shop.example%252F", "u%253Dhttps%253A%252F%252Fid.test%252F"),
        ("https:&#x2F;&#x2F;id.shop.example&#x2F;a", "https:&#x2F;&#x2F;id.test&#x2F;a"),
        ("https&#58;//id.shop.example", "https&#58;//id.test"),
        (r"https:\u002F\u002Fid.shop.example\u002Fa", r"https:\u002F\u002Fid.test\u002Fa"),
        ("'https://id.shop.example'", "'https://id.test'"),
        ("https://id.shop.example&quot;", "https://id.test&quot;"),
        ("(https://id.shop.example)", "(https://id.test)"),
    ] {
        // A percent escape of ours is in upper case, whatever the other was.
        assert_eq!(found(text).to_lowercase(), expected.to_lowercase(), "{text}");
    }
}

#[test]
fn another_host_is_another_host() {
    for text in [
        "https://www.shop.example.evil/",
        "https://www.shop.example.",
        "https://www.shop.example@evil/",
        "https://www.shop.example:pw@evil/",
        "https://www.shop.example:443@evil/",
        "https://www.shop.example:8443/",
        "https://www.shop.example:99999/",
        "https://xwww.shop.example/",
        "https://www.shop.example-evil/",
        "https://evil/www.shop.example",
        "ftp://www.shop.example/",
        "xhttps://www.shop.example/",
        "www.shop.example",
        "/www.shop.example",
        "http://10.0.0.7/",
        "http://10.0.0.7:90000",
        "%2F%2Fwww.shop.example%2Eevil",
        "%2F%2Fwww.shop.example%40evil",
        "//www.shop.example%2Eevil",
        "https://www.shop.example&#46;evil",
        "https://user@www.shop.example/",
    ] {
        assert_eq!(found(text), text);
    }
}

#[test]
fn a_header_s_url_is_mapped_at_its_beginning_only() {
    let shop = shop();
    let url = |text: &str| shop.to_public().url(text);
    assert_eq!(
        url("https://id.shop.example/a?b=//id.shop.example").unwrap(),
        "https://id.test/a?b=//id.shop.example"
    );
    assert_eq!(url(" //id.shop.example").unwrap(), " //id.test");
    for text in
        ["", "/", "/a", "https:", "https:/id.shop.example", "x//id.shop.example", "?//id.shop.example"]
    {
        assert_eq!(url(text), None, "{text}");
    }
    assert_eq!(shop.to_public().origin("https://www.shop.example").unwrap(), "http://shop.test:8080");
    assert_eq!(shop.to_origin().origin("http://shop.test:8080").unwrap(), "https://www.shop.example");
    for text in ["null", "*", "https://www.shop.example/", "//www.shop.example"] {
        assert_eq!(shop.to_public().origin(text), None);
    }
}

#[test]
fn a_refresh_is_mapped_as_browsers_read_it() {
    let shop = shop();
    let refresh = |text: &str| shop.to_public().refresh(text);
    assert_eq!(
        refresh("0;url=https://id.shop.example/?u=https://id.shop.example").unwrap(),
        "0;url=https://id.test/?u=https://id.shop.example"
    );
    assert_eq!(refresh("5 ; URL = 'https://id.shop.example/'").unwrap(), "5 ; URL = 'https://id.test/'");
    assert_eq!(refresh("1, //id.shop.example").unwrap(), "1, //id.test");
    for text in
        ["", "5", "5;", "5; url=/a", "5; ur", "5;url", "0;\u{e9}", "0;url=/?u=https://id.shop.example"]
    {
        assert_eq!(refresh(text), None, "{text}");
    }
}

#[test]
fn the_first_pair_of_a_name_counts() {
    let shop = mapping(&[("http://o", "http://a"), ("http://o", "http://b")]);
    assert_eq!(shop.to_public().url("http://o/").unwrap(), "http://a/");
    assert_eq!(shop.to_origin().url("http://b/").unwrap(), "http://o/");
}

#[test]
fn a_cookie_keeps_its_company() {
    let several = mapping(&[
        ("https://www.shop.example", "https://www.cb.test"),
        ("https://id.shop.example", "https://id.cb.test"),
        ("https://other.example", "https://other.test"),
    ]);
    let shared = |text: &str| CookieDomain::Shared(text.to_owned());
    assert_eq!(several.cookie_domain("www.shop.example", ".Shop.example"), shared("cb.test"));
    assert_eq!(several.cookie_domain("www.shop.example", "www.shop.example"), shared("www.cb.test"));
    assert_eq!(several.cookie_domain("www.shop.example", "id.shop.example"), CookieDomain::Foreign);
    assert_eq!(several.cookie_domain("www.shop.example", "hop.example"), CookieDomain::Foreign);
    assert_eq!(several.cookie_domain("other.example", "other.example"), shared("other.test"));
    for publics in [["http://a.test", "http://b.test"], ["http://127.0.0.1:1", "http://127.0.0.1:2"]] {
        let apart = mapping(&[("https://a.o.example", publics[0]), ("https://b.o.example", publics[1])]);
        assert_eq!(apart.cookie_domain("a.o.example", "o.example"), CookieDomain::HostOnly);
    }
    let registry =
        mapping(&[("https://a.o.example", "https://a.co.uk"), ("https://b.o.example", "https://b.co.uk")]);
    assert_eq!(registry.cookie_domain("a.o.example", "o.example"), CookieDomain::HostOnly);
    let alone = mapping(&[("https://www.o.example", "http://localhost:8080")]);
    assert_eq!(alone.cookie_domain("www.o.example", "o.example"), CookieDomain::HostOnly);
}

#[test]
fn patterns_stand_for_all_that_they_cover() {
    let shop = shop();
    let covered: Vec<String> = shop.to_public().covered("shop.example").collect();
    assert_eq!(covered, ["http://shop.test:8080", "https://id.test"]);
    assert_eq!(shop.to_public().covered("www.shop.example").count(), 0);
}

/// What is found when the text comes in two pieces.
fn in_pieces(table: &Table, text: &[u8], cut: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut held: Vec<u8> = Vec::new();
    let mut before = b' ';
    for (piece, last) in [(&text[..cut], false), (&text[cut..], true)] {
        held.extend_from_slice(piece);
        let mut found = Vec::new();
        let open = table.search(before, &held, last, &mut found);
        let mut at = 0;
        for one in found {
            out.extend_from_slice(&held[at..one.start]);
            out.extend_from_slice(one.replacement().as_bytes());
            at = one.end;
        }
        out.extend_from_slice(&held[at..open]);
        before = held[..open].last().copied().unwrap_or(before);
        held.drain(..open);
    }
    assert!(held.is_empty());
    out
}

fn text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "https",
        "http",
        "wss",
        ":",
        "//",
        "/",
        "\\/\\/",
        "%3A",
        "%2F%2F",
        "%253A",
        "%252F%252F",
        "&#x2F;&#x2F;",
        "www.shop.example",
        "WWW.shop.EXAMPLE",
        "10.0.0.7",
        ":9000",
        "id.shop.example",
        ":443",
        ".",
        "@",
        "a",
        " ",
        "\"",
        "%",
        "&",
        "\u{e9}",
        "?u=",
        "www.",
    ]);
    prop::collection::vec(parts, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn the_round_trip_is_exact(
        host in prop::sample::select(vec!["https://www.shop.example", "http://10.0.0.7:9000", "https://id.shop.example"]),
        rest in "([/?#][ -~]{0,30})?",
    ) {
        let shop = shop();
        let url = format!("{host}{rest}");
        let public = shop.to_public().url(&url).unwrap();
        prop_assert!(!public.starts_with(host));
        prop_assert_eq!(shop.to_origin().url(&public).unwrap(), url.clone());
        // The same as the standard's own parser would have it.
        let (url, public) = (Url::parse(&url).unwrap(), Url::parse(&public).unwrap());
        prop_assert_eq!(url.path(), public.path());
        prop_assert_eq!(url.query(), public.query());
        prop_assert_eq!(url.fragment(), public.fragment());
    }

    #[test]
    fn what_is_mapped_is_of_a_mapped_host(text in text()) {
        let shop = shop();
        if let Some(mapped) = shop.to_public().url(&text) {
            let base = Url::parse("https://base.example/").unwrap();
            let host = |text: &str| base.join(text).map(|url| url.host_str().map(str::to_owned));
            // Both end a URL where it stands in HTML.
            prop_assume!(host(&text).is_ok() && !text.contains(['&', '"']));
            let from = host(&text).unwrap().unwrap();
            prop_assert!(["www.shop.example", "10.0.0.7", "id.shop.example"].contains(&&*from), "{} in {}", from, text);
            let to = host(&mapped).unwrap().unwrap();
            prop_assert!(["shop.test", "help.test", "id.test"].contains(&&*to));
        }
    }

    #[test]
    fn cuts_change_nothing(text in text(), cut in any::<prop::sample::Index>()) {
        let shop = shop();
        let whole = shop.to_public().everywhere(text.as_bytes()).unwrap_or_else(|| text.clone().into_bytes());
        let cut = cut.index(text.len() + 1);
        prop_assert_eq!(in_pieces(shop.to_public(), text.as_bytes(), cut), whole);
    }

    #[test]
    fn no_input_panics(text in prop::collection::vec(any::<u8>(), 0..200)) {
        shop().to_public().everywhere(&text);
    }
}
