//! The tree: what fits and what does not, limits, hostile input; and selectors as browsers match them.

use super::*;
use crate::protocol::NodeId;
use crate::protocol::page::{Control, Namespace, PageOp, Part, Quirks, TopLayer, Value};

fn element(name: &str, attributes: &[(&str, &str)]) -> Part {
    let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Part::Element { namespace: Namespace::Html, name: name.into(), attributes }
}

fn text(data: &str) -> Part {
    Part::Text { data: data.into() }
}

fn insert(parent: u32, next: u32, parts: Vec<Part>) -> PageOp {
    PageOp::Insert { parent: NodeId(parent), next: (next != 0).then_some(NodeId(next)), parts }
}

fn shift(id: u32, parent: u32, next: u32) -> PageOp {
    PageOp::Move { id: NodeId(id), parent: NodeId(parent), next: (next != 0).then_some(NodeId(next)) }
}

const BEGIN: PageOp = PageOp::Begin { quirks: Quirks::No };

/// html 2 (body 3 (p 4 (text 5), host 6 (shadow root 7 (i 8)), text 9)).
fn small() -> Tree {
    let mut tree = Tree::new(Limits::default());
    let parts = vec![
        element("html", &[]),
        element("body", &[]),
        element("p", &[("id", "p")]),
        text("x"),
        Part::End,
        element("x-host", &[]),
        Part::ShadowRoot,
        element("i", &[("class", "in")]),
        Part::End,
        Part::End,
        Part::End,
        text("y"),
        Part::End,
        Part::End,
    ];
    tree.apply(&[BEGIN, insert(1, 0, parts)]).unwrap();
    tree
}

fn outline(tree: &Tree) -> String {
    let mut out = String::new();
    for node in tree.document().with_descendants() {
        out += &format!("{}{} ", "-".repeat(node.depth()), node.id().0);
    }
    out.trim_end().to_owned()
}

/// Every link has its counterpart, and every node is found by its id.
fn check(tree: &Tree) {
    let mut count = 0;
    for node in tree.document().with_descendants() {
        count += 1;
        assert_eq!(tree.get(node.id()), Some(node));
        assert!(
            node.next().is_none_or(|next| next.previous() == Some(node) && next.parent() == node.parent())
        );
        assert!(node.first_child().is_none_or(|first| first.previous().is_none()));
        assert_eq!(node.children().last(), node.last_child());
        for child in node.children() {
            assert_eq!(child.parent(), Some(node));
        }
    }
    assert_eq!(count, tree.len());
    let frames = tree.document().with_descendants().skip(1).filter(|node| node.as_document().is_some());
    assert_eq!(tree.has_frames(), frames.count() > 0);
}

#[test]
fn ids_follow_the_order_of_parts() {
    assert_eq!(outline(&small()), "1 -2 --3 ---4 ----5 ---6 ----7 -----8 ---9");
}

#[test]
fn known_nodes_are_wrapped_and_keep_their_ids() {
    let mut tree = small();
    let known = Part::Known { id: NodeId(4) };
    let changes =
        tree.apply(&[insert(3, 6, vec![element("div", &[]), known, text("z"), Part::End])]).unwrap();
    assert_eq!(outline(&tree), "1 -2 --3 ---10 ----4 -----5 ----11 ---6 ----7 -----8 ---9");
    assert_eq!((changes.inserted, changes.moved), (vec![NodeId(10)], vec![NodeId(4)]));
    check(&tree);
}

#[test]
fn what_does_not_fit_is_refused() {
    let cases: Vec<(PageOp, Misfit)> = vec![
        (BEGIN, Misfit::BegunTwice),
        (insert(77, 0, vec![text("x")]), Misfit::Unknown(NodeId(77))),
        (insert(5, 0, vec![text("x")]), Misfit::Kind(NodeId(5))),
        (insert(3, 5, vec![text("x")]), Misfit::NotAChild(NodeId(5))),
        (insert(1, 0, vec![text("x")]), Misfit::Kind(NodeId(1))),
        (insert(6, 7, vec![text("x")]), Misfit::Kind(NodeId(6))),
        (insert(3, 0, vec![]), Misfit::Nesting),
        (insert(3, 0, vec![Part::End]), Misfit::Nesting),
        (insert(3, 0, vec![element("a", &[])]), Misfit::Nesting),
        (insert(3, 0, vec![text("x"), text("y")]), Misfit::Nesting),
        (
            insert(3, 0, vec![element("a", &[]), text("x"), Part::ShadowRoot, Part::End, Part::End]),
            Misfit::Kind(NodeId(10)),
        ),
        (shift(3, 4, 0), Misfit::Cycle(NodeId(3))),
        (shift(4, 4, 0), Misfit::Cycle(NodeId(4))),
        (shift(4, 3, 4), Misfit::NotAChild(NodeId(4))),
        (shift(1, 3, 0), Misfit::Kind(NodeId(1))),
        (shift(7, 4, 0), Misfit::Kind(NodeId(7))),
        (PageOp::Remove { id: NodeId(1) }, Misfit::Kind(NodeId(1))),
        (PageOp::Text { id: NodeId(4), data: "x".into() }, Misfit::Kind(NodeId(4))),
        (PageOp::SetAttribute { id: NodeId(5), name: "a".into(), value: "".into() }, Misfit::Kind(NodeId(5))),
        (PageOp::Control { id: NodeId(5), state: Control::default() }, Misfit::Kind(NodeId(5))),
        (PageOp::Box { id: NodeId(1), width: 1, height: 1 }, Misfit::Kind(NodeId(1))),
        (PageOp::Focus { id: Some(NodeId(99)) }, Misfit::Unknown(NodeId(99))),
        (PageOp::TopLayer { entries: vec![(NodeId(5), TopLayer::Modal)] }, Misfit::Kind(NodeId(5))),
    ];
    for (op, misfit) in cases {
        assert_eq!(small().apply(std::slice::from_ref(&op)).err(), Some(misfit), "{op:?}");
    }
    let mut fresh = Tree::new(Limits::default());
    assert_eq!(fresh.apply(&[PageOp::Focus { id: None }]).err(), Some(Misfit::NotBegun));
    assert_eq!(fresh.apply(&[]).err(), Some(Misfit::NotBegun));
}

#[test]
fn removal_frees_everything_inside() {
    let mut tree = small();
    let changes =
        tree.apply(&[PageOp::Focus { id: Some(NodeId(8)) }, PageOp::Remove { id: NodeId(6) }]).unwrap();
    assert_eq!(changes.removed, [6, 7, 8].map(NodeId));
    assert_eq!((tree.len(), tree.focus()), (6, None));
    assert!(tree.get(NodeId(8)).is_none());
    tree.apply(&[insert(3, 4, vec![text("new")])]).unwrap();
    assert!(tree.get(NodeId(10)).is_some(), "ids are never used again");
    check(&tree);
}

#[test]
fn limits_hold() {
    let limits = Limits { nodes: 20, depth: 6, attributes: 2, text: 4_000, work: 10_000 };
    let grow = |ops: &[PageOp]| {
        let mut tree = Tree::new(limits);
        tree.apply(&[BEGIN, insert(1, 0, vec![element("a", &[]), Part::End])]).unwrap();
        let mut outcome = Ok(());
        for _ in 0..60 {
            outcome = outcome.and(tree.apply(ops).map(|_| ()));
        }
        check(&tree);
        outcome.err()
    };
    let long = "x".repeat(500);
    assert_eq!(grow(&[insert(2, 0, vec![text("x")])]), Some(Misfit::Limit("nodes of the page")));
    let mut deep: Vec<Part> = (0..6).map(|_| element("b", &[])).collect();
    deep.extend((0..6).map(|_| Part::End));
    assert_eq!(grow(&[insert(2, 0, deep)]), Some(Misfit::Limit("depth of the page")));
    assert_eq!(grow(&[insert(2, 0, vec![text(&long)])]), Some(Misfit::Limit("text of the page")));
    let set = |name: String| PageOp::SetAttribute { id: NodeId(2), name: name.into(), value: "".into() };
    assert_eq!(
        grow(&["p", "q", "r"].map(|name| set(name.into()))),
        Some(Misfit::Limit("attributes of an element"))
    );
    assert_eq!(grow(&vec![PageOp::Focus { id: None }; 10_001]), Some(Misfit::Limit("work for one batch")));
    // Values that replace others are not added up.
    let value = |text: &str| PageOp::SetAttribute { id: NodeId(2), name: "v".into(), value: text.into() };
    assert_eq!(grow(&[value(&long), value("")]), None);
    let state = Control { value: Some(Value::Told(long.as_str().into())), ..Control::default() };
    assert_eq!(grow(&[PageOp::Control { id: NodeId(2), state }]), None);
}

#[test]
fn moves_cannot_grow_a_page_beyond_its_depth() {
    let chain = |length: usize| {
        let mut parts: Vec<Part> = (0..length).map(|_| element("b", &[])).collect();
        parts.extend((0..length).map(|_| Part::End));
        parts
    };
    let mut tree = Tree::new(Limits { depth: 12, ..Limits::default() });
    tree.apply(&[BEGIN, insert(1, 0, chain(8)), insert(1, 0, chain(8))]).unwrap();
    assert!(tree.apply(&[shift(10, 5, 0)]).is_ok());
    let mut tree = Tree::new(Limits { depth: 12, ..Limits::default() });
    tree.apply(&[BEGIN, insert(1, 0, chain(8)), insert(1, 0, chain(8))]).unwrap();
    assert_eq!(tree.apply(&[shift(10, 6, 0)]).err(), Some(Misfit::Limit("depth of the page")));
}

#[test]
fn urls_are_resolved_as_of_when_they_came() {
    let mut tree = small();
    let at = |url: &str| PageOp::Location { url: url.into() };
    tree.apply(&[at("https://a.test/x/y"), insert(3, 0, vec![element("img", &[]), Part::End])]).unwrap();
    tree.apply(&[at("https://a.test/z/"), insert(3, 0, vec![element("img", &[]), Part::End])]).unwrap();
    let base = |id: u32| tree.get(NodeId(id)).unwrap().base().map(url::Url::as_str);
    assert_eq!((base(10), base(11)), (Some("https://a.test/x/y"), Some("https://a.test/z/")));
    tree.apply(&[insert(2, 3, vec![element("base", &[("href", "//b.test/")]), Part::End])]).unwrap();
    assert_eq!(tree.base().map(url::Url::as_str), Some("https://b.test/"));
    tree.apply(&[PageOp::Remove { id: NodeId(12) }]).unwrap();
    assert_eq!(tree.base().map(url::Url::as_str), Some("https://a.test/z/"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]
    /// Whatever comes, the tree refuses or stays a tree.
    #[test]
    fn any_operations_leave_a_tree(script in proptest::collection::vec((0u8..12, 1u32..24, 1u32..24, 0u32..24), 1..60)) {
        let mut tree = small();
        for (kind, id, parent, next) in script {
            let known = Part::Known { id: NodeId(id) };
            let op = match kind {
                0 => insert(parent, next, vec![element("b", &[("class", "k")]), text("t"), Part::End]),
                1 => insert(parent, next, vec![element("b", &[]), known, Part::End]),
                2 => insert(parent, next, vec![element("c", &[]), Part::ShadowRoot, known, Part::End, Part::End]),
                3 | 4 => shift(id, parent, next),
                5 => PageOp::Remove { id: NodeId(id) },
                6 => insert(parent, next, vec![known]),
                7 => PageOp::Text { id: NodeId(id), data: "u".into() },
                8 => insert(parent, next, framed("iframe", Quirks::No, "about:blank", vec![known])),
                9 => PageOp::Address { id: NodeId(id), url: "https://a.test/".into() },
                10 => insert(parent, next, vec![element("base", &[("href", "x")]), Part::End]),
                _ => PageOp::SetAttribute { id: NodeId(id), name: "src".into(), value: "v".into() },
            };
            if tree.apply(&[op]).is_err() {
                return Ok(());
            }
            check(&tree);
        }
    }
}

fn select(tree: &Tree, selector: &str) -> Vec<u32> {
    let selector = Selector::parse(selector).unwrap_or_else(|bad| panic!("{selector}: {bad}"));
    let mut matcher = Matcher::new(tree);
    tree.document()
        .with_descendants()
        .filter(|node| matcher.matches(&selector, *node))
        .map(|node| node.id().0)
        .collect()
}

/// html 2 (div#A.k 3 (p 4, p.Big 5 (input 6), p 7 (text 8)), select 9 (option 10, option 11), form 12 (input 13)).
fn rich() -> Tree {
    let mut tree = Tree::new(Limits::default());
    let parts = vec![
        element("html", &[]),
        element("div", &[("id", "A"), ("class", "k other"), ("data-x", "One two")]),
        element("p", &[]),
        Part::End,
        element("p", &[("class", "Big")]),
        element("input", &[("type", "CheckBox"), ("required", "")]),
        Part::End,
        Part::End,
        element("p", &[("title", "t")]),
        text("x"),
        Part::End,
        Part::End,
        element("select", &[]),
        element("option", &[]),
        Part::End,
        element("option", &[("selected", "")]),
        Part::End,
        Part::End,
        element("form", &[]),
        element("input", &[("disabled", ""), ("AUTOCOMPLETE".to_lowercase().as_str(), "cc-number")]),
        Part::End,
        Part::End,
        Part::End,
    ];
    tree.apply(&[BEGIN, insert(1, 0, parts)]).unwrap();
    tree
}

#[test]
fn selectors_match_as_in_browsers() {
    let tree = rich();
    for (selector, expected) in [
        ("p", vec![4, 5, 7]),
        ("P", vec![4, 5, 7]),
        (":root", vec![2]),
        ("#A > p", vec![4, 5, 7]),
        ("#a > p", vec![]),
        (".big", vec![]),
        (".Big input", vec![6]),
        ("p + p", vec![5, 7]),
        ("p.Big ~ p", vec![7]),
        ("p:nth-child(2)", vec![5]),
        ("p:nth-last-child(1 of [title])", vec![7]),
        ("p:first-child, p:last-child", vec![4, 7]),
        ("div:has(input)", vec![3]),
        ("p:has(+ .Big)", vec![4]),
        ("p:not(.Big, [title])", vec![4]),
        (":is(p, div):not(:empty)", vec![3, 5, 7]),
        ("p:empty", vec![4]),
        ("input[type=checkbox]", vec![6]),
        ("[DATA-X~=two]", vec![3]),
        ("[data-x=\"one TWO\" i]", vec![3]),
        ("[data-x=\"one TWO\"]", vec![]),
        ("input[autocomplete^=cc-]", vec![13]),
        ("input:disabled", vec![13]),
        ("input:enabled", vec![6]),
        (":required", vec![6]),
        ("option:checked", vec![11]),
        ("input:checked", vec![]),
    ] {
        assert_eq!(select(&tree, selector), expected, "{selector}");
    }
    let mut tree = tree;
    let state = Control { selected: Some(vec![0]), ..Control::default() };
    tree.apply(&[PageOp::Control { id: NodeId(9), state }]).unwrap();
    assert_eq!(select(&tree, "option:checked"), [10]);
}

#[test]
fn selectors_stay_in_their_tree() {
    let tree = small();
    assert_eq!(select(&tree, "i"), [8]);
    assert_eq!(select(&tree, ".in:first-child"), [8]);
    assert!(select(&tree, "body i, x-host > i, html .in").is_empty());
    assert!(select(&tree, "body:has(i)").is_empty());
}

#[test]
fn quirks_pages_do_not_tell_case_in_classes() {
    let mut tree = Tree::new(Limits::default());
    tree.apply(&[
        PageOp::Begin { quirks: Quirks::Yes },
        insert(1, 0, vec![element("p", &[("class", "Big"), ("id", "ID")]), Part::End]),
    ])
    .unwrap();
    assert_eq!(select(&tree, ".bIG#id"), [2]);
}

#[test]
fn a_selector_says_what_it_depends_on() {
    let needs = |text: &str| Selector::parse(text).unwrap().needs().clone();
    let local = needs("form.x #y [Data-Z] > input");
    assert!(!local.structure && !local.state && !local.text);
    assert_eq!(local.attributes, ["class", "data-z", "id"].map(Box::from));
    assert!(needs("a + b").structure && needs("a:not(b ~ c)").structure && needs(":nth-child(2)").structure);
    let has = needs("p:has(.x [y])");
    assert!(has.structure && has.attributes == ["class", "y"].map(Box::from));
    assert!(needs(":is(a, b:empty)").text && needs(":checked").state);
}

/// The element `parent` shows a document.
fn framed(name: &str, quirks: Quirks, url: &str, inside: Vec<Part>) -> Vec<Part> {
    let mut parts = vec![element(name, &[]), Part::Document { quirks, url: url.into() }];
    parts.extend(inside);
    parts.extend([Part::End, Part::End]);
    parts
}

fn anchor(href: &str) -> [Part; 2] {
    [element("a", &[("href", href)]), Part::End]
}

#[test]
fn a_document_is_the_only_one_of_a_frame_and_its_first_child() {
    let inside = vec![element("html", &[]), Part::End];
    let mut tree = small();
    // 10 iframe, 11 document, 12 html.
    tree.apply(&[insert(3, 0, framed("iframe", Quirks::Yes, "about:blank", inside.clone()))]).unwrap();
    check(&tree);
    assert_eq!(outline(&tree), "1 -2 --3 ---4 ----5 ---6 ----7 -----8 ---9 ---10 ----11 -----12");
    assert!(tree.has_frames());
    let document = |id: u32| tree.get(NodeId(id)).unwrap().document().id().0;
    assert_eq!([12, 11, 10, 8, 1].map(document), [11, 11, 1, 1, 1]);
    let frame = || vec![Part::Document { quirks: Quirks::No, url: "".into() }, Part::End];
    for (op, wanted) in [
        (insert(10, 0, frame()), Misfit::Kind(NodeId(10))),
        (insert(10, 11, frame()), Misfit::Kind(NodeId(10))),
        (insert(10, 11, vec![text("before")]), Misfit::Kind(NodeId(10))),
        (insert(4, 0, frame()), Misfit::Kind(NodeId(4))),
        (insert(11, 0, vec![text("no text")]), Misfit::Kind(NodeId(11))),
        (shift(11, 10, 0), Misfit::Kind(NodeId(11))),
        (PageOp::Address { id: NodeId(1), url: "".into() }, Misfit::Kind(NodeId(1))),
        (PageOp::Address { id: NodeId(10), url: "".into() }, Misfit::Kind(NodeId(10))),
        (shift(10, 12, 0), Misfit::Cycle(NodeId(10))),
    ] {
        let mut tree = small();
        tree.apply(&[insert(3, 0, framed("iframe", Quirks::Yes, "about:blank", inside.clone()))]).unwrap();
        assert_eq!(tree.apply(std::slice::from_ref(&op)).unwrap_err(), wanted, "{op:?}");
    }
    let changes = tree.apply(&[PageOp::Remove { id: NodeId(11) }, insert(10, 0, frame())]).unwrap();
    assert_eq!(changes.removed, [NodeId(11), NodeId(12)]);
    tree.apply(&[PageOp::Remove { id: NodeId(10) }]).unwrap();
    assert!(!tree.has_frames());
    check(&tree);
}

#[test]
fn every_document_has_a_base_of_its_own() {
    let mut inside = vec![element("html", &[])];
    inside.extend(anchor("x"));
    inside.push(Part::End);
    let mut blank = vec![element("html", &[])];
    blank.extend(framed("iframe", Quirks::No, "about:srcdoc", inside.clone()));
    blank.push(Part::End);
    let mut tree = small();
    tree.apply(&[
        PageOp::Location { url: "https://a.test/top/".into() },
        // 10 iframe, 11 document, 12 html, 13 iframe, 14 document, 15 html, 16 a.
        insert(3, 0, framed("iframe", Quirks::No, "https://b.test/frame/", blank)),
        // 17 iframe, 18 document, 19 html, 20 a.
        insert(3, 0, framed("iframe", Quirks::No, "blob:https://a.test/1-2", inside.clone())),
    ])
    .unwrap();
    let base = |tree: &Tree, id: u32| tree.get(NodeId(id)).unwrap().base().unwrap().to_string();
    assert_eq!(base(&tree, 16), "https://b.test/frame/", "of the document that made it");
    assert_eq!(base(&tree, 20), "https://a.test/top/");
    tree.apply(&[
        insert(12, 13, vec![element("base", &[("href", "deeper/")]), Part::End]),
        PageOp::SetAttribute { id: NodeId(16), name: "title".into(), value: "".into() },
    ])
    .unwrap();
    assert_eq!(base(&tree, 16), "https://b.test/frame/", "that was before");
    let mut again = anchor("y").to_vec();
    again.truncate(2);
    tree.apply(&[insert(12, 0, again), insert(3, 0, anchor("z").to_vec())]).unwrap();
    assert_eq!(base(&tree, 22), "https://b.test/frame/deeper/");
    assert_eq!(base(&tree, 23), "https://a.test/top/");
    let changes =
        tree.apply(&[PageOp::Address { id: NodeId(11), url: "https://b.test/else/".into() }]).unwrap();
    assert_eq!(changes.addresses, [NodeId(11)]);
    assert!(!changes.location);
    tree.apply(&[insert(12, 0, anchor("y").to_vec()), PageOp::Remove { id: NodeId(10) }]).unwrap();
    assert_eq!(tree.base().unwrap().as_str(), "https://a.test/top/");
    check(&tree);
}

#[test]
fn selectors_and_forms_stay_in_their_document() {
    let mut inside = vec![element("html", &[]), element("body", &[("class", "In")])];
    inside.extend([element("button", &[("id", "inner")]), Part::End, Part::End, Part::End]);
    let mut form = vec![element("form", &[]), element("fieldset", &[("disabled", "")])];
    form.extend(framed("iframe", Quirks::Yes, "", inside));
    form.extend([Part::End, Part::End]);
    let mut tree = small();
    tree.apply(&[insert(3, 0, form)]).unwrap();
    let button = tree.get(NodeId(16)).unwrap();
    assert_eq!(button.element().unwrap().attribute("id"), Some("inner"));
    let mut matcher = Matcher::new(&tree);
    let mut hits = |selector: &str| matcher.matches(&Selector::parse(selector).unwrap(), button);
    assert!(hits("body.in > button"), "a frame in quirks mode has no letter case");
    assert!(hits(":root button"));
    assert!(!hits("form button"), "the page's form is not around it");
    assert!(!forms::submits(button) && !forms::disabled(button));
    assert!(forms::owner(button).is_none());
}
