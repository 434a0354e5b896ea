//! What insets may tell, what becomes of them, and that the page stays whole.

use super::super::Limits;
use super::*;
use crate::protocol::page::Namespace;

const PAY: &str = "https://pay.test/form";
const ONE: Inset = Inset(1);

fn element(name: &str) -> Part {
    Part::Element { namespace: Namespace::Html, name: name.into(), attributes: Vec::new() }
}

fn insert(parent: NodeId, parts: Vec<Part>) -> PageOp {
    PageOp::Insert { parent, next: None, parts }
}

fn nth(inset: Inset, at: u32) -> NodeId {
    NodeId(inset.document().0 + at)
}

/// `<html><iframe/><p/></html>`, 2 to 4.
fn page() -> Tree {
    let parts = vec![element("html"), element("iframe"), Part::End, element("p"), Part::End, Part::End];
    let mut tree = Tree::new(Limits::default());
    let location = PageOp::Location { url: "https://shop.test/".into() };
    tree.apply(&[PageOp::Begin { quirks: Quirks::No }, insert(NodeId(1), parts), location]).unwrap();
    tree
}

/// The document of an inset: html 1 (iframe 2, text 3).
fn form(inset: Inset) -> [PageOp; 2] {
    let text = Part::Text { data: "form".into() };
    let parts = vec![element("html"), element("iframe"), Part::End, text, Part::End];
    [PageOp::Begin { quirks: Quirks::Yes }, insert(inset.document(), parts)]
}

fn with_form() -> Tree {
    let mut tree = page();
    let (changes, done) = tree.admit(ONE, NodeId(3), PAY, &form(ONE));
    assert_eq!(done, Ok(()));
    assert_eq!(changes.inserted, [nth(ONE, 0), nth(ONE, 1)]);
    tree
}

fn outline(tree: &Tree) -> Vec<u32> {
    tree.document().with_descendants().map(|node| node.id().0).collect()
}

#[test]
fn an_inset_is_the_document_of_its_frame_with_numbers_of_its_own() {
    let mut tree = with_form();
    let document = tree.get(NodeId(3)).unwrap().frame_document().unwrap();
    assert_eq!((document.id(), document.as_document().unwrap().location()), (nth(ONE, 0), PAY));
    assert_eq!(document.as_document().unwrap().quirks(), Quirks::Yes);
    assert_eq!(tree.quirks(), Quirks::No);
    assert_eq!(tree.get(nth(ONE, 2)).unwrap().base().map(Url::as_str), Some(PAY));
    // The page goes on with its own numbers.
    tree.apply(&[insert(NodeId(2), vec![element("i"), Part::End])]).unwrap();
    assert_eq!(
        outline(&tree),
        [1, 2, 3, ONE.document().0, nth(ONE, 1).0, nth(ONE, 2).0, nth(ONE, 3).0, 4, 5]
    );
    let more = insert(nth(ONE, 1), vec![element("b"), Part::End]);
    assert_eq!(tree.apply_inset(ONE, &[more]).1, Ok(()));
    assert!(tree.get(nth(ONE, 4)).is_some());
}

#[test]
fn nobody_writes_into_what_another_tells() {
    let attribute = |id| PageOp::SetAttribute { id, name: "class".into(), value: "x".into() };
    for stranger in [NodeId(2), NodeId(1), nth(Inset(2), 0)] {
        for op in [
            attribute(stranger),
            insert(stranger, vec![element("b"), Part::End]),
            PageOp::Move { id: nth(ONE, 2), parent: stranger, next: None },
            PageOp::Move { id: stranger, parent: nth(ONE, 1), next: None },
            PageOp::Remove { id: stranger },
            PageOp::Focus { id: Some(stranger) },
            insert(nth(ONE, 1), vec![Part::Known { id: stranger }]),
        ] {
            let mut tree = with_form();
            let (changes, done) = tree.apply_inset(ONE, std::slice::from_ref(&op));
            assert!(done.is_err(), "{op:?}");
            assert!(changes.removed.contains(&nth(ONE, 0)), "the inset goes: {op:?}");
            assert_eq!(outline(&tree), [1, 2, 3, 4], "the page stays: {op:?}");
            tree.apply(&[attribute(NodeId(4))]).unwrap();
        }
    }
    let mut tree = with_form();
    assert_eq!(tree.apply(&[attribute(nth(ONE, 1))]).unwrap_err(), Misfit::Unknown(nth(ONE, 1)));
}

#[test]
fn an_inset_stays_at_its_origin_and_says_nothing_of_the_window() {
    let mut tree = with_form();
    let go = |url: &str| PageOp::Location { url: url.into() };
    let viewport = PageOp::Viewport { width: 9, height: 9, ratio: 100 };
    let (changes, done) = tree.apply_inset(ONE, &[go("https://pay.test/done"), viewport]);
    assert_eq!((done, changes.addresses, changes.location), (Ok(()), vec![nth(ONE, 0)], false));
    assert_eq!((tree.viewport(), tree.location()), (None, "https://shop.test/"));
    for elsewhere in ["https://shop.test/", "http://pay.test/form", "https://pay.test:8443/", "about:blank"] {
        let mut tree = with_form();
        assert!(tree.apply_inset(ONE, &[go(elsewhere)]).1.is_err(), "{elsewhere}");
        assert!(!tree.has_inset(ONE));
    }
}

#[test]
fn an_inset_goes_with_its_frame_and_gives_way_to_what_the_frame_shows_next() {
    let mut tree = with_form();
    tree.apply(&[PageOp::Remove { id: NodeId(3) }]).unwrap();
    assert!(!tree.has_inset(ONE));
    assert!(tree.apply_inset(ONE, &[]).1.is_err());
    assert_eq!(outline(&tree), [1, 2, 4]);

    // The page's own script reaches into the frame now.
    let mut tree = with_form();
    let own = vec![Part::Document { quirks: Quirks::No, url: "https://shop.test/a".into() }, Part::End];
    let changes = tree.apply(&[insert(NodeId(3), own)]).unwrap();
    assert!(changes.removed.contains(&nth(ONE, 0)));
    assert_eq!(outline(&tree), [1, 2, 3, 5, 4]);
    assert!(tree.admit(Inset(2), NodeId(3), PAY, &form(Inset(2))).1.is_err(), "late word of the other");
    assert_eq!(outline(&tree), [1, 2, 3, 5, 4]);

    // The next inset, by another number.
    let mut tree = with_form();
    assert!(tree.admit(ONE, NodeId(3), PAY, &form(ONE)).1.is_err());
    let mut tree = with_form();
    assert_eq!(tree.admit(Inset(2), NodeId(3), PAY, &form(Inset(2))).1, Ok(()));
    assert!(!tree.has_inset(ONE) && tree.has_inset(Inset(2)));
    assert!(tree.dismiss(Inset(2)).parents.contains(&NodeId(3)));
    assert_eq!(outline(&tree), [1, 2, 3, 4]);
}

#[test]
fn an_inset_may_have_one_in_it_and_not_where_there_is_no_frame() {
    let mut tree = with_form();
    assert!(tree.admit(Inset(2), NodeId(4), PAY, &[]).1.is_err());
    assert!(tree.admit(Inset(2), NodeId(9), PAY, &[]).1.is_err());
    assert_eq!(tree.admit(Inset(3), nth(ONE, 2), "https://shop.test/in", &form(Inset(3))).1, Ok(()));
    assert_eq!(outline(&tree).len(), 12);
    tree.dismiss(ONE);
    assert!(!tree.has_inset(Inset(3)));
    assert_eq!(outline(&tree), [1, 2, 3, 4]);
}

#[test]
fn everyone_checks_what_they_tell() {
    let mut tree = page();
    let whole = tree.digest(NodeId(1), 100).unwrap();
    tree.admit(ONE, NodeId(3), PAY, &form(ONE)).1.unwrap();
    let check = |from: NodeId, digest: u32| PageOp::Check { from, count: 100, digest };
    assert!(!tree.apply(&[check(NodeId(1), whole)]).unwrap().diverged, "as if the inset was not there");
    let inner = tree.digest(nth(ONE, 0), 100).unwrap();
    assert!(!tree.apply_inset(ONE, &[check(nth(ONE, 0), inner)]).0.diverged);
    assert!(tree.apply_inset(ONE, &[check(NodeId(1), whole)]).0.diverged, "not of the page");
    tree.apply(&[insert(NodeId(2), vec![element("i"), Part::End])]).unwrap();
    assert_eq!(tree.digest(nth(ONE, 0), 100), Some(inner), "as if there was no page");
    assert!(tree.apply(&[check(NodeId(1), whole)]).unwrap().diverged);
}

#[test]
fn where_the_customer_is_follows_the_frames_inwards() {
    let mut tree = with_form();
    let focus = |id| PageOp::Focus { id };
    assert_eq!(tree.apply_inset(ONE, &[focus(Some(nth(ONE, 2)))]).1, Ok(()));
    assert_eq!(tree.focus(), None, "the window's focus is elsewhere");
    tree.apply(&[focus(Some(NodeId(3)))]).unwrap();
    assert_eq!(tree.focus(), Some(nth(ONE, 2)));
    let hover = |id| PageOp::States { states: States { hover: Some(id), ..States::default() } };
    tree.apply(&[hover(NodeId(3))]).unwrap();
    assert_eq!(tree.apply_inset(ONE, &[hover(nth(ONE, 1))]).1, Ok(()));
    assert_eq!(tree.attention().states.hover, Some(nth(ONE, 1)));
    tree.apply(&[focus(Some(NodeId(4))), hover(NodeId(4))]).unwrap();
    assert_eq!((tree.focus(), tree.attention().states.hover), (Some(NodeId(4)), Some(NodeId(4))));
    let top = vec![(nth(ONE, 2), TopLayer::Modal)];
    assert_eq!(tree.apply_inset(ONE, &[PageOp::TopLayer { entries: top.clone() }]).1, Ok(()));
    assert_eq!(tree.top_layer().collect::<Vec<_>>(), top);
    tree.dismiss(ONE);
    assert_eq!(tree.top_layer().count(), 0);
}
