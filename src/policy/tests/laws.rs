//! The two laws of the masker, on random pages: patches add up to the view, and what is private is in none of them.

use super::mirror::Mirror;
use super::site::{RandomPage, masker, policies};
use crate::dom::{Kind, Limits, NodeRef, Tree};
use crate::policy::{Masker, Policies};
use crate::protocol::page::{Namespace, PageOp, Part, Value};
use std::sync::Arc;

const POLICIES: [&str; 8] = [
    "",
    "[[mask]]\nselect = '.secret'\n[[hide]]\nselect = '.gray'",
    "[[mask]]\nselect = '.flag + *, .x:has(.flag)'\n[[hide]]\nselect = 'li:nth-child(2n), .y:not(.x) > .secret'",
    "[[mask]]\nselect = '[title], div > .x'\n[[control]]\nselect = '.on'\nagent = 'enabled'\n[[control]]\nselect = '.off'\nagent = 'disabled'",
    "default = 'mask'\n[[show]]\nselect = '.open'\n[[mask]]\nselect = '.secret'\n[[hide]]\nselect = '.gray'",
    "urls = ['/checkout/**']\n[[mask]]\nselect = '.secret, .open'\nlabel = 'x'\n[[pause]]\nurls = ['/quiet/**']",
    "[[mask]]\nselect = ':checked, option:checked, :empty, :disabled'",
    "[[mask]]\nselect = '.secret, .x'\nlength = 'fixed'\n[[reveal]]\nselect = '.x > .secret, p'\nroles = ['agent']",
];

/// How many random pages a law is tried on. `TANDEM_FUZZ=100` tries a hundred times as many.
fn pages(short: u64) -> std::ops::Range<u64> {
    let times = std::env::var("TANDEM_FUZZ").ok().and_then(|value| value.parse().ok()).unwrap_or(1);
    0..short.saturating_mul(times)
}

fn dump(masker: &mut Masker, tree: &Tree) -> String {
    let mut mirror = Mirror::default();
    mirror.apply(&masker.view(tree).patch.0);
    mirror.dump()
}

/// Shows the first lines in which two dumps differ.
fn same(mirror: &str, wanted: &str, context: &dyn Fn() -> String) {
    if mirror != wanted {
        let (held, due) =
            mirror.lines().zip(wanted.lines()).find(|(a, b)| a != b).unwrap_or(("more", "or less"));
        panic!("the mirror has\n{held}\nthe view is\n{due}\n{}", context());
    }
}

#[test]
fn patches_add_up_to_the_view() {
    for seed in pages(96) {
        let policies = policies(POLICIES[seed as usize % POLICIES.len()]);
        let (mut page, start) = RandomPage::new(seed + 1);
        let mut tree = Tree::new(Limits::default());
        let (mut live, mut mirror) = (masker(&policies), Mirror::default());
        let changes = tree.apply(&start).unwrap();
        mirror.apply(&live.update(&tree, &changes).patch.0);
        for round in 0..60 {
            if round == 30 {
                live.use_up_places();
            }
            let ops = page.batch();
            let changes = tree.apply(&ops).unwrap();
            let masked = live.update(&tree, &changes);
            mirror.apply(&masked.patch.0);
            mirror.apply(&live.check(&tree).0);
            // What was typed before is all that a new masker can not know.
            let mut new = masker(&policies);
            new.typed(None, &live.echoes().known);
            let wanted = dump(&mut new, &tree);
            let context = || format!("seed {seed} round {round}: {ops:?}\n{:?}", masked.patch.0);
            same(&mirror.dump(), &wanted, &context);
            let mut late = Mirror::default();
            late.apply(&live.snapshot(&tree).0);
            same(&late.dump(), &wanted, &context);
        }
    }
}

#[test]
fn marks_and_resources_add_up_too() {
    for seed in pages(48) {
        let policies = policies(POLICIES[seed as usize % POLICIES.len()]);
        let (mut page, start) = RandomPage::new(seed + 1_000);
        let mut tree = Tree::new(Limits::default());
        let mut live = masker(&policies);
        let mut marks = std::collections::BTreeMap::new();
        let mut told = std::collections::BTreeSet::new();
        let mut ops = start;
        for round in 0..60 {
            let changes = tree.apply(&ops).unwrap();
            let masked = live.update(&tree, &changes);
            changes.removed.iter().chain(&masked.cleared).for_each(|id| {
                marks.remove(id);
            });
            marks.extend(masked.marks.into_iter().map(|mark| (mark.node, mark)));
            told.extend(masked.resources.into_iter().map(|resource| resource.token));
            let whole = masker(&policies).view(&tree);
            let wanted: std::collections::BTreeMap<_, _> =
                whole.marks.into_iter().map(|mark| (mark.node, mark)).collect();
            assert_eq!(marks, wanted, "seed {seed} round {round}");
            for resource in whole.resources {
                assert!(told.contains(&resource.token), "seed {seed} round {round}: {}", resource.url);
            }
            ops = page.batch();
        }
    }
}

/// Decides by plain walking, without selectors and without memory, whether a role may see what an element says.
fn private(node: NodeRef<'_>, masked_by_default: bool) -> bool {
    let mut shown = !masked_by_default;
    for above in node.with_ancestors() {
        // What a slot shows is inside of what the slot is inside, too.
        for slot in slots_of(above) {
            if private(slot, masked_by_default && !shown) {
                return true;
            }
        }
        let Some(element) = above.element() else { continue };
        let class = element.attribute("class").unwrap_or_default();
        let own = element.attribute("data-tandem").unwrap_or_default();
        if matches!(class, "secret" | "gray")
            || matches!(own, "mask" | "hide" | "ignore")
            || element.was_password()
            || matches!(element.name(), "script" | "template" | "meta")
            || (element.name() == "iframe" && above.frame_document().is_none())
        {
            return true;
        }
        shown |= class == "open";
    }
    !shown
}

/// The slots that may show a node, found without any memory.
fn slots_of(node: NodeRef<'_>) -> Vec<NodeRef<'_>> {
    let Some(root) = node.parent().and_then(NodeRef::first_child) else { return Vec::new() };
    if !matches!(root.kind(), Kind::ShadowRoot) || root == node {
        return Vec::new();
    }
    let named = |node: &NodeRef<'_>, name: &str| {
        node.element().and_then(|element| element.attribute(name)).unwrap_or_default().to_owned()
    };
    let inside = root.with_descendants().filter(|node| node.is_html("slot") && node.tree_root() == root);
    let all: Vec<NodeRef<'_>> = inside.collect();
    match all.iter().find(|slot| named(slot, "name") == named(&node, "slot")) {
        Some(slot) => vec![*slot],
        None => all,
    }
}

/// Every word that no agent may get now.
fn secrets(tree: &Tree, masked_by_default: bool) -> Vec<String> {
    let mut out = Vec::new();
    for node in tree.document().with_descendants() {
        let private = private(node, masked_by_default);
        match node.kind() {
            // Sheets stay where nothing but the default masks: a page must be readable.
            Kind::Text(_) if masked_by_default && node.parent().is_some_and(|parent| is(parent, "style")) => {
            }
            Kind::Text(data) if private => out.push(data.to_string()),
            Kind::Comment(data) => out.push(data.to_string()),
            Kind::Element(element) => {
                for (name, value) in element.attributes() {
                    let never = matches!(&**name, "onclick" | "srcset")
                        || (&**name == "value"
                            && element.is_html("input")
                            && element.attribute_is("type", "hidden"));
                    if (private && !matches!(&**name, "class" | "type" | "disabled")) || never {
                        out.push(value.to_owned());
                    }
                }
                if private {
                    out.extend(element.source().map(str::to_owned));
                    if let Some(Value::Told(text)) = element.control().and_then(|state| state.value.as_ref())
                    {
                        out.push(text.to_string());
                    }
                }
            }
            _ => {}
        }
    }
    let mut words = Vec::new();
    for text in out {
        let starts = text.match_indices('Q').map(|(at, _)| at);
        words.extend(starts.filter_map(|at| text[at..].find('Z').map(|end| text[at..=at + end].to_owned())));
    }
    words
}

fn is(node: NodeRef<'_>, name: &str) -> bool {
    node.element().is_some_and(|element| element.name() == name)
}

fn contains(bytes: &[u8], word: &str) -> bool {
    memchr::memmem::find(bytes, word.as_bytes()).is_some()
}

#[test]
fn what_is_private_is_in_no_frame() {
    let mut looked_for = 0;
    for seed in pages(60) {
        let masked_by_default = seed % 2 == 0;
        let policies: Arc<Policies> = policies(POLICIES[if masked_by_default { 4 } else { 1 }]);
        let (mut page, start) = RandomPage::new(seed + 9_000);
        let mut tree = Tree::new(Limits::default());
        let mut live = masker(&policies);
        let mut ops: Vec<PageOp> = start;
        for round in 0..60 {
            let changes = tree.apply(&ops).unwrap();
            let patch = live.update(&tree, &changes).patch.encode(1, round);
            let view = live.snapshot(&tree).encode(1, 0);
            for word in secrets(&tree, masked_by_default) {
                looked_for += 1;
                for (what, frame) in [("patch", &patch), ("view", &view)] {
                    assert!(
                        !contains(frame.bytes(), &word),
                        "{word} is in a {what}, seed {seed} round {round}: {ops:#?}"
                    );
                }
            }
            ops = page.batch();
        }
    }
    assert!(looked_for > 10_000, "the pages held only {looked_for} secrets");
}

#[test]
fn the_canary_test_would_notice() {
    // A masker without rules shows the words that the test looks for.
    let (mut page, _) = RandomPage::new(78);
    for _ in 0..40 {
        page.batch();
    }
    let view = masker(&policies("")).view(&page.tree).patch.encode(1, 0);
    assert!(secrets(&page.tree, true).iter().any(|word| contains(view.bytes(), word)));
}

#[test]
fn deep_and_wide_pages_take_no_stack() {
    let mut parts = Vec::new();
    for _ in 0..510 {
        parts.push(Part::Element { namespace: Namespace::Html, name: "div".into(), attributes: Vec::new() });
    }
    parts.extend((0..510).map(|_| Part::End));
    let mut tree = Tree::new(Limits::default());
    tree.apply(&[
        PageOp::Begin { quirks: crate::protocol::page::Quirks::No },
        PageOp::Insert { parent: crate::protocol::NodeId::DOCUMENT, next: None, parts },
    ])
    .unwrap();
    assert!(!masker(&policies("[[mask]]\nselect = 'div div div div'")).view(&tree).patch.is_empty());
}
