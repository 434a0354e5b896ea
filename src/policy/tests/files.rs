//! Policy files: what is understood, what is refused and how, and the files that come with the project.

use super::site::{click, find, masker, page, policies};
use crate::policy::{Masked, Policies};
use crate::protocol::customer::Privacy;
use crate::protocol::{Action, Refusal};
use std::sync::Arc;

const DEFAULT: &str = include_str!("../../../policies/default.toml");
const SHOP: &str = include_str!("../../../policies/demo/shop.toml");

fn errors(text: &str) -> Vec<String> {
    let errors = Policies::parse(&[("shop.toml", text)]).expect_err("must be refused");
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let text = "\n[[mask]]\nselct = '#ssn'\n";
    let shown = errors(text);
    let first = shown[0].lines().next().unwrap();
    assert!(first.contains("shop.toml:3:1: unknown key `selct`"), "{first}");
    assert!(shown[0].contains("selct = '#ssn'") && shown[0].contains("^^^^^"), "{}", shown[0]);
    assert!(shown[0].contains("did you mean `select`?"), "{}", shown[0]);
    assert!(shown[1].contains("shop.toml:2:1: the rule has no `select`"), "{}", shown[1]);
}

#[test]
fn every_error_of_every_file_is_reported() {
    let one =
        "roles = ['agnet']\nurls = ['checkout']\n[[hide]]\nselect = 'a:hover'\n[[show]]\nselect = 'p'\n";
    let two = "[[mask]]\nselect = 'div >'\nlabel = 3\n[[control]]\nselect = 'a'\nagent = 'on'\n[masks]\n";
    let broken = "= 1\n";
    let found = Policies::parse(&[("one", one), ("two", two), ("three", broken)]).unwrap_err();
    let found: Vec<String> = found
        .iter()
        .map(|error| format!("{}:{}: {}", error.file(), error.position().0, error.message()))
        .collect();
    for part in [
        "one:1: unknown role `agnet`",
        "one:2: a URL pattern starts with",
        "one:4: the selector can not be read: `:hover` depends on what the customer",
        "one:5: `show` rules do nothing",
        "two:3: a string is needed",
        "two:6: must be \"enabled\" or \"disabled\"",
        "two:7: unknown key `masks`",
        "three:1:",
    ] {
        assert!(found.iter().any(|error| error.starts_with(part)), "{part} is not in {found:#?}");
    }
}

#[test]
fn selectors_that_cannot_be_decided_are_refused() {
    for selector in [
        "",
        ",",
        "a:hover",
        "p::before",
        "a b >",
        ":is(a, b:focus)",
        "svg|rect",
        "#",
        "[=x]",
        ":lang(de)",
        "a :is(b :is(c :is(d :is(e f) g) h) i) j",
        &":is(".repeat(200),
        &"a".repeat(100_000),
    ] {
        let text = format!("[[mask]]\nselect = '{selector}'\n");
        assert_eq!(errors(&text).len(), 1, "{}", &selector[..selector.len().min(40)]);
    }
}

#[test]
fn wrong_shapes_are_errors_and_never_no_policy() {
    for text in [
        "mask = 3",
        "[mask]\nselect = 'a'",
        "mask = [1]",
        "urls = 'x'",
        "urls = []",
        "default = 'hide'",
        "[[navigate]]\nurls = ['/x']",
        "[[pause]]",
        "\u{0}",
        "[[mask]]\nselect = '''\nä>'''",
    ] {
        errors(text);
    }
    assert!(Policies::load(std::path::Path::new("/there/is/no/such/folder")).is_err());
}

#[test]
fn addresses_are_globs_or_patterns_of_the_web_with_a_place_and_a_hint_for_each_mistake() {
    let good = "site = ['https://shop.test', 'https://*.shop.test']\n\
                urls = ['/a/**', { pathname = '/orders/:id(\\d+)' }, { pattern = 'https://shop.test/b/*' }]\n\
                [[mask]]\nselect = '#x'\n";
    let policies = policies(good);
    let holds = |url: &str| policies.withhold(url).contains(&"#x".to_owned());
    for url in ["https://shop.test/a/1", "https://www.shop.test/orders/7", "https://shop.test/b/c/d"] {
        assert!(holds(url), "{url}");
    }
    for url in [
        "https://other.test/a/1",
        "https://shop.test/orders/x",
        "https://www.shop.test/b/c",
        "http://shop.test/a",
    ] {
        assert!(!holds(url), "{url}");
    }
    let bad =
        "site = 'shop.test'\nurls = ['/a/:id', '/b#c', { pathname = '/x/(a' }, { path = '/x' }, {}, 7]\n";
    let shown = errors(bad);
    for (place, hint) in [
        ("shop.toml:1:9: a site starts with", "https://shop.example.com"),
        ("shop.toml:2:13: `:id` has no meaning here", "pathname"),
        ("shop.toml:2:22: a URL pattern can not have a fragment", "hash"),
        ("shop.toml:2:", "not a URLPattern"),
        ("shop.toml:2:", "unknown key `path`"),
        ("shop.toml:2:", "pathname = \"/orders/:id\""),
        ("shop.toml:2:", "a string is needed, not a integer"),
    ] {
        assert!(
            shown.iter().any(|error| error.contains(place) && error.contains(hint)),
            "{place} {hint}: {shown:#?}"
        );
    }
}

#[test]
fn files_that_can_not_be_used_are_errors_each_and_never_no_policy() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    write("bom.toml", b"\xef\xbb\xbf[[mask]]\nselect = '#b'\n");
    assert_eq!(Policies::load(dir.path()).unwrap().len(), 1, "a byte order mark is no mistake");
    write("latin.toml", b"[[mask]]\nselect = '#x'\nlabel = 'gesch\xfctzt'\n");
    write("utf16.toml", b"\xff\xfe[\0[\0m\0");
    write("twice.toml", b"urls = ['/a']\nurls = ['/b']\n");
    write("huge.toml", &vec![b'#'; (4 << 20) + 1]);
    std::fs::create_dir(dir.path().join("folder.toml")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/there/is/nothing", dir.path().join("link.toml")).unwrap();
    let errors = Policies::load(dir.path()).unwrap_err();
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for (place, what) in [
        ("latin.toml:3:15", "not UTF-8"),
        ("utf16.toml:1:1", "UTF-16"),
        ("twice.toml:2:1", "duplicate"),
        ("huge.toml", "more than 4194304 bytes"),
        ("folder.toml", "can not be read"),
        ("link.toml", "can not be read"),
    ] {
        assert!(
            shown.iter().any(|error| error.contains(place) && error.contains(what)),
            "{place} {what}: {shown:#?}"
        );
    }
    assert_eq!(errors.len(), 6);
}

#[test]
fn ten_thousand_rules_are_taken_and_one_more_is_not() {
    let rules = |count: usize| -> String {
        (0..count).map(|n| format!("[[mask]]\nselect = '#a{n}, .b{n} > em, [name=c{n}]'\n")).collect()
    };
    let policies = policies(&rules(10_000));
    let tree = page(&format!(
        "<html><body>{}<p id=\"a9999\">secret</p></body></html>",
        "<p>x</p>".repeat(2_000) + "<em>y</em>"
    ));
    let started = std::time::SystemTime::now();
    let view = masker(&policies).view(&tree);
    assert!(!String::from_utf8_lossy(view.patch.encode(1, 0).bytes()).contains("secret"));
    assert!(started.elapsed().unwrap().as_secs() < 5);
    assert!(errors(&rules(10_001))[0].contains("more than 10000 rules"));
}

#[test]
fn rules_that_would_be_slow_are_bounded() {
    let many = |select: &str| format!("[[mask]]\nselect = '{select}'\n").repeat(201);
    for select in [":not(.a)", "[*|x]", "p:has(q r)"] {
        assert!(errors(&many(select))[0].contains("more than 200 rules"), "{select}");
    }
    let patterns = format!("urls = [{}]\n", "{ pathname = '/(a|b)' },".repeat(201));
    assert!(errors(&patterns)[0].contains("more than 200 patterns"));
    // What is allowed is done in time, on a page made to be slow for it.
    let deep = format!("{}<p>x</p>{}", "<div class=\"a\">".repeat(400), "</div>".repeat(400));
    let flat = "<p class=\"a\">x</p>".repeat(1_500);
    let tree = page(&format!("<html><body>{deep}{flat}</body></html>"));
    let list = (0..900).map(|n| format!(".x{n} p")).collect::<Vec<_>>().join(", ");
    for select in [
        ".a ".repeat(500) + "p",
        ".a ~ ".repeat(200) + "q",
        format!(":is({list}) p"),
        "div:has(div:not(.a)):has(p + q):has(q)".to_owned(),
        ".a :is(.a .a, .b) p".to_owned(),
        "p:nth-child(2n + 1 of .a .a):nth-last-child(3 of .b)".to_owned(),
    ] {
        let started = std::time::SystemTime::now();
        masker(&policies(&format!("[[mask]]\nselect = '{select}'\n"))).view(&tree);
        let time = started.elapsed().unwrap();
        assert!(time.as_secs() < 10, "{} took {time:?}", &select[..select.len().min(40)]);
    }
}

#[test]
fn a_folder_is_read_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("b.toml"), "[[mask]]\nselect = '#b'\n").unwrap();
    std::fs::write(dir.path().join("a.toml"), "[[hide]]\nselect = '#a'\n").unwrap();
    std::fs::write(dir.path().join("notes.txt"), "not a policy").unwrap();
    let loaded = Policies::load(dir.path()).unwrap();
    assert_eq!(loaded.withhold("https://shop.test/")[3..], ["#a", "#b"]);
    std::fs::write(dir.path().join("c.toml"), b"\xff\xfe").unwrap();
    assert_eq!(Policies::load(dir.path()).unwrap_err().len(), 1);
}

#[test]
fn what_no_role_sees_is_withheld() {
    let rules = "urls = ['/pay/**']\n[[mask]]\nselect = '#card'\n[[hide]]\nselect = '.x, .y'\n";
    let policies = policies(rules);
    assert_eq!(policies.withhold("https://shop.test/pay/1")[3..], ["#card", ".x, .y"]);
    assert_eq!(policies.withhold("https://shop.test/other").len(), 3);
    let some = super::site::policies("roles = ['agent']\n[[mask]]\nselect = '#card'\n");
    assert_eq!(some.withhold("https://shop.test/").len(), 3, "a supervisor may see it");
    let most = super::site::policies("default = 'mask'\n[[show]]\nselect = '.z, .y'\n").withhold("");
    let controls = ":is(input, select, textarea, [contenteditable])";
    assert_eq!(most[3..], [format!("{controls}:not(:is(.z, .y), :is(.z, .y) *)")]);
}

fn demo() -> Arc<Policies> {
    Arc::new(Policies::parse(&[("default.toml", DEFAULT), ("shop.toml", SHOP)]).unwrap())
}

fn private(masked: &Masked, node: crate::protocol::NodeId) -> Option<Privacy> {
    masked.marks.iter().find(|mark| mark.node == node).map(|mark| mark.kind)
}

#[test]
fn the_default_policy_masks_cards_and_codes() {
    let policies = Arc::new(Policies::parse(&[("default.toml", DEFAULT)]).unwrap());
    let tree = page(
        "<form><input id=\"a\" autocomplete=\"billing cc-number\"><input id=\"b\" name=\"cardNumber\">\
         <input id=\"c\" autocomplete=\"cc-csc\"><input id=\"d\" name=\"card[cvc]\"><input id=\"e\" name=\"CVV2\">\
         <input id=\"f\" autocomplete=\"one-time-code\"><input id=\"card-number\"><input id=\"pw\" type=\"Password\">\
         <input id=\"g\" name=\"card[number]\"><input id=\"h\" name=\"number\" autocomplete=\"off\"><input id=\"i\" name=\"ccv\">\
         <input id=\"name\" name=\"name\" autocomplete=\"cc-name\"><input id=\"company\" name=\"company\">\
         <input id=\"house\" name=\"number\" autocomplete=\"address-line2\"></form>",
    );
    let masked = masker(&policies).view(&tree);
    for id in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "card-number", "pw"] {
        assert_eq!(private(&masked, find(&tree, id).id()), Some(Privacy::Masked), "#{id}");
    }
    for id in ["name", "company", "house"] {
        assert_eq!(private(&masked, find(&tree, id).id()), None, "#{id}");
    }
    let label = masked.marks.iter().find_map(|mark| mark.label.as_deref());
    assert_eq!(label, Some("Your card number is hidden from the agent"));
}

#[test]
fn the_demo_policy_is_as_the_shop_needs_it() {
    let policies = demo();
    let tree = page(
        "<body><span id=\"ssn\">078-05-1120</span><p><b class=\"balance\" id=\"balance\">$ 4,000</b></p>\
         <form class=\"newsletter\"><input id=\"mail\"><button type=\"submit\" id=\"join\">Join</button></form>\
         <form><button type=\"submit\" id=\"pay\">Pay</button></form><a href=\"/logout\" id=\"out\">x</a></body>",
    );
    let mut masker = masker(&policies);
    let masked = masker.view(&tree);
    assert_eq!(private(&masked, find(&tree, "ssn").id()), Some(Privacy::Masked));
    assert_eq!(private(&masked, find(&tree, "balance").id()), Some(Privacy::Hidden));
    let bytes = masked.patch.encode(1, 0);
    let bytes = String::from_utf8_lossy(bytes.bytes());
    assert!(!bytes.contains("078-05") && !bytes.contains("4,000") && bytes.contains("Join"));
    let click = |id: &str| masker.permit(&tree, click(find(&tree, id).id()), &Default::default());
    assert!(click("join").unwrap().submits());
    assert_eq!(click("pay"), Err(Refusal::Disabled));
    assert_eq!(click("out"), Err(Refusal::Disabled));
    assert_eq!(click("ssn"), Err(Refusal::Private));
    assert_eq!(
        masker.permit(&tree, Action::Navigate { url: "/logout?x".into() }, &Default::default()),
        Err(Refusal::Disabled)
    );
}
