//! What of an element gets into a view: canaries in every place, one by one.

use super::mirror::Mirror;
use super::site::{find, masker, page, parts, policies};
use crate::dom::Tree;
use crate::policy::ResourceNames;
use crate::protocol::NodeId;
use crate::protocol::attention::{Notice, NoticeKind, Selection, States};
use crate::protocol::customer::Privacy;
use crate::protocol::page::{Control, PageOp, Value};

fn view(rules: &str, tree: &Tree) -> String {
    let mut mirror = Mirror::default();
    mirror.apply(&masker(&policies(rules)).view(tree).patch.0);
    mirror.dump()
}

fn body(markup: &str) -> Tree {
    page(&format!("<html><head></head><body>{markup}</body></html>"))
}

#[test]
fn what_runs_or_loads_or_submits_never_gets_through() {
    let tree = body(
        "<script src=\"CANARY\">CANARY</script><noscript>CANARY</noscript><template>CANARY</template><!--CANARY-->\
         <base href=\"/CANARY/\"><meta content=\"CANARY\"><iframe src=\"CANARY\" srcdoc=\"CANARY\" title=\"CANARY\">CANARY</iframe>\
         <object data=\"CANARY\">CANARY</object><embed src=\"CANARY\"></embed><canvas onclick=\"CANARY\">CANARY</canvas>\
         <p onclick=\"CANARY\" OnFoo=\"CANARY\" nonce=\"CANARY\"></p><form action=\"CANARY\"><input formaction=\"CANARY\"></form>\
         <img srcset=\"CANARY 2x\" sizes=\"CANARY\"><input type=\"HIDDEN\" value=\"CANARY\"><a ping=\"CANARY\" href=\"javascript:CANARY\"></a>\
         <link rel=\"icon\" href=\"/CANARY\"><link rel=\"stylesheet\" href=\"/CANARY.css\" onload=\"CANARY\"><p style=\"background:url(/CANARY)\"></p>\
         <p data-tandem-motion=\"@keyframes a{0%{background-image:url(/CANARY)}}a{--delay:0}\"></p>\
         <style>@import '/CANARY'; p { background: url(CANARY) }</style><video src=\"CANARY\" poster=\"/CANARY\"></video>\
         <svg><use href=\"/CANARY#a\"></use><image xlink:href=\"CANARY\"></image><rect fill=\"url(https://x.test/CANARY)\"></rect>\
         <animate attributeName=\"href\"></animate><script>CANARY</script></svg>",
    );
    let dump = view("", &tree);
    assert!(!dump.contains("CANARY"), "{dump}");
}

#[test]
fn what_is_in_which_slot_is_told_of_whatever_is_there() {
    let there = [
        "<b slot=\"there\"></b>",
        "<b class=\"secret\" slot=\"there\">CANARY</b>",
        "<b class=\"gone\" slot=\"there\">CANARY</b>",
        "<script slot=\"there\">CANARY</script>",
        "<template slot=\"there\"></template>",
        "<link rel=\"icon\" href=\"/CANARY\" slot=\"there\">",
        "<iframe src=\"/CANARY\" slot=\"there\"></iframe>",
        "<#shadow><slot name=\"there\"></slot></>",
        "<#shadow><slot class=\"gone\" name=\"there\"></slot></>",
    ];
    for child in there {
        let rules = "[[hide]]\nselect = \".gone\"\n[[mask]]\nselect = \".secret\"\n";
        let dump = view(rules, &body(&format!("<x-card>{child}</x-card>")));
        assert!(dump.contains("\"there\"") && !dump.contains("CANARY"), "{child}: {dump}");
    }
}

#[test]
fn an_image_keeps_the_density_of_what_it_shows() {
    let of = |markup: &str| {
        let view = view("", &body(markup));
        let value = |name: &str| {
            let (_, rest) = view.split_once(&format!("\"{name}\": \""))?;
            Some(rest.split('"').next()?.split(' ').skip(usize::from(name == "srcset")).collect::<String>())
        };
        (value("srcset"), value("sizes"))
    };
    let is = |srcset: &str, sizes: Option<&str>| (Some(srcset.to_owned()), sizes.map(str::to_owned));
    assert_eq!(of("<img src=\"/b.png\" srcset=\"/a.png, /b.png 2x\">"), is("2x", None));
    assert_eq!(
        of("<img src=\"/b.png\" srcset=\"/a.png 1w,/b.png  300w\" sizes=\"50vw\">"),
        is("300w", Some("50vw"))
    );
    assert_eq!(of("<img src=\"/a,b\" srcset=\" ,/x 2x, /a,b 1.5x\">"), is("1.5x", None));
    let picture = "<picture><source srcset=\"/a.png 2x\" sizes=\"9px\"><img src=\"/a.png\" srcset=\"/a.png 3x\"><source srcset=\"/a.png 4x\"></picture>";
    assert_eq!(of(picture), is("2x", Some("9px")));
    assert_eq!(of("<img src=\"/b.png\" srcset=\"/b.png, /a.png 2x\">"), is("1x", None));
    // It is not looked for without end.
    let others = |count: usize| "/c?/b.png 2x,".repeat(count);
    assert_eq!(of(&format!("<img src=\"/b.png\" srcset=\"{} /b.png 3x\">", others(15))), is("3x", None));
    assert_eq!(of(&format!("<img src=\"/b.png\" srcset=\"{} /b.png 3x\">", others(16))), (None, None));
    let sources = |count: usize| "<source srcset=\"/c 1x\">".repeat(count);
    let last = "<source srcset=\"/b.png 2x\"><img src=\"/b.png\">";
    assert_eq!(of(&format!("<picture>{}{last}</picture>", sources(63))), is("2x", None));
    assert_eq!(of(&format!("<picture>{}{last}</picture>", sources(64))), (None, None));
    for none in ["/a.png, /c.png", "/b.png 0x", "/b.png 2x 3h", "/b.png (2x", "/b.png CANARY"] {
        assert_eq!(
            of(&format!("<img src=\"/b.png\" srcset=\"{none}\" sizes=\"CANARY\">")),
            (None, None),
            "{none}"
        );
    }
}

#[test]
fn what_is_masked_keeps_its_shape_only() {
    let markup = |class: &str| {
        format!(
            "<div class=\"{class}\" data-tandem-motion=\"@keyframes a{{0%{{content:CANARY}}}}\" title=\"CANARY\" aria-label=\"CANARY\" data-x=\"CANARY\" hidden=\"\" onclick=\"CANARY\">CANARY word\
             <input value=\"CANARY\" placeholder=\"CANARY\" name=\"CANARY\" checked=\"\" type=\"number\"><img src=\"CANARY\" alt=\"CANARY\" usemap=\"#CANARY\">\
             <a href=\"/CANARY\">CANARY</a><select><option value=\"CANARY\" label=\"CANARY\" selected=\"\">CANARY</option></select>\
             <textarea>CANARY</textarea><svg><text>CANARY</text><path d=\"CANARY\"></path></svg><video src=\"CANARY\"></video>\
             <p style=\"width: 3px; --x: CANARY; background: url(CANARY); content: 'CANARY'; font: 1px CANARY; color: red\"></p>\
             <style>p::before {{ content: 'CANARY' }}</style><link rel=\"stylesheet\" href=\"/CANARY\"><x-y><#shadow>CANARY</></x-y></div>"
        )
    };
    let open = view("", &body(&markup("open")));
    assert!(open.contains("CANARY word") && open.contains("d\": \"CANARY"), "{open}");
    let masked = view("[[mask]]\nselect = '.secret'", &body(&markup("secret")));
    assert!(!masked.contains("CANARY"), "{masked}");
    for kept in
        ["\"hidden\": \"\"", "\"class\": \"secret\"", "•••••• ••••", "width: 3px", "color: red", "<option>"]
    {
        assert!(masked.contains(kept), "{kept} is not in {masked}");
    }
    let hidden = view("[[hide]]\nselect = '.gray'", &body(&markup("gray")));
    assert!(
        !hidden.contains("CANARY") && !hidden.contains("••") && hidden.contains("hidden: true"),
        "{hidden}"
    );
    let ignored = view("", &body(&format!("<div data-tandem=\"x IGNORE\">{}</div>", markup("open"))));
    assert!(!ignored.contains("CANARY") && !ignored.contains("div"), "{ignored}");
}

#[test]
fn what_a_slot_shows_is_masked_with_what_is_around_the_slot() {
    let rules = "[[mask]]\nselect = '.secret'\n[[hide]]\nselect = '.gray'";
    let card = |around: &str| {
        format!(
            "<x-card><#shadow><div class=\"{around}\" id=\"around\"><slot name=\"a\" id=\"slot\"></slot></div><p><slot></slot></p></>\
             <b slot=\"a\" id=\"a\">CANARY <i title=\"CANARY\">x</i></b><b id=\"b\">seen</b></x-card>"
        )
    };
    for around in ["secret", "gray"] {
        let dump = view(rules, &body(&card(around)));
        assert!(!dump.contains("CANARY") && dump.contains("seen"), "{dump}");
        // Through the slot of an inner host, too.
        let nested = format!(
            "<x-outer><#shadow><x-inner><#shadow><div class=\"{around}\"><slot></slot></div></><slot></slot></x-inner></><u>CANARY</u></x-outer>"
        );
        let dump = view(rules, &body(&nested));
        assert!(!dump.contains("CANARY"), "{dump}");
    }
    // A masked slot still shows only what asks for it.
    assert!(view(rules, &body(&card("secret"))).contains("\"name\": \"a\""));
    // It becomes so in the same batch as what is around the slot, and so does what comes to the slot.
    let set = |tree: &Tree, id: &str, name: &str, value: &str| PageOp::SetAttribute {
        id: find(tree, id).id(),
        name: name.into(),
        value: value.into(),
    };
    let mut tree = body(&card("open"));
    let mut masker = masker(&policies(rules));
    let mut mirror = Mirror::default();
    mirror.apply(&masker.view(&tree).patch.0);
    for (id, name, value, there) in [
        ("around", "class", "secret", false),
        ("a", "slot", "", true),
        ("a", "slot", "a", false),
        ("slot", "name", "other", true),
        ("slot", "name", "a", false),
        ("around", "class", "open", true),
    ] {
        let changes = tree.apply(&[set(&tree, id, name, value)]).unwrap();
        mirror.apply(&masker.update(&tree, &changes).patch.0);
        // Where no slot takes it by name, a script may have put it into any: seen only when no slot is masked.
        let there = there && !(id == "slot" && name == "name");
        assert_eq!(mirror.dump().contains("CANARY"), there, "{id} {name}={value}");
    }
}

#[test]
fn a_masked_sound_does_not_say_where_it_is() {
    let tree = body(
        "<audio id=\"open\" data-tandem-time=\"12.5\"></audio><p class=\"card\"><audio data-tandem-time=\"77.5\"></audio></p>",
    );
    let mut mirror = Mirror::default();
    mirror.apply(&masker(&policies("[[mask]]\nselect = '.card'\n")).view(&tree).patch.0);
    let dump = mirror.dump();
    assert!(dump.contains("12.5") && !dump.contains("77.5"), "{dump}");
}

#[test]
fn addresses_become_capabilities_and_are_told_once() {
    let mut tree = body(
        "<img src=\"a.png#x\"><a href=\"b?c#d\"></a><a href=\"#top\"></a><link rel=\"stylesheet\" href=\"/s.css\">\
         <p style=\"background: url('a.png')\"></p><img src=\"data:image/png;base64,AAAA\"><img src=\"data:text/html,CANARY\">",
    );
    let mut masker = masker(&policies(""));
    let first = masker.view(&tree);
    let urls: Vec<&str> = first.resources.iter().map(|resource| &*resource.url).collect();
    assert_eq!(urls, ["https://shop.test/here/a.png", "https://shop.test/s.css"]);
    let mut mirror = Mirror::default();
    mirror.apply(&first.patch.0);
    let dump = mirror.dump();
    let address = format!("/session/x/resource/{}", first.resources[0].token);
    assert!(dump.contains(&format!("\"src\": \"{address}#x\"")), "{dump}");
    assert_eq!(first.resources[0].token.len(), 22);
    assert!(dump.contains("https://shop.test/here/b?c#d") && dump.contains("\"#top\""), "{dump}");
    assert!(dump.contains("data:image/png;base64,AAAA") && !dump.contains("CANARY"), "{dump}");
    // The same address again, and a new page address, are no news.
    let more = PageOp::Insert {
        parent: find_body(&tree),
        next: None,
        parts: parts("<img src=\"https://shop.test/here/a.png\">"),
    };
    let changes =
        tree.apply(&[PageOp::Location { url: "https://shop.test/elsewhere/".into() }, more]).unwrap();
    let second = masker.update(&tree, &changes);
    assert!(second.resources.is_empty() && !second.patch.is_empty());
}

fn find_body(tree: &Tree) -> NodeId {
    tree.document().with_descendants().find(|node| node.is_html("body")).unwrap().id()
}

#[test]
fn values_of_private_fields_are_bullets() {
    let mut tree = body(
        "<input id=\"p\" type=\"password\"><input id=\"m\" class=\"secret\"><input id=\"w\"><input id=\"h\" type=\"hidden\">",
    );
    let told = |text: &str| Control { value: Some(Value::Told(text.into())), ..Control::default() };
    let state = |id: &str, state: Control| PageOp::Control { id: find(&tree, id).id(), state };
    let ops = [
        state("p", told("CANARY-of-some-length")),
        state("m", told("CANARY")),
        state("w", Control { value: Some(Value::Withheld { length: u32::MAX }), ..Control::default() }),
        state("h", told("CANARY")),
    ];
    tree.apply(&ops).unwrap();
    let dump = view("[[mask]]\nselect = '.secret'", &tree);
    assert!(!dump.contains("CANARY"), "{dump}");
    assert!(dump.contains("Some(\\\"••••••••\\\")") && dump.contains("Some(\\\"••••••\\\")"), "{dump}");
    assert!(dump.len() < 100_000, "a length from a browser is not believed");
}

#[test]
fn once_a_password_always_a_password() {
    let mut tree = body("<input id=\"p\" type=\"password\" value=\"CANARY\">");
    let id = find(&tree, "p").id();
    let mut masker = masker(&policies(""));
    masker.view(&tree);
    let state = Control { value: Some(Value::Told("CANARY".into())), ..Control::default() };
    let ops = [
        PageOp::SetAttribute { id, name: "type".into(), value: "text".into() },
        PageOp::Control { id, state },
    ];
    let changes = tree.apply(&ops).unwrap();
    let patch = masker.update(&tree, &changes).patch.encode(1, 1);
    assert!(!String::from_utf8_lossy(patch.bytes()).contains("CANARY"));
    let shown = view("default = 'mask'\n[[show]]\nselect = 'input'", &tree);
    assert!(!shown.contains("CANARY"), "{shown}");
}

#[test]
fn a_field_that_becomes_private_is_masked_in_the_same_batch() {
    let mut tree = body("<p id=\"a\">CANARY</p><p>b</p>");
    let id = find(&tree, "a").id();
    let mut masker = masker(&policies("[[mask]]\nselect = 'p:has(~ .on)'"));
    masker.view(&tree);
    let last = find(&tree, "a").next().unwrap().id();
    let ops = [
        PageOp::SetAttribute { id: last, name: "class".into(), value: "on".into() },
        PageOp::SetAttribute { id, name: "title".into(), value: "CANARY".into() },
    ];
    let changes = tree.apply(&ops).unwrap();
    let masked = masker.update(&tree, &changes);
    assert!(!String::from_utf8_lossy(masked.patch.encode(1, 1).bytes()).contains("CANARY"));
    assert_eq!(masked.marks.len(), 1);
}

#[test]
fn a_set_for_others_or_elsewhere_does_not_hold() {
    let tree = body("<p>plain</p>");
    for rules in ["urls = ['/other']\n", "roles = ['supervisor']\n"] {
        assert!(view(&format!("{rules}[[mask]]\nselect = 'p'"), &tree).contains("plain"));
    }
    assert!(!view("urls = ['/here/*']\nroles = ['agent']\n[[mask]]\nselect = 'p'", &tree).contains("plain"));
}

#[test]
fn name_and_password_in_the_address_stay_here() {
    let mut tree = body("");
    tree.apply(&[PageOp::Location { url: "https://CANARY:CANARY@shop.test/x".into() }]).unwrap();
    assert!(!view("", &tree).contains("CANARY"));
}

#[test]
fn a_drawing_is_seen_as_its_picture_where_nothing_masks_it() {
    let markup = "<html><body><canvas id=\"a\" style=\"border: 1px solid\">CANARY</canvas><p class=\"m\">\
                  <canvas id=\"b\" data-x=\"CANARY\"></canvas></p><canvas id=\"c\" class=\"h\"></canvas></body></html>";
    let policies = policies("[[mask]]\nselect = '.m'\n[[hide]]\nselect = '.h'");
    let mut tree = page(markup);
    let mut live = masker(&policies);
    let first = live.view(&tree);
    let kind = |id: &str| {
        let id = find(&tree, id).id();
        first.marks.iter().find(|mark| mark.node == id).map(|mark| mark.kind)
    };
    // The browser reads what it is told to, and nothing else.
    assert_eq!(kind("a"), Some(Privacy::Pictured));
    assert_eq!(kind("b"), Some(Privacy::Measured));
    assert_eq!(kind("c"), Some(Privacy::Hidden));
    let drawn = ["a", "b", "c"].map(|id| find(&tree, id).id());
    let ops: Vec<PageOp> =
        drawn.iter().zip(1..).map(|(id, number)| PageOp::Picture { id: *id, number: Some(number) }).collect();
    let changes = tree.apply(&ops).unwrap();
    let masked = live.update(&tree, &changes);
    assert_eq!(masked.resources.len(), 1, "{:?}", masked.resources);
    assert_eq!(masked.resources[0].url, "picture:1");
    let bytes = live.snapshot(&tree).encode(1, 0);
    assert!(!String::from_utf8_lossy(bytes.bytes()).contains("CANARY"));
    // Masked from now on: the picture is not told again.
    let hide = PageOp::SetAttribute { id: drawn[0], name: "class".into(), value: "h".into() };
    let changes = tree.apply(&[hide, PageOp::Picture { id: drawn[0], number: Some(9) }]).unwrap();
    let masked = live.update(&tree, &changes);
    assert!(masked.resources.is_empty());
    assert_eq!(masked.marks.iter().map(|mark| mark.kind).collect::<Vec<_>>(), [Privacy::Hidden]);
}

#[test]
fn what_the_browser_says_over_the_page_and_what_is_selected_follow_the_rules() {
    let rules = "[[mask]]\nselect = '.m'\n[[hide]]\nselect = '.h'";
    let markup = "<p id=\"open\">a</p><input id=\"m\" class=\"m\"><div class=\"h\"><input id=\"h\"></div>";
    let mut tree = body(markup);
    let [open, masked, hidden] = ["open", "m", "h"].map(|id| find(&tree, id).id());
    let mut attend = |at: Option<NodeId>| {
        let notice = Notice { kind: NoticeKind::Invalid, at, text: "CANARY says".into() };
        let place = (at.unwrap_or(open), 1);
        let selection = Some(Selection { anchor: place, focus: place });
        let states = States { hover: at, ..States::default() };
        tree.apply(&[
            PageOp::Notice { notice: Some(notice) },
            PageOp::Selection { selection },
            PageOp::States { states },
        ])
        .unwrap();
        view(rules, &tree)
    };
    let dump = attend(None);
    assert!(dump.contains("CANARY says") && dump.contains("selection"), "{dump}");
    let dump = attend(Some(masked));
    assert!(
        dump.contains("•••••• ••••") && !dump.contains("CANARY") && !dump.contains("selection"),
        "{dump}"
    );
    let dump = attend(Some(hidden));
    assert!(!dump.contains("CANARY") && !dump.contains("selection"), "{dump}");
    // The grey box that it is in.
    assert!(dump.contains("states") && !dump.contains(&format!("hover: Some({hidden:?})")), "{dump}");
}

#[test]
fn sheets_are_what_scripts_have_made_of_them() {
    let markup = "<link id=\"l\" rel=\"alternate stylesheet\" title=\"x\" href=\"/css/a.css\"><style id=\"s\" title=\"y\">p { color: red }</style>";
    let mut tree = body(markup);
    let [link, style] = ["l", "s"].map(|id| find(&tree, id).id());
    let sheet = |id, media: Option<&str>, css: &str| PageOp::Sheet {
        id,
        media: media.map(Into::into),
        css: Some(css.into()),
    };
    tree.apply(&[
        sheet(link, Some("not all"), "b { background: url(i.png) }"),
        sheet(style, None, "p { color: blue }"),
    ])
    .unwrap();
    let dump = view("", &tree);
    let (_, image) = ResourceNames::new([7; 32], "/session/x/resource/").name("https://shop.test/css/i.png");
    assert!(dump.contains(&image), "the URLs are those of the sheet: {dump}");
    assert!(!dump.contains("\"title\""), "no browser chooses by titles: {dump}");
    assert!(dump.contains("color: blue") && !dump.contains("color: red"), "{dump}");
    assert!(dump.contains("\"media\": \"not all\"") && dump.contains("\"rel\": \"stylesheet\""), "{dump}");
}
