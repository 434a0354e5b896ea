//! What was typed into a masked field is masked wherever else the page shows it.

use super::mirror::Mirror;
use super::site::{find, masker, page, parts, policies};
use crate::dom::Tree;
use crate::policy::Masker;
use crate::protocol::NodeId;
use crate::protocol::page::{Control, PageOp, Value};

const POLICY: &str = "[[mask]]\nselect = '.card'\n";
const CANARY: &str = "4111 2222";

const PAGE: &str = "<html><head><title id=\"title\">Shop</title></head><body><input id=\"card\" class=\"card\">\
                    <input id=\"other\"><p id=\"early\">4111-2222</p><p id=\"sum\"></p><a id=\"a\" title=\"x\"></a></body></html>";

fn type_into(tree: &mut Tree, live: &mut Masker, mirror: &mut Mirror, id: &str, text: &str) {
    let id = find(tree, id).id();
    let state = Control { value: Some(Value::Told(text.into())), ..Control::default() };
    change(tree, live, mirror, &[PageOp::Control { id, state }]);
}

/// Applies a change; whatever it was, the patches still add up to the view.
fn change(tree: &mut Tree, live: &mut Masker, mirror: &mut Mirror, ops: &[PageOp]) {
    let changes = tree.apply(ops).unwrap();
    mirror.apply(&live.update(tree, &changes).patch.0);
    let mut late = Mirror::default();
    late.apply(&live.snapshot(tree).0);
    assert_eq!(mirror.dump(), late.dump());
}

#[test]
fn an_echo_is_masked_wherever_it_appears() {
    let policies = policies(POLICY);
    let (mut tree, mut live, mut mirror) = (page(PAGE), masker(&policies), Mirror::default());
    mirror.apply(&live.view(&tree).patch.0);
    assert!(mirror.dump().contains("4111-2222"), "nobody typed it yet");
    type_into(&mut tree, &mut live, &mut mirror, "card", CANARY);
    assert!(!mirror.dump().contains("4111"), "{}", mirror.dump());

    let at = |tree: &Tree, id: &str| find(tree, id).id();
    let (sum, link, other) = (at(&tree, "sum"), at(&tree, "a"), at(&tree, "other"));
    let set =
        |id, name: &str, value: &str| PageOp::SetAttribute { id, name: name.into(), value: value.into() };
    change(
        &mut tree,
        &mut live,
        &mut mirror,
        &[
            PageOp::Insert { parent: sum, next: None, parts: parts("<b>You pay with 41112222</b>") },
            set(link, "title", "card 41112222"),
            set(link, "href", "/pay?card=4111+2222"),
            set(other, "placeholder", "4111 2222"),
            PageOp::Location { url: "https://shop.test/pay?card=4111%202222".into() },
        ],
    );
    type_into(&mut tree, &mut live, &mut mirror, "other", "is it 4111.2222?");
    // Once secret, always secret: also when the field is emptied.
    type_into(&mut tree, &mut live, &mut mirror, "card", "");
    let title = at(&tree, "title");
    change(
        &mut tree,
        &mut live,
        &mut mirror,
        &[PageOp::Insert { parent: title, next: None, parts: parts("41112222<b></b>")[..1].to_vec() }],
    );
    for shown in [mirror.dump(), format!("{:?}", live.snapshot(&tree).0)] {
        assert!(shown.contains("You pay with ••••••••"), "{shown}");
        assert!(!shown.contains("4111") && !shown.contains("2222"), "{shown}");
    }
    // And on the next page.
    let next = page("<html><head></head><body><p>Paid with 4111 2222, thank you</p></body></html>");
    let shown = format!("{:?}", live.view(&next).patch.0);
    assert!(shown.contains("thank you") && !shown.contains("4111"), "{shown}");
}

#[test]
fn what_the_browser_hashed_counts_as_typed() {
    let policies = policies(POLICY);
    let (tree, mut live, mut mirror) = (page(PAGE), masker(&policies), Mirror::default());
    mirror.apply(&live.view(&tree).patch.0);
    // Another masker of the same session stands for the browser: it has the same key.
    let mut browser = masker(&policies);
    let (mut its, mut nothing) = (page(PAGE), Mirror::default());
    nothing.apply(&browser.view(&its).patch.0);
    type_into(&mut its, &mut browser, &mut nothing, "card", CANARY);
    let known = browser.echoes().known;
    assert_eq!(known.len(), 1);
    mirror.apply(&live.typed(Some(&tree), &known).patch.0);
    assert!(!mirror.dump().contains("4111"), "{}", mirror.dump());
    assert!(live.typed(Some(&tree), &known).patch.is_empty(), "nothing new");
}

#[test]
fn what_is_typed_where_the_agent_sees_it_is_no_secret() {
    let policies = policies(POLICY);
    let (mut tree, mut live, mut mirror) = (page(PAGE), masker(&policies), Mirror::default());
    mirror.apply(&live.view(&tree).patch.0);
    type_into(&mut tree, &mut live, &mut mirror, "other", CANARY);
    assert!(mirror.dump().contains("4111-2222") && live.echoes().known.is_empty());
    // Until the field becomes one that is masked.
    let id = find(&tree, "other").id();
    change(
        &mut tree,
        &mut live,
        &mut mirror,
        &[PageOp::SetAttribute { id, name: "class".into(), value: "card".into() }],
    );
    assert!(!mirror.dump().contains("4111"), "{}", mirror.dump());
    assert_ne!(id, NodeId::DOCUMENT);
}
