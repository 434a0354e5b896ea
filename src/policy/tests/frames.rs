//! Documents in frames: by which rules they are judged, and that nothing of a hidden one gets out.

use std::sync::Arc;

use super::site::{click, find, page};
use crate::dom::Tree;
use crate::policy::{Masker, Policies, ResourceNames};
use crate::protocol::agent::Role;
use crate::protocol::customer::Privacy;
use crate::protocol::page::PageOp;
use crate::protocol::{Action, NodeId, Refusal};

/// A frame of the site inside a page at `/here/page`, and another one in that.
const PAGE: &str = "<html><body><p id=\"top\" class=\"x\">TOPTEXT</p>\
    <iframe id=\"frame\" title=\"FRAMETITLE\" srcdoc=\"SRCDOC\"><#document https://shop.test/widget/a>\
    <html><body><p id=\"in\" class=\"x\">INTEXT</p><input id=\"pw\" type=\"password\" value=\"INVALUE\">\
    <a id=\"out\" href=\"help\">OUT</a><form><button id=\"send\">Send</button></form>\
    <iframe id=\"inner\"><#document about:srcdoc><html><body><p id=\"deep\" class=\"x\">DEEPTEXT</p></body></html></#></iframe>\
    </body></html></#></iframe></body></html>";

fn under(files: &[&str], tree: &Tree) -> (String, Masker) {
    let names: Vec<String> = (0..files.len()).map(|n| format!("{n}.toml")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| &**name).zip(files.iter().copied()).collect();
    let policies = Policies::parse(&files).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let mut masker = Masker::new(Arc::new(policies), Role::Agent, ResourceNames::new([7; 32], "/r/"));
    let view = format!("{:?}", masker.view(tree).patch.0);
    (view, masker)
}

fn shown(files: &[&str]) -> Vec<&'static str> {
    let (view, _) = under(files, &page(PAGE));
    ["TOPTEXT", "FRAMETITLE", "INTEXT", "DEEPTEXT"].into_iter().filter(|text| view.contains(text)).collect()
}

const ALL: [&str; 4] = ["TOPTEXT", "FRAMETITLE", "INTEXT", "DEEPTEXT"];

#[test]
fn what_is_in_a_frame_is_seen_but_by_the_rules() {
    assert_eq!(shown(&[""]), ALL);
    let (view, _) = under(&[""], &page(PAGE));
    assert!(!view.contains("SRCDOC") && !view.contains("INVALUE"), "{view}");
    assert!(view.contains("https://shop.test/widget/help"), "links are those of the frame's address: {view}");
    assert!(shown(&["[[mask]]\nselect = '.x'"]).contains(&"FRAMETITLE"));
    assert_eq!(shown(&["[[mask]]\nselect = '.x'"]).len(), 1);
}

#[test]
fn a_masked_or_hidden_frame_says_nothing() {
    for rule in ["[[mask]]", "[[hide]]"] {
        assert_eq!(shown(&[&format!("{rule}\nselect = '#frame'")]), ["TOPTEXT"], "{rule}");
        assert_eq!(
            shown(&[&format!("{rule}\nselect = '#inner'")]),
            ["TOPTEXT", "FRAMETITLE", "INTEXT"],
            "{rule}"
        );
    }
    let (view, _) = under(&["[[hide]]\nselect = '#frame'"], &page(PAGE));
    assert!(!view.contains("Document {"), "{view}");
}

#[test]
fn the_addresses_of_the_frame_and_of_the_page_both_count_and_the_stricter_wins() {
    let at = |urls: &str, rest: &str| format!("urls = ['{urls}']\n{rest}");
    let mask = "[[mask]]\nselect = '.x'\n";
    // What masks for one of them masks.
    assert_eq!(shown(&[&at("/here/**", mask)]), ["FRAMETITLE"]);
    assert_eq!(shown(&[&at("/widget/**", mask)]), ["TOPTEXT", "FRAMETITLE"]);
    assert_eq!(shown(&[&at("/elsewhere/**", mask)]), ALL);
    // What lifts a mask must be so for both.
    let lift = "override = true\n[[show]]\nselect = '.x'\n";
    assert_eq!(shown(&[mask, lift]), ALL);
    assert_eq!(shown(&[mask, &at("/widget/**", lift)]), ["FRAMETITLE"]);
    assert_eq!(shown(&[mask, &at("/here/**", lift)]), ["TOPTEXT", "FRAMETITLE"]);
    // Masked by default: who veils has to agree.
    let veil = "default = 'mask'\n[[show]]\nselect = '#in'\n";
    assert_eq!(shown(&[&at("/widget/**", veil)]), ["TOPTEXT", "FRAMETITLE", "INTEXT"]);
    assert_eq!(
        shown(&["default = 'mask'\n[[show]]\nselect = '#frame'"]),
        ["FRAMETITLE", "INTEXT", "DEEPTEXT"]
    );
    assert_eq!(shown(&["default = 'mask'\n[[show]]\nselect = '#deep'"]), ["DEEPTEXT"]);
}

#[test]
fn a_frame_in_which_sharing_pauses_is_a_grey_box() {
    let rule = "[[pause]]\nurls = ['/widget/**']";
    assert_eq!(shown(&[rule]), ["TOPTEXT"]);
    let tree = page(PAGE);
    let (_, mut masker) = under(&[rule], &tree);
    let marks = masker.view(&tree).marks;
    assert_eq!(marks.len(), 1);
    assert_eq!((marks[0].node, marks[0].kind), (find(&tree, "frame").id(), Privacy::Hidden));
}

#[test]
fn a_frame_that_goes_elsewhere_is_judged_anew() {
    let rules = ["urls = ['/widget/**']\n[[hide]]\nselect = '.x'"];
    let mut tree = page(PAGE);
    let (_, mut masker) = under(&rules, &tree);
    let document = find(&tree, "frame").frame_document().unwrap().id();
    let go = |url: &str| PageOp::Address { id: document, url: url.into() };
    let changes = tree.apply(&[go("https://shop.test/open")]).unwrap();
    let patch = format!("{:?}", masker.update(&tree, &changes).patch.0);
    assert!(patch.contains("INTEXT") && patch.contains("DEEPTEXT"), "{patch}");
    let changes = tree.apply(&[go("https://shop.test/widget/b")]).unwrap();
    let patch = format!("{:?}", masker.update(&tree, &changes).patch.0);
    assert!(!patch.contains("INTEXT"), "{patch}");
    assert!(!format!("{:?}", masker.view(&tree).patch.0).contains("DEEPTEXT"));
}

#[test]
fn actions_in_a_frame_are_guarded_like_those_of_the_page() {
    let tree = page(PAGE);
    let ask = |files: &[&str], id: &str| {
        let (_, masker) = under(files, &tree);
        let node = find(&tree, id).id();
        masker.permit(&tree, click(node), &Default::default()).map(|permit| permit.submits())
    };
    assert_eq!(ask(&[""], "in"), Ok(false));
    assert_eq!(ask(&[""], "send"), Err(Refusal::Disabled), "a form is not sent without a rule");
    let send = "[[control]]\nselect = '#send'\nagent = 'enabled'";
    assert_eq!(ask(&[send], "send"), Ok(true));
    assert_eq!(ask(&[&format!("urls = ['/widget/**']\n{send}")], "send"), Err(Refusal::Disabled));
    assert_eq!(ask(&["[[control]]\nselect = '#frame'\nagent = 'disabled'"], "in"), Err(Refusal::Disabled));
    assert_eq!(ask(&["[[hide]]\nselect = '#frame'"], "in"), Err(Refusal::Private));
    assert_eq!(
        ask(&["[[navigate]]\nurls = ['/widget/help']\nagent = 'denied'"], "out"),
        Err(Refusal::Disabled)
    );
    assert_eq!(ask(&["[[navigate]]\nurls = ['/help']\nagent = 'denied'"], "out"), Ok(false));
    let (_, masker) = under(&["[[hide]]\nselect = '#inner'"], &tree);
    let scroll = |node: NodeId| {
        masker.permit(&tree, Action::Scroll { node, x: 0, y: 9 }, &Default::default()).map(|_| ())
    };
    let document = |id: &str| find(&tree, id).frame_document().unwrap().id();
    assert_eq!(scroll(document("frame")), Ok(()));
    assert_eq!(scroll(document("inner")), Err(Refusal::Private));
}
