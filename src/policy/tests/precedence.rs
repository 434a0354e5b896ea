//! Which rule wins: within a file, between files, and for whom.

use std::sync::Arc;

use super::site::{click, find, masker, page, policies};
use crate::policy::{Masker, Policies, ResourceNames};
use crate::protocol::agent::Role;
use crate::protocol::customer::Privacy;
use crate::protocol::typing::{Piece, Typed};
use crate::protocol::{Action, NodeId, Refusal};

const PAGE: &str = "<html><body><p id=\"a\" class=\"card\">4111</p><p id=\"b\" class=\"balance\">1284</p>\
                    <p id=\"c\" class=\"card\" data-tandem=\"mask\">5222</p><input id=\"d\" class=\"card\" type=\"password\">\
                    <button id=\"e\">Go</button><a id=\"f\" href=\"/logout\">Out</a></body></html>";

fn seen(files: &[&str], role: Role) -> (String, Masker) {
    let names: Vec<String> = (0..files.len()).map(|n| format!("{n}.toml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| &**name).zip(files.iter().copied()).collect();
    let policies = Policies::parse(&files).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let mut masker = Masker::new(Arc::new(policies), role, ResourceNames::new([7; 32], "/r/"));
    let view = format!("{:?}", masker.view(&page(PAGE)).patch.0);
    (view, masker)
}

fn shows(files: &[&str], role: Role) -> Vec<&'static str> {
    let (view, _) = seen(files, role);
    ["4111", "1284", "5222"].into_iter().filter(|text| view.contains(text)).collect()
}

const MASK: &str = "[[mask]]\nselect = '.card'\n[[hide]]\nselect = '.balance'\n";

#[test]
fn a_mask_is_lifted_for_the_roles_named_and_nothing_else_is() {
    let reveal = format!("{MASK}[[reveal]]\nselect = '.card, .balance'\nroles = ['supervisor']\n");
    assert!(shows(&[&reveal], Role::Agent).is_empty());
    // Neither what is hidden, nor what the site itself masks.
    assert_eq!(shows(&[&reveal], Role::Supervisor), ["4111"]);
    let (_, masker) = seen(&[&reveal], Role::Supervisor);
    let tree = page(PAGE);
    let input = Action::Input {
        node: find(&tree, "d").id(),
        base: 0,
        change: vec![Piece::Insert("x".into())],
        input: Typed::InsertText,
    };
    assert_eq!(
        masker.permit(&tree, input, &Default::default()).unwrap_err(),
        Refusal::Private,
        "a password is never revealed"
    );
    // The browser has to tell what a role may see, but no password.
    let policies = Policies::parse(&[("p", &*reveal)]).unwrap();
    let withheld = policies.withhold("https://shop.test/");
    assert!(withheld.contains(&":is(.card):not(:is(.card, .balance))".to_owned()), "{withheld:?}");
    assert!(withheld.contains(&".balance".to_owned()) && withheld[0].contains("password"), "{withheld:?}");
}

#[test]
fn a_later_file_loosens_an_earlier_one_only_when_it_says_so() {
    let show = "override = true\n[[show]]\nselect = '.card, .balance'\n";
    assert_eq!(shows(&[MASK, show], Role::Agent), ["4111", "1284"]);
    assert!(shows(&[show, MASK], Role::Agent).is_empty(), "an earlier file does not");
    let masked = "default = 'mask'\n[[show]]\nselect = '.card'\n";
    assert!(shows(&[MASK, masked], Role::Agent).is_empty(), "a file that does not say so does not");
    assert!(Policies::parse(&[("p", "[[show]]\nselect = 'p'\n")]).is_err());
    assert!(Policies::parse(&[("p", "override = 'yes'\n")]).is_err());
}

#[test]
fn controls_and_navigation_follow_the_same_rule() {
    let strict = "[[control]]\nselect = '#e'\nagent = 'disabled'\n[[navigate]]\nurls = ['/logout']\nagent = 'denied'\n";
    let open = "[[control]]\nselect = '#e'\nagent = 'enabled'\n[[navigate]]\nurls = ['/**', '/logout']\nagent = 'allowed'\n";
    let tree = page(PAGE);
    let may = |files: &[&str]| {
        let (_, masker) = seen(files, Role::Agent);
        let click = |id: &str| click(find(&tree, id).id());
        ["e", "f"].map(|id| masker.permit(&tree, click(id), &Default::default()).is_ok())
    };
    let over = format!("override = true\n{open}");
    assert_eq!(may(&[strict, open]), [false, false]);
    assert_eq!(may(&[strict, &over]), [true, true]);
    assert_eq!(may(&[&over, strict]), [false, false]);
    assert_ne!(tree.document().id(), NodeId(0));
}

#[test]
fn a_fixed_length_tells_nothing_of_the_length() {
    let view = |text: &str| {
        let policies = Policies::parse(&[("p", "[[mask]]\nselect = 'p'\nlength = 'fixed'\n")]).unwrap();
        let mut masker = Masker::new(Arc::new(policies), Role::Agent, ResourceNames::new([7; 32], "/r/"));
        format!(
            "{:?}",
            masker.view(&page(&format!("<html><body><p>{text} <b>{text}</b></p></body></html>"))).patch.0
        )
    };
    assert_eq!(view("12"), view("a long text"));
}

/// Line and message of everything that is warned of.
fn warnings(files: &[&str]) -> Vec<(String, usize, String)> {
    let names: Vec<String> = (0..files.len()).map(|n| format!("{n}.toml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| &**name).zip(files.iter().copied()).collect();
    let policies = Policies::parse(&files).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let of = policies.warnings().iter();
    of.map(|it| (it.file().to_owned(), it.position().0, it.message().to_owned())).collect()
}

#[test]
fn what_is_hardly_meant_is_a_warning_and_no_error() {
    let text = "[[hide]]\nselect = '.x'\n[[mask]]\nselect = '.x'\n[[mask]]\nselect = 'p'\n[[mask]]\nselect = 'p'\n\
                [[mask]]\nselect = 'body, i'\n[[mask]]\nselect = 'a:has(b):has(c):has(d)'\n\
                [[mask]]\nselect = 'a :is(b c) d'\n[[control]]\nselect = 'button'\nagent = 'enabled'\n\
                [[navigate]]\nurls = ['/a']\nagent = 'denied'\n[[navigate]]\nurls = ['/a']\nagent = 'allowed'\n";
    let found = warnings(&[text]);
    let words = [
        (4, "never applies"),
        (8, "nothing new"),
        (10, "too broad"),
        (12, "slow"),
        (14, "slow"),
        (16, "too broad"),
        (22, "never applies"),
    ];
    let lines: Vec<usize> = found.iter().map(|(_, line, _)| *line).collect();
    assert_eq!(lines, words.map(|(line, _)| line), "{found:#?}");
    assert!(found.iter().zip(words).all(|((.., message), (_, word))| message.contains(word)), "{found:#?}");
    let policies = Policies::parse(&[("p", text)]).unwrap();
    assert!(policies.warnings()[0].to_string().starts_with("warning: p:4:"), "{}", policies.warnings()[0]);
    let default = include_str!("../../../policies/default.toml");
    assert!(Policies::parse(&[("default", default)]).unwrap().warnings().is_empty());
}

#[test]
fn a_rule_that_another_one_makes_useless_is_found_also_when_it_says_more() {
    let never = |files: &[&str]| {
        let found = warnings(files);
        found.iter().any(|(.., message)| message.contains("never applies"))
    };
    let hide = "[[hide]]\nselect = '.card'\n";
    let rule = |kind: &str, select: &str| format!("[[{kind}]]\nselect = '{select}'\n");
    for select in [".card", "p.card", "div > p.card[title]", "#a .card, b.card"] {
        assert!(never(&[&format!("{hide}{}", rule("mask", select))]), "{select}");
        assert!(never(&[hide, &rule("mask", select)]), "{select} in another file");
    }
    for select in [".card p", ".cards", "p, .card", "p:not(.card)", ":is(.card, p)"] {
        assert!(!never(&[&format!("{hide}{}", rule("mask", select))]), "{select}");
    }
    // Not where the other one holds only somewhere, or for some, or may be lifted.
    for head in ["urls = ['/a']\n", "roles = ['agent']\n", "site = 'https://a.test'\n"] {
        assert!(!never(&[&format!("{head}{hide}"), &rule("mask", ".card")]), "{head}");
    }
    let lifted = warnings(&[hide, "override = true\n[[show]]\nselect = '.card'\n", &rule("mask", ".card")]);
    assert!(lifted.iter().all(|(file, ..)| file != "2.toml"), "{lifted:?}");
    let show = format!("default = 'mask'\n{}{}", rule("mask", "p"), rule("show", "p.x"));
    assert!(never(&[&show]));
    let control =
        "[[control]]\nselect = '.a'\nagent = 'disabled'\n[[control]]\nselect = '.a.b'\nagent = 'enabled'\n";
    assert!(never(&[control]));
    let reveal = format!("{hide}[[reveal]]\nselect = '.card'\nroles = ['supervisor']\n");
    assert!(never(&[&reveal]));
    // A stricter length is something new.
    let fixed = "[[mask]]\nselect = '.card'\n[[mask]]\nselect = '.card'\nlength = 'fixed'\n";
    assert!(warnings(&[fixed]).is_empty(), "{:?}", warnings(&[fixed]));
}

#[test]
fn the_customers_browser_knows_what_is_open_within_what_is_masked() {
    let tree = page(
        "<body><p id=\"veiled\">a</p><form id=\"open\"><input id=\"field\"><p id=\"closed\">b</p></form></body>",
    );
    let rules = "default = 'mask'\n[[show]]\nselect = '#open'\n[[mask]]\nselect = '#closed'\n";
    let marks = masker(&policies(rules)).view(&tree).marks;
    let kind = |id: &str| marks.iter().find(|mark| mark.node == find(&tree, id).id()).map(|mark| mark.kind);
    assert_eq!(kind("open"), Some(Privacy::Shown));
    assert_eq!(kind("closed"), Some(Privacy::Masked));
    assert_eq!((kind("field"), kind("veiled")), (None, None), "as what they are in");
}
