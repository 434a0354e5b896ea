//! Laws of the prologue scanner: where the tag goes, at any cut, and that the tree stays what it was.

use html5ever::tendril::TendrilSink;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

use super::*;
use crate::rewrite::fuzz::cases;

/// Documents with `|` where the tag belongs.
const CASES: &[&str] = &[
    "|",
    "|hello",
    "|<p>hello",
    "  \n\t\r\x0c|hello",
    "\u{feff}|x",
    "\u{feff}<!doctype html><head>|<title>",
    "<!doctype html><html><head>|<meta charset=utf-8></head><body>",
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">\n<HTML LANG=en>\n<HEAD PROFILE='a>b'>|\n<TITLE>",
    "<!doctype html>|<title>x</title>",
    "<html>|<body>",
    "<html ><html a=b>|",
    "<html/>|<p>",
    "<head/>|<p>",
    "<html a=\"<head>\" b='>' c=<head d>|<title>",
    "<html a = \"x>\"y>|z",
    "<html =\"x>|y\">",
    "<html a\"b>|c\">",
    "<html a=b\"c>|d\">",
    "<html a=>|x",
    "<html a/=\">|\">x",
    "<html a /b=c d='e'f>|",
    "|<header>",
    "|<heading a>",
    "|<headx>",
    "|<h1>",
    "|<htmlx>",
    "|<hea",
    "|<html a='>'",
    "|<html a=\"<head>",
    "<!-- <head> -->|<script>",
    "<!--><head>|",
    "<!---><head>|",
    "<!----><head>|",
    "<!--a--!><head>|",
    "<!--a--!b--><head>|",
    "<!--a--!-><head>--><head>|",
    "<!--a->b--><head>|",
    "<!--a--- --><head>|",
    "<!--<!--><head>|",
    "<!-- --->|x",
    "<!>|x",
    "<!->|x",
    "<!-a><head>|",
    "<!x <head><head>|",
    "<![CDATA[ <head>|]]>",
    "<?xml version=\"1.0\"?><!doctype html><head>|",
    "</>|x",
    "</ x><head>|",
    "</3><head>|",
    "</p><head>|",
    "</noscript a='>'> |x",
    "</headers>|",
    "|</br><head>",
    "|</BODY >",
    "|</p",
    "|</head>",
    "|< head>",
    "|<>",
    "|<1>",
    "|&nbsp;<head>",
    "|\0<head>",
    "<html><!-- c --> <!doctype x> <head>|</head>",
    "<html>\n  <!-- c -->\n  |text",
    "|<!-- never ends <head>",
    "|<!doctype",
    "|<",
    "|</",
    "<html>|<!-",
];

fn whole(document: &[u8]) -> u64 {
    let mut scan = Prologue::new();
    match scan.feed(document) {
        Scan::InsertAt(at) => at,
        Scan::NeedMore(_) => scan.finish(),
    }
}

fn insert(pieces: &[&[u8]], tag: &str) -> Vec<u8> {
    let mut insertion = Insertion::new(tag, false);
    let mut out = Vec::new();
    for piece in pieces {
        insertion.push(Bytes::copy_from_slice(piece), &mut |bytes| out.extend_from_slice(&bytes));
    }
    insertion.finish(&mut |bytes| out.extend_from_slice(&bytes));
    out
}

const TAG: &str = "<script src=\"/.tandem/loader.js\"></script>";

#[test]
fn puts_the_tag_where_it_belongs() {
    for case in CASES {
        let expected = case.find('|').unwrap();
        let document = case.replacen('|', "", 1);
        assert_eq!(whole(document.as_bytes()), expected as u64, "in {case:?}");
        let with_tag = insert(&[document.as_bytes()], TAG);
        assert_eq!(String::from_utf8(with_tag).unwrap(), case.replacen('|', TAG, 1));
    }
}

#[test]
fn any_cut_gives_the_same_document() {
    for case in CASES {
        let document = case.replacen('|', "", 1).into_bytes();
        let expected = insert(&[&document], TAG);
        for cut in 0..=document.len() {
            assert_eq!(insert(&[&document[..cut], &document[cut..]], TAG), expected, "{case:?} at {cut}");
        }
        let bytes: Vec<&[u8]> = document.chunks(1).collect();
        assert_eq!(insert(&bytes, TAG), expected, "{case:?} byte by byte");
    }
}

#[test]
fn passes_on_what_is_settled_at_once() {
    let mut insertion = Insertion::new(TAG, false);
    let mut out = Vec::new();
    insertion.push(Bytes::from_static(b"<!doctype html><!-- a --><ht"), &mut |bytes| out.push(bytes));
    assert_eq!(out.concat(), b"<!doctype html><!-- a -->");
}

#[test]
fn does_not_copy_the_document() {
    let mut insertion = Insertion::new(TAG, false);
    let page = Bytes::from_static(b"<head><title>t</title></head><body>long text</body>");
    let mut out = Vec::new();
    insertion.push(page.clone(), &mut |bytes| out.push(bytes));
    assert!(insertion.is_done());
    assert_eq!(out[2].as_ptr(), page[6..].as_ptr());
}

#[test]
fn holds_a_bounded_part_of_an_endless_comment() {
    let comment = format!("<!--{}-->", "x".repeat(3 * HOLD));
    let document = format!("{comment}<!doctype html><head><p>");
    let pieces: Vec<&[u8]> = document.as_bytes().chunks(1000).collect();
    let mut insertion = Insertion::new(TAG, false);
    let mut out = Vec::new();
    for piece in pieces {
        insertion.push(Bytes::copy_from_slice(piece), &mut |bytes| out.extend_from_slice(&bytes));
        assert!(insertion.held.len() <= HOLD);
    }
    insertion.finish(&mut |bytes| out.extend_from_slice(&bytes));
    assert_eq!(String::from_utf8(out).unwrap(), format!("{comment}<!doctype html><head>{TAG}<p>"));
}

#[test]
fn grows_by_the_promised_length_even_when_there_is_no_place() {
    let document = format!("<!--{}", "x".repeat(2 * HOLD));
    let out = insert(&document.as_bytes().chunks(999).collect::<Vec<_>>(), TAG);
    assert_eq!(out.len(), document.len() + TAG.len());
}

#[test]
fn what_looks_like_markup_within_an_escape_is_none() {
    let before = b"<!-- \x1b$B-->\x1b(B --><html><head>";
    let document = [&before[..], b"<title>x"].concat();
    for cut in 0..document.len() {
        let (mut insertion, mut out) = (Insertion::new(TAG, true), Vec::new());
        for piece in [&document[..cut], &document[cut..]] {
            insertion.push(Bytes::copy_from_slice(piece), &mut |piece| out.extend_from_slice(&piece));
        }
        insertion.finish(&mut |piece| out.extend_from_slice(&piece));
        assert_eq!(out, [&before[..], TAG.as_bytes(), b"<title>x"].concat(), "cut at {cut}");
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn cuts_never_matter(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "!", "-", "--", "/", "h", "<html", "<head", " ", "\"", "'", "=", "a", "\n", "<!--", "-->",
            "<!doctype html>", "\u{feff}", "?", "<p>",
        ]), 0..24),
        cuts in prop::collection::vec(0usize..80, 0..6),
    ) {
        let document = parts.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(document.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&document[from..cut]);
            from = cut;
        }
        pieces.push(&document[from..]);
        let at = whole(&document) as usize;
        let mut expected = document.clone();
        expected.splice(at..at, TAG.bytes());
        prop_assert_eq!(insert(&pieces, TAG), expected);
    }

    #[test]
    fn trees_differ_by_the_script_only(parts in prop::collection::vec(prop::sample::select(vec![
        "<!doctype html>", "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\">", "<html>", "<html a='>'>",
        "<head>", "<head x=\"y\">", "</head>", "<body>", "<body class=b>", "</body>", "</html>", "<title>t</title>",
        "<p>", "text", " ", "\n", "<!-- <head> -->", "<!>", "<?pi?>", "</p>", "</ x>", "<header>", "<frameset>",
        "<noscript>", "</noscript>", "<template>", "<svg>", "<table>", "<select>", "<script>1</script>", "<br>",
        "<style>a{}</style>", "<base href=/>", "<html b=c>", "<textarea>", "<meta charset=utf-8>", "<tr>", "</br>",
    ]), 0..12)) {
        let document = parts.concat();
        prop_assert_eq!(difference(&document), None);
    }
}

// ---- against a real parser -------------------------------------------------------------------------------

struct Parsed {
    tree: String,
    quirks: String,
    scripts: usize,
}

/// The tree as text, without our script; `scripts` counts how often it was there.
fn parse(document: &str) -> Parsed {
    let dom = html5ever::parse_document(RcDom::default(), Default::default()).one(document);
    let mut parsed =
        Parsed { tree: String::new(), quirks: format!("{:?}", dom.quirks_mode.get()), scripts: 0 };
    render(&dom.document, 0, &mut parsed);
    parsed
}

fn render(node: &Handle, depth: usize, out: &mut Parsed) {
    let line = match &node.data {
        NodeData::Document => "#document".to_owned(),
        NodeData::Doctype { name, public_id, system_id } => format!("!{name} {public_id} {system_id}"),
        NodeData::Text { contents } => format!("{:?}", contents.borrow()),
        NodeData::Comment { contents } => format!("<!--{contents}-->"),
        NodeData::Element { name, attrs, .. } => {
            let attrs: Vec<String> =
                attrs.borrow().iter().map(|a| format!("{}={:?}", a.name.local, a.value)).collect();
            if &*name.local == "script" && attrs.iter().any(|a| a.contains("/.tandem/loader.js")) {
                out.scripts += 1;
                return;
            }
            format!("<{} {}>", name.local, attrs.join(" "))
        }
        NodeData::ProcessingInstruction { .. } => "<?>".to_owned(),
    };
    out.tree.push_str(&format!("{:depth$}{line}\n", ""));
    if let NodeData::Element { template_contents, .. } = &node.data
        && let Some(contents) = template_contents.borrow().as_ref()
    {
        render(contents, depth + 1, out);
    }
    for child in node.children.borrow().iter() {
        render(child, depth + 1, out);
    }
}

/// What the inserted tag changes in the document as a browser parses it.
fn difference(document: &str) -> Option<String> {
    let before = parse(document);
    let after = parse(&String::from_utf8(insert(&[document.as_bytes()], TAG)).unwrap());
    if after.scripts != 1 {
        Some(format!("{} scripts in {}", after.scripts, after.tree))
    } else if before.quirks != after.quirks {
        Some(format!("quirks {} became {}", before.quirks, after.quirks))
    } else if before.tree != after.tree {
        Some(format!("{}became\n{}", before.tree, after.tree))
    } else {
        None
    }
}

/// Documents as bad as people write them.
const NASTY: &[&str] = &[
    "",
    " ",
    "plain text",
    "<p>no head, no doctype",
    "<!doctype html>\n<!-- saved from <head> -->\n<html lang=\"a>b\">\n<head>\n<title>x</title>",
    "<!doctype html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\"><body>",
    "<!-- a --><!doctype html><p>x",
    "<!--[if IE]><html class=ie><![endif]--><!--[if !IE]><!--><html class=no-ie><!--<![endif]--><head><meta a>",
    "<?xml version=\"1.0\"?><!DOCTYPE html><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>a</title></head>",
    "<html><body><head><title>late head</title></head>",
    "<header><h1>not a head</h1></header>",
    "<title>head without a tag</title><p>x",
    "<html><frameset><frame src=a></frameset></html>",
    "<html><head></head><frameset><frame src=a></frameset></html>",
    "<svg><head></head></svg>",
    "<template><head></template><head>",
    "<table><tr><td>cell",
    "<select><option>a<p>b",
    "<noscript><meta a></noscript><p>",
    "<head><noscript><p>x</noscript>",
    "<script>document.write('<head>')</script><head>",
    "<script><!-- <script> --></script>x",
    "<textarea><head></textarea>",
    "<html manifest=x><html lang=y><head lang=z>",
    "</head><p>x",
    "</body></html><p>x",
    "</html><head>",
    "<head><head><title>x",
    "<base href=/a><link rel=x><p>y",
    "<html\n\t a = 'x'\n b=\">\" / c=>\n<head\n/\n>x",
    "<!DOCTYPE>\n<html>",
    "<!doctype html SYSTEM 'a>b'><p>",
    "<![CDATA[x]]><p>y",
    "<!---><p>x--></p>",
    "<!-- a --!><head><p>",
    "\u{feff}<!doctype html><title>x",
    "\n\n<!doctype html>\n\n<html>\n\n<head>\n\n</head>\n\n<body>\n\n</body>\n\n</html>\n\n",
    "<!doctype html><html> <!-- c --> <body>",
    "<body onload=x><p>",
    "&#60;head>",
    "a<head>b",
    "<plaintext><head>",
    "<iframe><head></iframe>",
    "<br/><head>",
    "</br><head>",
];

#[test]
fn nasty_documents_keep_their_tree() {
    for document in NASTY {
        assert_eq!(difference(document), None, "in {document:?}");
    }
}

/// The documents of html5lib's tree-construction tests: everything a parser has ever got wrong.
fn html5lib() -> impl Iterator<Item = String> {
    const DOCUMENTS: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/html5lib/documents.jsonl"));
    DOCUMENTS.lines().map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn html5lib_documents_keep_their_tree() {
    let mut unfinished = 0;
    for document in html5lib() {
        let Some(difference) = difference(&document) else { continue };
        // One that ends inside a comment before everything else has that comment behind our script, in the head.
        assert_eq!(self::difference(&format!("{document}-->")), None, "{document:?}: {difference}");
        unfinished += 1;
    }
    assert_eq!(unfinished, 10);
}

#[test]
fn html5lib_documents_may_be_cut_anywhere() {
    for document in html5lib() {
        let document = document.into_bytes();
        let expected = insert(&[&document], TAG);
        let bytes: Vec<&[u8]> = document.chunks(1).collect();
        assert_eq!(insert(&bytes, TAG), expected, "{:?} byte by byte", String::from_utf8_lossy(&document));
        for cut in 0..=document.len().min(80) {
            let pieces = [&document[..cut], &document[cut..]];
            assert_eq!(insert(&pieces, TAG), expected, "{:?} at {cut}", String::from_utf8_lossy(&document));
        }
    }
}
