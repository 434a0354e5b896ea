//! What becomes of HTML text, and that it is what the reference parser makes of it.

use super::*;

fn tree(html: &str) -> Tree {
    Tree::from_html(html, "https://shop.test/", Limits::default()).unwrap()
}

/// The tree in short.
fn shape(tree: &Tree) -> String {
    let mut out = String::new();
    for node in tree.document().with_descendants().skip(1) {
        let indent = " ".repeat(node.depth() - 1);
        let what = match node.kind() {
            Kind::Element(element) => {
                let list = element.attributes().map(|(name, value)| format!(" {name}={value}"));
                format!("{}{}", element.name(), list.collect::<String>())
            }
            Kind::Text(data) => format!("{data:?}"),
            Kind::ShadowRoot => "#shadow".into(),
            Kind::Doctype(doctype) => format!("!{}", doctype.name),
            Kind::Comment(data) => format!("<!{data}>"),
            Kind::Document(_) => "#document".into(),
        };
        out.push_str(&format!("{indent}{what}\n"));
    }
    out
}

#[test]
fn a_page_is_what_a_browser_makes_of_it() {
    let tree = tree(
        "<!doctype html><title>Hi</title><p>a<b>b<p>c</b><table><tr><td>1</td>stray</table>\
         <svg><use xlink:href='#x'/></svg><template>no</template><!--note-->",
    );
    let wanted = "!html\nhtml\n head\n  title\n   \"Hi\"\n body\n  p\n   \"a\"\n   b\n    \"b\"\n  p\n   b\n    \"c\"\n  \
                  \"stray\"\n  table\n   tbody\n    tr\n     td\n      \"1\"\n  svg\n   use xlink:href=#x\n  template\n  <!note>\n";
    assert_eq!(shape(&tree), wanted);
}

#[test]
fn shadow_trees_of_the_markup_are_first_in_their_host() {
    let tree =
        tree("<!doctype html><x-card>light<template shadowrootmode=open><p>dark</p></template></x-card>");
    assert!(
        shape(&tree).contains("x-card\n   #shadow\n    p\n     \"dark\"\n   \"light\"\n"),
        "{}",
        shape(&tree)
    );
}

#[test]
fn controls_are_as_the_markup_says() {
    let tree = tree(
        "<input id=a value=x><input id=b type=checkbox checked><textarea id=c>t</textarea>\
         <select id=d><option>1<option selected>2</select><select id=e><option>1</select>",
    );
    let state = |id: &str| {
        let node = tree
            .document()
            .with_descendants()
            .find(|node| node.element().is_some_and(|element| element.attribute("id") == Some(id)));
        node.unwrap().element().unwrap().control().unwrap().clone()
    };
    assert_eq!(state("a").value, Some(Value::Told("x".into())));
    assert_eq!(state("b").checked, Some(true.into()));
    assert_eq!(state("c").value, Some(Value::Told("t".into())));
    assert_eq!((state("d").selected, state("e").selected), (Some(vec![1]), Some(vec![0])));
    assert_eq!(tree.quirks(), Quirks::Yes);
}

#[test]
fn a_page_beyond_the_limits_is_an_error_and_no_crash() {
    let deep = "<div>".repeat(2_000);
    assert!(Tree::from_html(&deep, "https://shop.test/", Limits::default()).is_err());
    let small = Limits { nodes: 5, ..Limits::default() };
    assert!(Tree::from_html("<p>1<p>2<p>3<p>4", "https://shop.test/", small).is_err());
}

/// The reference: html5ever's own tree of the same text.
fn reference(html: &str) -> String {
    use markup5ever_rcdom::{Handle, NodeData, RcDom};
    fn walk(node: &Handle, depth: usize, out: &mut String) {
        for child in node.children.borrow().iter() {
            let what = match &child.data {
                NodeData::Element { name, attrs, .. } => {
                    let list = attrs
                        .borrow()
                        .iter()
                        .map(|a| match &a.name.prefix {
                            Some(prefix) => format!(" {prefix}:{}={}", a.name.local, a.value),
                            None => format!(" {}={}", a.name.local, a.value),
                        })
                        .collect::<String>();
                    format!("{}{list}", name.local)
                }
                NodeData::Text { contents } => format!("{:?}", &**contents.borrow()),
                NodeData::Comment { contents } => format!("<!{contents}>"),
                NodeData::Doctype { name, .. } => format!("!{name}"),
                _ => String::new(),
            };
            out.push_str(&format!("{}{what}\n", " ".repeat(depth)));
            walk(child, depth + 1, out);
        }
    }
    let dom = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(html);
    let mut out = String::new();
    walk(&dom.document, 0, &mut out);
    out
}

proptest::proptest! {
    #[test]
    fn any_text_makes_the_tree_that_the_parser_means(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "<p>", "</p>", "<b>", "</b>", "<table>", "</table>", "<tr>", "<td>", "<a href=x>", "</a>", "text", "<div class=y>",
                "</div>", "<select>", "<option>", "</select>", "<svg>", "</svg>", "<i>", "</i>", "<!--c-->", "<form>", "<input>",
                "<body id=z>", "<html lang=w>", "<br>", "<li>", "<button>", "<h1>", "</h1>", "<frameset>", "<math>", "<mi>",
            ]),
            0..40,
        )
    ) {
        let html = pieces.concat();
        proptest::prop_assert_eq!(shape(&tree(&html)), reference(&html));
    }
}

/// The documents of html5lib's tree-construction tests: everything a parser has ever got wrong.
#[test]
fn html5lib_documents_have_the_tree_of_the_reference() {
    let documents = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/html5lib/documents.jsonl"));
    for line in documents.lines() {
        let html: String = serde_json::from_str(line).unwrap();
        assert_eq!(shape(&tree(&html)), reference(&html), "{html:?}");
    }
}
