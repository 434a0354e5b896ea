//! Laws of the CSP rewriter, judged by a small model of CSP Level 3's own algorithms.

use proptest::prelude::*;

use super::super::url::{Mapping, Pair};
use super::*;
use crate::rewrite::fuzz::cases;

fn page() -> Url {
    Url::parse("https://shop.example/cart").unwrap()
}

const LOADER: &str = "https://shop.example/.tandem/loader.js";
const BUNDLE: &str = "https://shop.example/.tandem/part/customer.js";
const US: &str = "https://shop.example/.tandem/loader.js https://shop.example/.tandem/part/";
const WIRE: &str = "https://shop.example/.tandem/ wss://shop.example/.tandem/";

fn enforce(value: &str) -> Line<'_> {
    Line { value, effect: Effect::Enforce }
}

fn rewritten(value: &str) -> (String, Option<String>) {
    let admission = admit(&[enforce(value)], &page(), || "FRESH".to_owned()).unwrap();
    (admission.lines[0].to_string(), admission.nonce.map(|nonce| nonce.value))
}

#[test]
fn adds_the_least_that_admits_us() {
    let wss = "wss://shop.example/.tandem/";
    for (policy, expected, nonce) in [
        // Nothing governs scripts or connections.
        ("", String::new(), None),
        ("img-src 'none'; frame-ancestors 'self'", "img-src 'none'; frame-ancestors 'self'".into(), None),
        // Admitted already.
        ("script-src 'self'", "script-src 'self'".into(), None),
        ("script-src *", "script-src *".into(), None),
        ("script-src https:", "script-src https:".into(), None),
        ("script-src http:", "script-src http:".into(), None),
        ("script-src shop.example", "script-src shop.example".into(), None),
        ("script-src https://shop.example/.tandem/", "script-src https://shop.example/.tandem/".into(), None),
        ("script-src *.example:443", "script-src *.example:443".into(), None),
        ("SCRIPT-SRC 'SELF' 'unsafe-inline'", "SCRIPT-SRC 'SELF' 'unsafe-inline'".into(), None),
        // Not admitted.
        ("script-src https://cdn.example", format!("script-src https://cdn.example {US}"), None),
        (
            "script-src cdn.example 'unsafe-inline'",
            format!("script-src cdn.example 'unsafe-inline' {US}"),
            None,
        ),
        ("script-src 'none'", format!("script-src {US}"), None),
        ("script-src", format!("script-src {US}"), None),
        ("script-src 'sha256-abc='", format!("script-src 'sha256-abc=' {US}"), None),
        ("script-src *.shop.example", format!("script-src *.shop.example {US}"), None),
        ("script-src shop.example:8443", format!("script-src shop.example:8443 {US}"), None),
        ("script-src http://shop.example/js/", format!("script-src http://shop.example/js/ {US}"), None),
        ("script-src shop.example.evil", format!("script-src shop.example.evil {US}"), None),
        // The most specific directive counts, the first of its name.
        (
            "script-src 'none'; script-src-elem 'self'",
            "script-src 'none'; script-src-elem 'self'".into(),
            None,
        ),
        (
            "script-src-elem 'none'; script-src 'self'",
            format!("script-src-elem {US}; script-src 'self'"),
            None,
        ),
        ("script-src 'self'; script-src 'none'", "script-src 'self'; script-src 'none'".into(), None),
        // `default-src` stays what it is for everything else.
        (
            "default-src 'none'; img-src *",
            format!("default-src 'none'; img-src *; script-src {US}; connect-src {WIRE}"),
            None,
        ),
        ("default-src 'self'", format!("default-src 'self'; connect-src 'self' {wss}"), None),
        (
            "default-src 'self' 'unsafe-inline' 'nonce-abc'",
            format!("default-src 'self' 'unsafe-inline' 'nonce-abc'; connect-src 'self' {wss}"),
            None,
        ),
        ("default-src *", "default-src *".into(), None),
        // Connections.
        ("connect-src 'self'", format!("connect-src 'self' {wss}"), None),
        ("connect-src 'self' wss:", "connect-src 'self' wss:".into(), None),
        ("connect-src 'none'", format!("connect-src {WIRE}"), None),
        ("connect-src https://api.example", format!("connect-src https://api.example {WIRE}"), None),
        // Nonces.
        ("script-src 'nonce-abc'", "script-src 'nonce-abc'".into(), Some("abc")),
        ("script-src 'self' 'nonce-abc'", "script-src 'self' 'nonce-abc'".into(), None),
        (
            "script-src 'strict-dynamic' 'nonce-abc' 'unsafe-inline' https:",
            "script-src 'strict-dynamic' 'nonce-abc' 'unsafe-inline' https:".into(),
            Some("abc"),
        ),
        (
            "script-src 'self' 'strict-dynamic' 'sha256-abc='",
            "script-src 'self' 'strict-dynamic' 'sha256-abc=' 'nonce-FRESH'".into(),
            Some("FRESH"),
        ),
        (
            "default-src 'strict-dynamic' 'sha256-abc='; connect-src *",
            "default-src 'strict-dynamic' 'sha256-abc='; connect-src *; \
             script-src 'strict-dynamic' 'sha256-abc=' 'nonce-FRESH'"
                .into(),
            Some("FRESH"),
        ),
        // A nonce that could break out of our tag is not one.
        ("script-src 'nonce-a\"b'", format!("script-src 'nonce-a\"b' {US}"), None),
    ] {
        let (text, found) = rewritten(policy);
        assert_eq!(text, expected, "for {policy:?}");
        assert_eq!(found.as_deref(), nonce, "for {policy:?}");
    }
}

#[test]
fn every_policy_admits_the_one_tag() {
    let lines = [
        enforce("script-src 'strict-dynamic' 'nonce-one', script-src 'nonce-two' 'strict-dynamic'"),
        Line { value: "script-src 'unsafe-inline' cdn.example", effect: Effect::Report },
        enforce("script-src 'self'"),
    ];
    let admission = admit(&lines, &page(), || unreachable!("the page has a nonce")).unwrap();
    assert_eq!(admission.nonce, Some(Nonce { value: "one".into(), reused: true }));
    assert_eq!(
        admission.lines[0],
        "script-src 'strict-dynamic' 'nonce-one', script-src 'nonce-two' 'strict-dynamic' 'nonce-one'"
    );
    assert_eq!(admission.lines[1], format!("script-src 'unsafe-inline' cdn.example {US}"));
    assert!(matches!(admission.lines[2], Cow::Borrowed("script-src 'self'")));
}

#[test]
fn a_sandboxed_page_is_left_alone() {
    let fresh = || unreachable!();
    for policy in ["sandbox", "sandbox allow-forms", "sandbox allow-scripts", "default-src *, sandbox"] {
        assert_eq!(admit(&[enforce(policy)], &page(), fresh), Err(Sandboxed), "{policy}");
        let report = Line { value: policy, effect: Effect::Report };
        assert!(admit(&[report], &page(), fresh).is_ok(), "{policy} is only reported");
    }
    assert!(admit(&[enforce("sandbox allow-scripts allow-same-origin")], &page(), fresh).is_ok());
}

#[test]
fn other_ports_and_schemes_are_spelled_out() {
    let page = Url::parse("http://localhost:8080/").unwrap();
    let admission = admit(&[enforce("default-src 'none'")], &page, String::new).unwrap();
    assert_eq!(
        admission.lines[0],
        "default-src 'none'; \
         script-src http://localhost:8080/.tandem/loader.js http://localhost:8080/.tandem/part/; \
         connect-src http://localhost:8080/.tandem/ ws://localhost:8080/.tandem/"
    );
}

// ---- a model of what a browser decides -------------------------------------------------------------------

fn list<'a>(policy: &Policy<'a>, names: &[&str]) -> Option<Vec<Cow<'a, str>>> {
    policy.effective(names).map(|at| policy.directives[at].values.0.clone())
}

/// Section 6.7.3.2: whether all inline scripts may run.
fn allows_inline(text: &str, names: &[&str]) -> bool {
    text.split(',').all(|text| {
        let Some(values) = list(&Policy::parse(text), names) else { return true };
        let mut all = false;
        for value in &values {
            let value = value.to_ascii_lowercase();
            if value.starts_with("'nonce-") || value.starts_with("'sha") || value == "'strict-dynamic'" {
                return false;
            }
            all |= value == "'unsafe-inline'";
        }
        all
    })
}

/// Section 6.1.11: whether a script from `url` may run; `nonce` and `parser` describe its element.
fn allows_script(text: &str, url: &str, nonce: Option<&str>, parser: bool) -> bool {
    let url = Url::parse(url).unwrap();
    text.split(',').all(|text| {
        let Some(values) = list(&Policy::parse(text), &["script-src-elem", "script-src", "default-src"])
        else {
            return true;
        };
        let values = SourceList(values);
        if nonce.is_some_and(|nonce| values.has_nonce(nonce)) {
            return true;
        }
        if values.has("'strict-dynamic'") {
            return !parser;
        }
        values.0.iter().any(|value| {
            (is(value, "'self'") && url.origin() == page().origin())
                || (!value.starts_with('\'')
                    && admits(&SourceList(vec![value.clone()]), &url, "https", url.path()))
        })
    })
}

fn allows_connection(text: &str, url: &str) -> bool {
    let url = Url::parse(url).unwrap();
    text.split(',').all(|text| {
        let Some(values) = list(&Policy::parse(text), &["connect-src", "default-src"]) else { return true };
        values.iter().any(|value| {
            (is(value, "'self'") && url.host() == page().host())
                || (!value.starts_with('\'')
                    && admits(&SourceList(vec![value.clone()]), &url, url.scheme(), url.path()))
        })
    })
}

fn policy() -> impl Strategy<Value = String> {
    let sources = prop::sample::subsequence(
        vec![
            "'self'",
            "'none'",
            "'unsafe-inline'",
            "'unsafe-eval'",
            "'strict-dynamic'",
            "'nonce-abc'",
            "'nonce-xyz'",
            "'sha256-q83v'",
            "'report-sample'",
            "https:",
            "wss:",
            "*",
            "https://cdn.example",
            "*.example",
            "shop.example",
            "https://shop.example/js/",
        ],
        0..5,
    );
    let name = prop::sample::select(vec![
        "script-src",
        "script-src-elem",
        "script-src-attr",
        "default-src",
        "connect-src",
        "img-src",
        "worker-src",
    ]);
    let directive = (name, sources).prop_map(|(name, sources)| format!("{name} {}", sources.join(" ")));
    let policy = prop::collection::vec(directive, 0..4).prop_map(|directives| directives.join("; "));
    prop::collection::vec(policy, 1..3).prop_map(|policies| policies.join(", "))
}

const ELEMENTS: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
const ATTRIBUTES: [&str; 3] = ["script-src-attr", "script-src", "default-src"];

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn admits_us_and_changes_nothing_else(before in policy()) {
        let (after, nonce) = rewritten(&before);
        let nonce = nonce.as_deref();
        prop_assert!(allows_script(&after, LOADER, nonce, true), "loader: {}", after);
        prop_assert!(allows_script(&after, BUNDLE, nonce, false), "bundle: {}", after);
        prop_assert!(allows_connection(&after, "https://shop.example/.tandem/resource"), "fetch: {}", after);
        prop_assert!(allows_connection(&after, "wss://shop.example/.tandem/socket"), "socket: {}", after);

        prop_assert_eq!(allows_inline(&before, &ELEMENTS), allows_inline(&after, &ELEMENTS), "{}", after);
        prop_assert_eq!(allows_inline(&before, &ATTRIBUTES), allows_inline(&after, &ATTRIBUTES), "{}", after);
        for url in ["https://evil.test/x.js", "https://shop.example/upload/x.js", "https://cdn.example/x.js"] {
            for nonce in [None, Some("abc"), Some("xyz"), Some("guess")] {
                for parser in [true, false] {
                    // The page's own nonce may come to count in a second policy: it is chosen by the site.
                    if nonce.is_some_and(|nonce| rewritten(&before).1.as_deref() == Some(nonce)) {
                        continue;
                    }
                    prop_assert_eq!(
                        allows_script(&before, url, nonce, parser),
                        allows_script(&after, url, nonce, parser),
                        "{} {:?} {}: {}", url, nonce, parser, after
                    );
                }
            }
            prop_assert_eq!(allows_connection(&before, url), allows_connection(&after, url), "{}: {}", url, after);
        }
    }

    #[test]
    fn no_input_panics(text in "\\PC*") {
        let _ = admit(&[enforce(&text)], &page(), || "n".to_owned());
    }
}

#[test]
fn hosts_get_their_public_names() {
    let url = |text: &str| Url::parse(text).unwrap();
    let pair = |origin: &str, public: &str| Pair { origin: url(origin), public: url(public) };
    let mapping = Mapping::new(&[
        pair("https://www.o.example", "http://shop.test:8080"),
        pair("https://img.o.example", "http://img.test"),
    ]);
    for (value, expected) in [
        ("img-src https://img.o.example/a/ 'self'", Some("img-src http://img.test/a/ 'self'")),
        ("img-src img.o.example", Some("img-src img.test")),
        ("img-src www.o.example:*/x", None),
        ("img-src www.o.example:*", Some("img-src shop.test:*")),
        ("connect-src wss://www.o.example", Some("connect-src ws://shop.test:8080")),
        (
            "img-src *.o.example/p; form-action 'none'",
            Some("img-src *.o.example/p http://shop.test:8080/p http://img.test/p; form-action 'none'"),
        ),
        ("report-uri https://www.o.example/r /r", Some("report-uri http://shop.test:8080/r /r")),
        ("default-src https: 'self'", Some("default-src https: http: 'self'")),
        ("upgrade-insecure-requests; img-src a", Some("img-src a")),
        ("img-src https://o.example https://elsewhere.example 'nonce-abc' data:", None),
        ("img-src a, img-src www.o.example", Some("img-src a, img-src shop.test:8080")),
    ] {
        assert_eq!(mapped(value, mapping.to_public(), false).as_deref(), expected, "{value}");
    }
    for value in ["upgrade-insecure-requests", "default-src https:"] {
        assert_eq!(mapped(value, mapping.to_public(), true), None);
    }
    assert!(pins(["img-src a;script-src 'SHA256-x'"].into_iter()));
    assert!(!pins(["img-src a;script-src 'nonce-sha256' sha256-x"].into_iter()));
}

#[test]
fn a_later_policy_admits_only_what_comes_later() {
    let later = |policy: &str| admit_later(policy, &page());
    let bundles = "https://shop.example/.tandem/part/";
    let (own, socket) = ("https://shop.example/.tandem/", "wss://shop.example/.tandem/");
    for (policy, expected) in [
        ("img-src 'none'", None),
        ("script-src 'self'; connect-src *", None),
        ("script-src 'strict-dynamic' 'nonce-abc'", None),
        ("script-src 'nonce-abc'", Some(format!("script-src 'nonce-abc' {bundles}"))),
        ("script-src 'none'", Some(format!("script-src {bundles}"))),
        ("connect-src 'none'", Some(format!("connect-src {own} {socket}"))),
        (
            "default-src 'none'; img-src a",
            Some(format!("default-src 'none'; img-src a; script-src {bundles}; connect-src {own} {socket}")),
        ),
    ] {
        assert_eq!(later(policy), expected, "{policy}");
    }
}

#[test]
fn the_loader_s_trusted_type_is_admitted_where_names_are_limited() {
    for (policy, expected) in [
        ("require-trusted-types-for 'script'", None),
        ("trusted-types *", None),
        ("trusted-types a tandem", None),
        ("trusted-types a 'allow-duplicates'", Some("trusted-types a 'allow-duplicates' tandem")),
        ("trusted-types 'none'", Some("trusted-types tandem")),
        ("trusted-types", Some("trusted-types tandem")),
    ] {
        let line = Line { value: policy, effect: Effect::Enforce };
        let admitted = admit(&[line], &page(), || unreachable!()).unwrap();
        assert_eq!(admitted.lines, [expected.unwrap_or(policy)]);
        assert_eq!(admit_later(policy, &page()).as_deref(), expected);
    }
}
