//! What was typed into a masked field is masked wherever else the page shows it.

use super::mirror::Mirror;
use super::site::{find, masker, page, parts, policies};
use crate::dom::Tree;
use crate::policy::Masker;
use crate::protocol::page::{Control, PageOp, Value};
use crate::protocol::{Action, NodeId, Refusal};

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
fn a_long_picture_that_says_it_has_no_address() {
    let policies = policies(POLICY);
    let (mut tree, mut live, mut mirror) = (page(PAGE), masker(&policies), Mirror::default());
    mirror.apply(&live.view(&tree).patch.0);
    type_into(&mut tree, &mut live, &mut mirror, "card", CANARY);
    let sum = find(&tree, "sum").id();
    let picture = |says: &str| {
        let long = "%20".repeat(100_000);
        parts(&format!(
            "<img src=\"data:image/svg+xml,%3csvg%3e%3ctext%3e{long} {says} %3c/text%3e%3c/svg%3e\">"
        ))
    };
    let mut insert = |says: &str| {
        let changes =
            tree.apply(&[PageOp::Insert { parent: sum, next: None, parts: picture(says) }]).unwrap();
        live.update(&tree, &changes).resources
    };
    assert_eq!(insert("Thank you").len(), 1);
    assert_eq!(insert("Paid with 41112222"), []);
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

const LOGIN: &str = "<html><head></head><body><form id=\"form\"><input id=\"pw\" name=\"secret\" type=\"password\">\
                     <input id=\"twin\"></form><p id=\"note\" contenteditable>x</p></body></html>";

/// A page with a password in it that the customer's browser did not withhold.
fn logging_in() -> (Tree, Masker, Mirror) {
    let policies = policies(POLICY);
    let (mut tree, mut live, mut mirror) = (page(LOGIN), masker(&policies), Mirror::default());
    mirror.apply(&live.view(&tree).patch.0);
    type_into(&mut tree, &mut live, &mut mirror, "pw", "hunter22");
    (tree, live, mirror)
}

/// Edits a field so that nothing is left of the password that was typed; the agent still sees none of it.
fn stays_secret(tree: &mut Tree, live: &mut Masker, mirror: &mut Mirror, id: &str) {
    type_into(tree, live, mirror, id, "quite-another");
    assert!(!mirror.dump().contains("quite"), "{id}: {}", mirror.dump());
    type_into(tree, live, mirror, id, "abc");
    assert!(!mirror.dump().contains("abc"), "{id}: {}", mirror.dump());
    let node = find(tree, id).id();
    let input = Action::Select { node, indexes: Vec::new() };
    assert_eq!(live.permit(tree, input, &Default::default()), Err(Refusal::Private), "{id}");
}

#[test]
fn a_field_in_place_of_a_password_field_is_one() {
    // By its name, by its place, by what it holds.
    for new in ["<input id=\"new\" name=\"secret\">", "<textarea id=\"new\"></textarea>"] {
        let (mut tree, mut live, mut mirror) = logging_in();
        type_into(&mut tree, &mut live, &mut mirror, "pw", "");
        let (form, password) = (find(&tree, "form").id(), find(&tree, "pw").id());
        let insert = PageOp::Insert { parent: form, next: Some(password), parts: parts(new) };
        change(&mut tree, &mut live, &mut mirror, &[insert, PageOp::Remove { id: password }]);
        stays_secret(&mut tree, &mut live, &mut mirror, "new");
    }
    let (mut tree, mut live, mut mirror) = logging_in();
    type_into(&mut tree, &mut live, &mut mirror, "twin", "seen");
    assert!(mirror.dump().contains("seen"), "any other field is as it was");
    type_into(&mut tree, &mut live, &mut mirror, "twin", "hunter22");
    stays_secret(&mut tree, &mut live, &mut mirror, "twin");
    // Also for who comes later, and after the page was sent anew.
    type_into(&mut tree, &mut live, &mut mirror, "twin", "quite-another");
    let mut late = masker(&policies(POLICY));
    late.typed(None, &live.echoes().known);
    assert!(!format!("{:?}", late.view(&tree).patch.0).contains("quite"));
}

#[test]
fn an_editable_element_that_held_a_password_is_masked_for_good() {
    let (mut tree, mut live, mut mirror) = logging_in();
    assert!(mirror.dump().contains('x'));
    let text = find(&tree, "note").first_child().unwrap().id();
    let set = |data: &str| [PageOp::Text { id: text, data: data.into() }];
    change(&mut tree, &mut live, &mut mirror, &set("Hello"));
    assert!(mirror.dump().contains("Hello"));
    for data in ["hunter22", "hunter", "quite-another", "zz"] {
        change(&mut tree, &mut live, &mut mirror, &set(data));
        assert!(mirror.dump().contains("••••••••") && !mirror.dump().contains(data), "{}", mirror.dump());
    }
    let mut late = masker(&policies(POLICY));
    late.typed(None, &live.echoes().known);
    change(&mut tree, &mut late, &mut Mirror::default(), &set("quite-another"));
    assert!(!format!("{:?}", late.snapshot(&tree).0).contains("quite"));
}

#[test]
fn what_is_typed_into_a_masked_editable_element_is_masked_elsewhere() {
    let markup = "<html><head></head><body><p id=\"note\" class=\"card\" contenteditable>x</p><b>Bleak House</b></body></html>";
    let (mut tree, mut live, mut mirror) = (page(markup), masker(&policies(POLICY)), Mirror::default());
    mirror.apply(&live.view(&tree).patch.0);
    assert!(mirror.dump().contains("Bleak"));
    let id = find(&tree, "note").first_child().unwrap().id();
    change(&mut tree, &mut live, &mut mirror, &[PageOp::Text { id, data: "bleak house".into() }]);
    assert!(!mirror.dump().contains("Bleak"), "{}", mirror.dump());
}
