//! Places in documents, and the same places however the document is cut.

use proptest::prelude::*;

use super::*;
use crate::rewrite::fuzz::cases;

/// The place of `@` in a document.
fn place(text: &str) -> Place {
    let mut html = Html::default();
    html.feed(text.split('@').next().unwrap().as_bytes());
    html.place()
}

#[test]
fn knows_where_it_is() {
    use Holds::*;
    let attribute = |holds, begins| Place::Attribute { holds, begins };
    for (text, expected) in [
        ("@", Place::Elsewhere),
        ("<a href=@", attribute(Url, true)),
        ("<a href=' @", attribute(Url, true)),
        ("<a href=\"x@", attribute(Url, false)),
        ("<A x HREF = '@", attribute(Url, true)),
        ("<a title='<' href='@", attribute(Url, true)),
        ("<a b='>' srcset='@", attribute(Urls, true)),
        ("<p style=\"background:url(@", attribute(Code, false)),
        ("<p data-x=\"@", attribute(Data, true)),
        ("<p value=\"@", attribute(Other, true)),
        ("</a href='@", Place::Elsewhere),
        ("<a href=x>@", Place::Elsewhere),
        ("<!-- <a href='@", Place::Elsewhere),
        ("<!--> <a href='@", attribute(Url, true)),
        ("<!-- --!><a href='@", attribute(Url, true)),
        ("<!-- -- ><a href='@", Place::Elsewhere),
        ("<!doctype '><a href='@", attribute(Url, true)),
        ("<?x ?><a href='@", attribute(Url, true)),
        ("< a href='@", Place::Elsewhere),
        ("<<a href='@", attribute(Url, true)),
        ("<style>@", Place::Style),
        ("<style></styl>@", Place::Style),
        ("<style></style ><a href='@", attribute(Url, true)),
        ("<script>@", Place::Script(Script::JavaScript)),
        ("<script type=module>@", Place::Script(Script::JavaScript)),
        ("<script type='application/LD+json'>@", Place::Script(Script::Json)),
        ("<script type=importmap>@", Place::Script(Script::Json)),
        ("<script type=text/x-template>@", Place::Script(Script::Other)),
        ("<script>'<a href=@", Place::Script(Script::JavaScript)),
        ("<script><!-- <script> </script> @", Place::Script(Script::JavaScript)),
        ("<script><!-- <script> </script> </script>@", Place::Elsewhere),
        ("<script><!-- --> <script> </script>@", Place::Elsewhere),
        ("<script><!--></script>@", Place::Elsewhere),
        ("<title><a href='@", Place::Elsewhere),
        ("<textarea></textarea><a href='@", attribute(Url, true)),
        ("<svg><script href='x'/><a href='@", attribute(Url, true)),
        ("<script/><a href='@", Place::Script(Script::JavaScript)),
        ("<svg></svg><script/><a href='@", Place::Script(Script::JavaScript)),
        ("<plaintext></plaintext><a href='@", Place::Elsewhere),
    ] {
        assert_eq!(place(text), expected, "{text}");
    }
    let mut drawing = Html::new(true);
    drawing.feed(b"<style/><a xlink:href='");
    assert_eq!(drawing.place(), attribute(Url, true));
}

#[test]
fn pinned_content_is_noticed() {
    let mut html = Html::default();
    html.feed(b"<link integrity=x href='/a.css'><link href=/b.css><script src=c.js integrity></script><p integrity=y>");
    assert_eq!(html.take_pins(), [b"/a.css".to_vec(), b"c.js".to_vec()]);
    assert!(html.take_pins().is_empty());
}

#[test]
fn attributes_have_their_values_places() {
    let tag = "<meta CONTENT=\"a > b\" x http-equiv=c y='' z = d>";
    let attributes = Html::attributes(tag.as_bytes());
    let read: Vec<(&str, &str)> =
        attributes.iter().map(|(name, value)| (name.as_str(), &tag[value.clone()])).collect();
    assert_eq!(read, [("content", "a > b"), ("http-equiv", "c"), ("y", ""), ("z", "d")]);
}

fn document() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "<",
        ">",
        "/",
        "!",
        "-",
        "--",
        "=",
        "'",
        "\"",
        " ",
        "a",
        "href",
        "script",
        "style",
        "svg",
        "<script",
        "</script",
        "<style>",
        "</style>",
        "<!--",
        "-->",
        "<a href=",
        "integrity",
        "<link ",
        "title",
        "?",
        "\n",
    ]);
    prop::collection::vec(parts, 0..25).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn cuts_change_nothing(text in document(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(text.len() + 1);
        let (mut whole, mut cut_up) = (Html::default(), Html::default());
        whole.feed(text.as_bytes());
        cut_up.feed(&text.as_bytes()[..cut]);
        cut_up.feed(&text.as_bytes()[cut..]);
        prop_assert_eq!(format!("{whole:?}"), format!("{cut_up:?}"));
    }

    /// html5ever's own tokenizer sees an attribute exactly where we do.
    #[test]
    fn agrees_with_the_reference(text in document()) {
        let document = format!("{text}<i title=@ poster=\"@\">");
        let mut html = Html::default();
        let here = document.rfind("\"@").unwrap() + 1;
        html.feed(&document.as_bytes()[..here]);
        let ours = html.place() == Place::Attribute { holds: Holds::Url, begins: true };
        let theirs = crate::rewrite::html::tests::reference::has_link(&document);
        // In drawings and formulas, whether an element may close itself depends on the tree.
        let drawing = text.contains("svg");
        prop_assert!(drawing || ours == theirs, "{}", document);
    }
}

/// The reference parser.
mod reference {
    use markup5ever_rcdom::{Handle, NodeData, RcDom};

    use html5ever::tendril::TendrilSink;

    /// Whether some element has `poster="@"`.
    pub(super) fn has_link(text: &str) -> bool {
        let dom = html5ever::parse_document(RcDom::default(), Default::default()).one(text);
        fn look(node: &Handle) -> bool {
            let own = match &node.data {
                NodeData::Element { attrs, .. } => {
                    attrs.borrow().iter().any(|a| &*a.name.local == "poster" && &*a.value == "@")
                }
                _ => false,
            };
            own || node.children.borrow().iter().any(look)
        }
        look(&dom.document)
    }
}
