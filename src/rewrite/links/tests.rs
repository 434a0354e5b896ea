//! Bodies with URLs of mapped hosts: what is mapped, what is not, and the same however they are cut.

use proptest::prelude::*;

use super::*;
use crate::rewrite::fuzz::cases;
use crate::rewrite::url::Pair;

fn mapping() -> Arc<Mapping> {
    let pair = |origin: &str, public: &str| Pair {
        origin: Url::parse(origin).unwrap(),
        public: Url::parse(public).unwrap(),
    };
    Arc::new(Mapping::new(&[
        pair("https://www.o.example", "http://shop.test:8080"),
        pair("https://id.o.example", "http://id.test"),
    ]))
}

fn task(language: Language) -> Task {
    Task {
        language,
        iso_2022_jp: true,
        mapping: Some(mapping()),
        scripts: Scripts::default(),
        url: Url::parse("https://shop.test/").unwrap(),
        admits_us: true,
    }
}

fn run_in(task: Task, pieces: &[&[u8]]) -> (Vec<u8>, Vec<String>) {
    let (mut links, mut out) = (Links::new(task), Vec::new());
    for piece in pieces {
        links.push(Bytes::copy_from_slice(piece), &mut |piece| out.extend_from_slice(&piece));
    }
    let mut pins = links.take_pins();
    links.finish(&mut |piece| out.extend_from_slice(&piece));
    pins.extend(links.take_pins());
    (out, pins)
}

fn run(task: Task, text: &str) -> String {
    String::from_utf8(run_in(task, &[text.as_bytes()]).0).unwrap()
}

fn html(text: &str) -> String {
    run(task(Language::Html), text)
}

const O: &str = "https://www.o.example";
const P: &str = "http://shop.test:8080";

#[test]
fn urls_of_a_page_are_mapped() {
    for text in [
        "<a href=\"$/x\">",
        "<a href=' $/x'>",
        "<a href=$/x>",
        "<a HREF=$>",
        "<img src=\"$/a\" srcset=\"$/a 1x, $/b 2x,$/c 3x\">",
        "<link imagesrcset='$/a 1x'>",
        "<form action='$/x'><button formaction='$'>",
        "<a ping='$/a $/b' href=/>",
        "<video poster='$/x'>",
        "<base href='$/x/'>",
        "<svg><use xlink:href='$/x#y'/></svg>",
        "<p style=\"background:url($/x)\">",
        "<p style=\"background:url('$/x')\">",
        "<p style='background:url(&quot;$/x&quot;)'>",
        "<style>@import \"$/x\";a{b:url($/x)}c{d:url( '$/x' )}</style>",
        "<meta http-equiv=refresh content='0; url=$/x'>",
        "<meta content='0; url=$/x' http-equiv='Refresh'>",
        "<img data-src='$/x'><img data-srcset='$/x 1x'>",
        "<iframe srcdoc=\"<a href='$/x'>\">",
        "<a href=\"$/x?u=%2F\">",
        "<object data='$/x'><noscript><img src='$/x'></noscript>",
    ] {
        assert_eq!(html(&text.replace('$', O)), text.replace('$', P));
        assert_eq!(
            html(&text.replace('$', "//www.o.example")),
            text.replace('$', "//shop.test:8080"),
            "{text}"
        );
    }
    assert_eq!(
        html("<a href='https:&#x2F;&#x2F;id.o.example&#x2F;'>"),
        "<a href='http:&#x2F;&#x2F;id.test&#x2F;'>"
    );
    // Two hosts in one tag.
    assert_eq!(
        html("<a href='https://id.o.example' data-x='//www.o.example/'>"),
        "<a href='http://id.test' data-x='//shop.test:8080/'>"
    );
}

#[test]
fn what_is_no_url_of_the_page_stays() {
    for text in [
        "https://www.o.example/",
        "<p>https://www.o.example/</p><title>https://www.o.example</title>",
        "<!-- <a href='https://www.o.example'> -->",
        "<input value='https://www.o.example/'>",
        "<img alt='https://www.o.example/' title='https://www.o.example/'>",
        "<a href='https://login.example/?back=https://www.o.example/'>",
        "<a href='https://login.example/?back=https%3A%2F%2Fwww.o.example%2F'>",
        "<a href='/?back=//www.o.example/'>",
        "<a href='https%3A%2F%2Fwww.o.example%2F'>",
        "<script>location='https://www.o.example/'</script>",
        "<script type='application/json'>{\"a\":\"https://www.o.example/\"}</script>",
        "<p data-x='{\"a\":\"https://www.o.example/\"}'>",
        "<textarea><a href='https://www.o.example'></textarea>",
        "<style>a{b:url(https://login.example/?https://www.o.example)}</style>",
        "<meta name=x content='https://www.o.example/'>",
        "<meta http-equiv=x content='0;url=https://www.o.example/'>",
    ] {
        assert_eq!(html(text), text);
    }
}

#[test]
fn code_is_mapped_where_the_site_says_so() {
    let with = |language, json, javascript, text: &str| {
        run(Task { scripts: Scripts { json, javascript, pinned: false }, ..task(language) }, text)
    };
    let json = r#"{"a":"https:\/\/www.o.example\/x","b":"\/\/id.o.example","c":["https://id.o.example/"]}"#;
    let mapped = r#"{"a":"http:\/\/shop.test:8080\/x","b":"\/\/id.test","c":["http://id.test/"]}"#;
    assert_eq!(with(Language::Json, true, false, json), mapped);
    let wrap = |text: &str| format!("<script type=application/json>{text}</script><p data-x='{text}'>");
    assert_eq!(with(Language::Html, true, false, &wrap(json)), wrap(mapped));
    let program =
        "a='https://id.o.example/'+`//id.o.example/` //id.o.example\n/*'x' ?u=https%3A%2F%2Fid.o.example*/";
    let mapped = "a='http://id.test/'+`//id.test/` //id.o.example\n/*'x' ?u=https%3A%2F%2Fid.o.example*/";
    assert_eq!(with(Language::JavaScript, false, true, program), mapped);
    let wrap = |text: &str| format!("<script>{text}</script>");
    assert_eq!(with(Language::Html, false, true, &wrap(program)), wrap(mapped));
    assert_eq!(with(Language::Html, true, false, &wrap(program)), wrap(program));
    let css = "@import url(//id.o.example/a.css);a{b:url( \"https://id.o.example/\")}/* a//id.o.example */";
    assert_eq!(
        with(Language::Css, false, false, css),
        css.replace("(//id.o.example", "(//id.test").replace("\"https://id.o.example", "\"http://id.test")
    );
}

#[test]
fn what_a_policy_pins_stays() {
    let pinned =
        Task { scripts: Scripts { json: true, javascript: true, pinned: true }, ..task(Language::Html) };
    let text = "<style>a{b:url(https://id.o.example)}</style><script>'https://id.o.example'</script>";
    assert_eq!(run(pinned, text), text);
    // A policy in the page itself counts from there on.
    let meta = "<meta http-equiv=content-security-policy content=\"style-src 'sha256-x'\">";
    assert_eq!(html(&format!("{meta}{text}")), format!("{meta}{text}"));
}

#[test]
fn pinned_addresses_are_told() {
    let text = "<link rel=stylesheet href=\"/a.css?b&amp;c\" integrity='sha256-x'><link href=/b.css>";
    let whole = run_in(task(Language::Html), &[text.as_bytes()]);
    assert_eq!(
        (whole.0.as_slice(), whole.1.as_slice()),
        (text.as_bytes(), &["https://shop.test/a.css?b&c".to_owned()][..])
    );
    for cut in 0..text.len() {
        let (out, pins) = run_in(task(Language::Html), &[&text.as_bytes()[..cut], &text.as_bytes()[cut..]]);
        assert_eq!((out, pins), whole, "cut at {cut}");
    }
}

#[test]
fn pinned_addresses_are_absolute() {
    let text = "<base href='//id.o.example/x/'><base href=/y/><script src=a.js integrity=x></script>\
                <link integrity=x href='https://www.o.example/b.css'>";
    assert_eq!(
        run_in(task(Language::Html), &[text.as_bytes()]).1,
        ["https://id.test/x/a.js", "http://shop.test:8080/b.css"]
    );
}

#[test]
fn a_policy_in_the_page_admits_us() {
    let same_host = Task { mapping: None, ..task(Language::Html) };
    let policy =
        |text: &str| format!("<head><meta content=\"{text}\" http-equiv=\"Content-Security-Policy\"><p>");
    let admitted = "script-src &#39;nonce-a&#39; https://shop.test/.tandem/part/";
    let strict = policy("script-src 'nonce-a'");
    assert_eq!(run(same_host.clone(), &strict), policy(admitted));
    assert_eq!(run(same_host.clone(), &policy("script-src &#39;nonce-a&#39;")), policy(admitted));
    assert_eq!(
        run(same_host.clone(), &policy("script-src 'self'; connect-src *")),
        policy("script-src 'self'; connect-src *")
    );
    for cut in 0..strict.len() {
        let (out, _) = run_in(same_host.clone(), &[&strict.as_bytes()[..cut], &strict.as_bytes()[cut..]]);
        assert_eq!(String::from_utf8(out).unwrap(), policy(admitted), "cut at {cut}");
    }
    let in_script = format!("<script>'{strict}'</script>");
    assert_eq!(run(same_host.clone(), &in_script), in_script);
    assert_eq!(
        run(same_host, "<meta http-equiv=Content-Security-Policy content=default-src>"),
        "<meta http-equiv=Content-Security-Policy content=\"default-src; script-src https://shop.test/.tandem/part/; \
         connect-src https://shop.test/.tandem/ wss://shop.test/.tandem/\">"
    );
}

#[test]
fn a_policy_counts_only_before_the_body() {
    let same_host = Task { mapping: None, ..task(Language::Html) };
    let policy = "<meta http-equiv=Content-Security-Policy content=default-src>";
    let admitted = run(same_host.clone(), policy);
    for (before, counts) in [
        ("<head></head><body>", false),
        ("<HEAD></HEAD><BODY class=x>", false),
        ("<head><title><body></title>", true),
        ("<head><!-- <body> -->", true),
        ("<head><noscript><body></noscript>", true),
        ("<head><noscript></noscript></head><body>", false),
        ("<head><template><body></template>", true),
        ("<head><meta content='<body>'>", true),
    ] {
        let text = format!("{before}{policy}");
        let expected = format!("{before}{}", if counts { &admitted } else { policy });
        for cut in 0..text.len() {
            let (out, _) = run_in(same_host.clone(), &[&text.as_bytes()[..cut], &text.as_bytes()[cut..]]);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "cut at {cut}");
        }
    }
}

#[test]
fn a_page_is_let_go_where_its_body_begins() {
    let mut links = Links::new(Task { mapping: None, ..task(Language::Html) });
    links.push(Bytes::from_static(b"<head><title>x</title></head>"), &mut |_| ());
    assert!(!links.is_done());
    links.push(Bytes::from_static(b"<body><p>"), &mut |_| ());
    assert!(links.is_done());
    assert_eq!(links.behind_length, 0, "what was passed on is not kept");
}

#[test]
fn nothing_is_held_back_but_the_beginning_of_something() {
    let (mut links, mut out) = (Links::new(task(Language::Html)), Vec::new());
    links.push(Bytes::from_static(b"<p>loading</p> <a href=\"https://www.o"), &mut |piece| {
        out.extend_from_slice(&piece)
    });
    assert_eq!(out, b"<p>loading</p> <a href=\"");
    links.push(Bytes::from_static(b"ut.example/\">"), &mut |piece| out.extend_from_slice(&piece));
    assert_eq!(out, b"<p>loading</p> <a href=\"https://www.out.example/\">");
    links
        .push(Bytes::from(format!("<meta {}", "x".repeat(HOLD))), &mut |piece| out.extend_from_slice(&piece));
    assert!(out.len() > HOLD, "a tag that never ends is not waited for");
}

#[test]
fn a_piece_without_anything_is_not_copied() {
    let piece = Bytes::from(vec![b'x'; 50_000]);
    let mut links = Links::new(task(Language::Html));
    for _ in 0..5 {
        links.push(piece.clone(), &mut |out| assert_eq!(out.as_ptr(), piece.as_ptr()));
        assert!(links.behind_length <= BEHIND);
    }
    links.push(Bytes::from_static(b"<a href=\"https://www.o.example\">"), &mut |out| {
        assert_eq!(&out[..], b"<a href=\"http://shop.test:8080\">")
    });
}

#[test]
fn a_piece_is_not_read_for_where_it_ends() {
    for end in ["<", "</", "<m", "<ME", "<meta", "<meta charset=utf-8>", "<meta charset=utf-8><"] {
        let mut links = Links::new(task(Language::Html));
        for _ in 0..3 {
            links.push(Bytes::from(format!("<p>Text{end}")), &mut drop);
        }
        let end_is_open = end == "<meta";
        assert_eq!(links.behind_length as u64 != links.passed, end_is_open, "{end}");
    }
}

#[test]
fn legacy_letters_stay() {
    // In each, the second byte of a letter may be a quote's neighbour, a backslash or a letter.
    for letters in [
        &b"\x83\x5c\x83\x7e"[..],
        b"\x81\x5c\xc4\xe3",
        b"\xa5\x5c\xb3\x5c",
        b"\xb0\xa1",
        b"\xe9\x93",
        b"\x81\x30\x81\x30",
    ] {
        let text = [b"<p title=\"", letters, b"\">", letters, b"</p><a href=\"@/", letters, b"\">"].concat();
        let text = |url: &str| {
            let at = text.iter().position(|b| *b == b'@').unwrap();
            [&text[..at], url.as_bytes(), &text[at + 1..]].concat()
        };
        assert_eq!(run_in(task(Language::Html), &[&text(O)]).0, text(P));
    }
}

#[test]
fn markup_within_an_escape_is_none() {
    // Two bytes that look like `<a href="` stand for letters.
    let letters: &[u8] = b"\x1b$B<a href=\"https://www.o.example/\x1b(B";
    let text = |url: &str| [letters, &b"<a href=\""[..], url.as_bytes(), b"\">"].concat();
    let whole = text(O);
    for cut in 0..whole.len() {
        let out = run_in(task(Language::Html), &[&whole[..cut], &whole[cut..]]).0;
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&text(P)), "cut at {cut}");
    }
}

/// What random documents found.
#[test]
fn cuts_change_nothing_of_these() {
    for text in [
        "<link href=/a \" integrity=x <style>\"</style>",
        "<link href=/a integrity=x -->",
        "<meta <a href=<link href=/a \"\"\"http-equiv=refresh <a href=https://www.o.example<style>",
        "<meta content='0;url=https://www.o.example' href=https://id.o.example http-equiv=refresh >",
    ] {
        let whole = run_in(task(Language::Html), &[text.as_bytes()]);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let text = text.as_bytes();
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                let cut_up = run_in(task(Language::Html), &pieces);
                assert_eq!(cut_up, whole, "{} at {first} and {second}", String::from_utf8_lossy(text));
            }
        }
    }
}

fn document() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "<a href=",
        "<a title='",
        "\"",
        "'",
        " ",
        ">",
        "https://www.o.example",
        "//id.o.example/",
        "https:",
        "/",
        "<style>",
        "</style>",
        "<script>",
        "</script>",
        "url(",
        ")",
        "<!--",
        "-->",
        "<meta ",
        "<meta http-equiv=content-security-policy content=default-src>",
        "<body",
        "<noscript>",
        "</noscript>",
        "http-equiv=refresh ",
        "content='0;url=https://www.o.example'",
        "integrity=x ",
        "INTEGRITY",
        "<link href=/a ",
        "<svg>",
        "<textarea>",
        "</",
        "data-x='",
        "https:&#x2F;&#x2F;id.o.example",
        "https:\\/\\/www.o.example",
        "%2F%2Fwww.o.example",
        ":443",
        "&",
        ".evil",
        "x",
        "\u{e9}",
        "\x1b$B",
        "\x1b(B",
    ]);
    prop::collection::vec(parts, 0..25).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn cuts_change_nothing(
        text in document(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        json in any::<bool>(),
        same_host in any::<bool>(),
    ) {
        let scripts = Scripts { json, javascript: json, pinned: false };
        let task = Task { scripts, ..task(Language::Html) };
        let task = if same_host { Task { mapping: None, ..task } } else { task };
        let whole = run_in(task.clone(), &[text.as_bytes()]);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut at = 0;
        for cut in cuts {
            pieces.push(&text.as_bytes()[at..cut]);
            at = cut;
        }
        pieces.push(&text.as_bytes()[at..]);
        let cut_up = run_in(task, &pieces);
        prop_assert_eq!(String::from_utf8_lossy(&cut_up.0), String::from_utf8_lossy(&whole.0));
        if !same_host {
            prop_assert_eq!(cut_up.1, whole.1);
        }
    }

    #[test]
    fn only_hosts_change(text in document()) {
        let bare = |text: &str| {
            text.replace("https", "http")
                .replace("shop.test:8080", "www.o.example")
                .replace("id.test", "id.o.example")
                .replace(":443", "")
        };
        let task = Task { admits_us: false, ..task(Language::Html) };
        prop_assert_eq!(bare(&run(task, &text)), bare(&text));
    }
}
