//! The guard: what is permitted and why the rest is refused.

use super::site::{click, find, masker, page, policies};
use crate::dom::Tree;
use crate::policy::{Masker, Neighbours, Permit};
use crate::protocol::typing::{Piece, Spot, Typed};
use crate::protocol::{Action, Key, Modifiers, NodeId, Point, Refusal};

struct Case {
    tree: Tree,
    masker: Masker,
}

fn case(rules: &str, markup: &str) -> Case {
    let tree = page(markup);
    let mut masker = masker(&policies(rules));
    masker.view(&tree);
    Case { tree, masker }
}

impl Case {
    fn ask(&self, action: Action) -> Result<Permit, Refusal> {
        self.masker.permit(&self.tree, action, &Default::default())
    }

    fn id(&self, id: &str) -> NodeId {
        find(&self.tree, id).id()
    }

    fn click(&self, id: &str) -> Result<bool, Refusal> {
        self.ask(click(self.id(id))).map(|permit| permit.submits())
    }

    fn input(&self, id: &str) -> Result<Permit, Refusal> {
        self.ask(typing(self.id(id), vec![Piece::Count(1), Piece::Insert("x".into())]))
    }

    fn key(&self, id: &str, key: &str) -> Result<Permit, Refusal> {
        let key = Key::try_from(key.to_owned()).unwrap();
        self.ask(Action::Key {
            node: self.id(id),
            key,
            code: Default::default(),
            modifiers: Modifiers::default(),
        })
    }

    /// What the customer is asked to press instead.
    fn asked(&self, action: Action) -> Option<NodeId> {
        match self.ask(action).unwrap().action() {
            Action::Ask { node } => Some(*node),
            _ => None,
        }
    }

    fn enter(&self, id: &str) -> Result<bool, Refusal> {
        self.key(id, "Enter").map(|permit| permit.submits())
    }
}

#[test]
fn submit_buttons_need_a_rule() {
    let rules = "[[control]]\nselect = '#yes, #both'\nagent = 'enabled'\n[[control]]\nselect = '#both, #off'\nagent = 'disabled'\n";
    let case = case(
        rules,
        "<body><form><input id=\"field\"><button id=\"plain\"><b id=\"inner\">x</b></button><button id=\"odd\" type=\"x\"></button>\
         <button id=\"menu\" type=\"button\"></button><input type=\"IMAGE\" id=\"image\"><button id=\"both\"></button></form>\
         <form><input id=\"other\"><button id=\"yes\"><i id=\"in\">x</i></button></form>\
         <button id=\"free\"></button><button id=\"bound\" form=\"f\"></button><div id=\"off\"><a id=\"link\" href=\"#x\"></a></div></body>",
    );
    for id in ["plain", "inner", "odd", "image", "both", "bound", "off", "link"] {
        assert_eq!(case.click(id), Err(Refusal::Disabled), "#{id}");
    }
    for (id, submits) in [("menu", false), ("free", false), ("yes", true), ("in", true)] {
        assert_eq!(case.click(id), Ok(submits), "#{id}");
    }
    assert_eq!(case.enter("field"), Err(Refusal::Disabled));
    assert_eq!(case.enter("other"), Ok(true));
    assert_eq!(case.enter("yes"), Ok(true));
}

#[test]
fn a_form_may_be_sent_as_it_changes_where_its_button_may_be_pressed() {
    let case = case(
        "[[control]]\nselect = '.yes'\nagent = 'enabled'\n[[navigate]]\nurls = ['/never']\nagent = 'denied'\n",
        "<body><form><input id=\"find\"><select id=\"sort\"><option>1</option></select>\
         <input type=\"checkbox\" id=\"tick\"><label id=\"label\" for=\"tick\">T</label><button class=\"yes\"></button></form>\
         <form id=\"f\"><button></button><button class=\"yes\"></button></form><input id=\"dead\" form=\"f\">\
         <form><input id=\"none\"></form><form action=\"/never\"><input id=\"never\"><button class=\"yes\"></button></form>\
         <form><input id=\"off\"><button class=\"yes\" disabled></button></form></body>",
    );
    for (id, submits) in [("find", true), ("dead", false), ("none", false), ("never", false), ("off", false)]
    {
        assert_eq!(case.input(id).map(|permit| permit.submits()), Ok(submits), "#{id}");
    }
    let chosen = case.ask(Action::Select { node: case.id("sort"), indexes: vec![0] });
    assert_eq!(chosen.map(|permit| permit.submits()), Ok(true));
    assert_eq!(
        (case.click("tick"), case.click("label"), case.click("dead")),
        (Ok(true), Ok(true), Ok(false))
    );
    assert_eq!(case.key("tick", " ").map(|permit| permit.submits()), Ok(true));
    assert_eq!(case.key("sort", "ArrowDown").map(|permit| permit.submits()), Ok(true));
}

#[test]
fn what_is_private_is_the_customers() {
    let case = case(
        "[[mask]]\nselect = '.m'\n[[hide]]\nselect = '.h'\n",
        "<body><div class=\"m\"><input id=\"masked\"></div><div class=\"h\" id=\"box\"><button id=\"inside\"></button></div>\
         <input type=\"password\" id=\"password\"><label id=\"label\">L<input class=\"m\"></label>\
         <div data-tandem=\"ignore\"><i id=\"ignored\"></i></div><b data-tandem=\"readonly\" id=\"readonly\"></b>\
         <tandem-widget><button id=\"ours\"></button></tandem-widget></body>",
    );
    for id in ["masked", "box", "inside", "password", "label"] {
        assert_eq!(case.click(id), Err(Refusal::Private), "#{id}");
    }
    assert_eq!(case.click("ignored"), Err(Refusal::Gone));
    assert_eq!(case.click("ours"), Err(Refusal::Gone));
    assert_eq!(case.click("readonly"), Err(Refusal::Disabled));
    assert_eq!(case.input("password"), Err(Refusal::Private));
    assert_eq!(case.enter("masked"), Err(Refusal::Private));
    let scroll = |id: &str| case.ask(Action::Scroll { node: case.id(id), x: 0, y: 9 });
    assert_eq!(scroll("box"), Err(Refusal::Private));
    assert!(scroll("label").is_ok());
    assert_eq!(case.ask(click(NodeId(9_999))), Err(Refusal::Gone));
}

#[test]
fn whatever_a_label_may_press_is_judged() {
    let case = case(
        "",
        "<body><label id=\"icon\"><x-icon></x-icon><b>L</b><input data-tandem=\"readonly\"></label>\
         <label id=\"free\"><x-icon></x-icon><input><input data-tandem=\"readonly\"></label>\
         <label><input data-tandem=\"readonly\"><label id=\"nested\">L</label></label>\
         <label id=\"custom\"><x-field data-tandem=\"readonly\"></x-field><input></label>\
         <label id=\"for\" for=\"off\"><input></label><x-field id=\"off\" data-tandem=\"readonly\"></x-field></body>",
    );
    for id in ["icon", "nested", "custom", "for"] {
        assert_eq!(case.click(id), Err(Refusal::Disabled), "#{id}");
    }
    assert_eq!(case.click("free"), Ok(false));
}

#[test]
fn an_arrow_key_chooses_only_what_may_be_chosen() {
    let case = case(
        "[[mask]]\nselect = '.m'\n",
        "<body><input type=\"radio\" name=\"a\" id=\"a\"><input type=\"RADIO\" name=\"a\" data-tandem=\"readonly\">\
         <input type=\"radio\" name=\"b\" id=\"b\"><input type=\"radio\" name=\"b\"><input type=\"radio\" name=\"b\" disabled>\
         <input type=\"radio\" name=\"c\" id=\"c\"><input type=\"radio\" name=\"c\" class=\"m\">\
         <select id=\"off\"><option>1</option><option data-tandem=\"readonly\">2</option></select>\
         <select id=\"on\"><option>1</option><option disabled>2</option></select></body>",
    );
    for key in ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"] {
        for id in ["a", "off"] {
            assert_eq!(case.key(id, key).err(), Some(Refusal::Disabled), "#{id} {key}");
        }
        assert_eq!(case.key("c", key).err(), Some(Refusal::Private), "{key}");
        assert!(case.key("b", key).is_ok() && case.key("on", key).is_ok(), "{key}");
    }
    assert!(case.key("a", "Tab").is_ok());
}

#[test]
fn links_stay_on_the_site() {
    let case = case(
        "[[navigate]]\nurls = ['/logout']\nagent = 'denied'\n",
        "<body><a id=\"in\" href=\"../x\"><b id=\"text\">x</b></a><a id=\"out\" href=\"//evil.test/\"></a>\
         <a id=\"port\" href=\"https://shop.test:8443/\"></a><a id=\"mail\" href=\"mailto:a@b.c\"></a>\
         <a id=\"js\" href=\"java\nscript:x()\"></a><a id=\"end\" href=\"javascript:logOut()\"></a>\
         <a id=\"bye\" href=\"/log%6fut/\"></a></body>",
    );
    assert_eq!(case.click("in"), Ok(false));
    assert_eq!(case.click("text"), Ok(false));
    // Pressed they may be, for the page's scripts; not followed.
    assert_eq!(case.click("out"), Ok(false));
    assert_eq!(case.click("port"), Ok(false));
    assert_eq!(case.enter("port"), Err(Refusal::OutsideSite));
    assert_eq!(case.click("mail"), Err(Refusal::NotPossible));
    assert_eq!(case.click("js"), Ok(false));
    assert_eq!(case.enter("js"), Ok(false));
    assert_eq!(case.click("end"), Err(Refusal::Disabled));
    assert_eq!(case.click("bye"), Err(Refusal::Disabled));
    assert_eq!(case.enter("out"), Err(Refusal::OutsideSite));
    let go = |url: &str| case.ask(Action::Navigate { url: url.into() }).map(|permit| permit.action().clone());
    assert_eq!(go("../y#z"), Ok(Action::Navigate { url: "https://shop.test/y#z".into() }));
    for url in ["https://evil.test/", "//evil.test", "https://shop.test@evil.test/", "https://a:b@shop.test/"]
    {
        assert_eq!(go(url), Err(Refusal::OutsideSite), "{url}");
    }
    assert_eq!(go("javascript:alert(1)"), Err(Refusal::NotPossible));
    assert_eq!(go("data:text/html,x"), Err(Refusal::NotPossible));
    assert_eq!(go(&"x".repeat(10_000)), Err(Refusal::NotPossible));
    assert_eq!(go("/logout"), Err(Refusal::Disabled));
}

#[test]
fn a_list_of_what_is_allowed_is_complete() {
    let case = case("[[navigate]]\nurls = ['/help/**']\nagent = 'allowed'\n", "<body></body>");
    let go = |url: &str| case.ask(Action::Navigate { url: url.into() }).err();
    assert_eq!(go("/help/x"), None);
    assert_eq!(go("/cart"), Some(Refusal::Disabled));
}

#[test]
fn fields_take_what_fits_them() {
    let case = case(
        "",
        "<body><input id=\"text\"><input id=\"date\" type=\"date\"><textarea id=\"area\"></textarea>\
         <input id=\"readonly\" readonly=\"\"><input id=\"off\" disabled=\"\"><input id=\"check\" type=\"checkbox\">\
         <input id=\"file\" type=\"file\"><label id=\"upload\" for=\"file\">up</label><p id=\"p\"></p>\
         <fieldset disabled=\"\"><legend><input id=\"spared\"></legend><input id=\"caught\"></fieldset>\
         <div inert=\"\"><input id=\"inert\"></div><div contenteditable=\"\"><b id=\"rich\">x</b></div><iframe id=\"frame\"></iframe></body>",
    );
    for id in ["text", "date", "area", "spared"] {
        assert!(case.input(id).is_ok(), "#{id}");
    }
    for id in ["readonly", "off", "caught", "inert"] {
        assert_eq!(case.input(id), Err(Refusal::Disabled), "#{id}");
    }
    for id in ["check", "p"] {
        assert_eq!(case.input(id), Err(Refusal::NotPossible), "#{id}");
    }
    for id in ["file", "upload"] {
        assert_eq!(case.asked(click(case.id(id))), Some(case.id(id)), "#{id}");
    }
    assert_eq!(case.click("frame"), Err(Refusal::NotPossible));
    let large = |size| case.ask(typing(case.id("text"), vec![Piece::Insert("x".repeat(size)); 2])).err();
    assert_eq!((large(32 << 10), large((32 << 10) + 1)), (None, Some(Refusal::TooLong)));
    let many = typing(case.id("text"), vec![Piece::Count(1); 257]);
    assert_eq!(case.ask(many), Err(Refusal::TooLong));
}

#[test]
fn editable_elements_take_text_where_both_ends_may_be_edited() {
    let case = case(
        "[[mask]]\nselect = '.m'\n",
        "<body><p id=\"p\"></p><input id=\"field\"><input type=\"password\" id=\"password\"><div contenteditable=\"\">\
         <b id=\"rich\">x</b><i id=\"masked\" class=\"m\">y</i><u id=\"still\" contenteditable=\"false\">z</u></div>\
         <div contenteditable=\"\" inert=\"\"><b id=\"inert\">x</b></div></body>",
    );
    let spot = |id: &str| Spot { node: case.id(id), offset: 0, base: 0 };
    let edit = |from: &str, to: &str, text: &str| {
        let (anchor, focus) = (spot(from), spot(to));
        case.ask(Action::Edit { anchor, focus, input: Typed::InsertText, text: text.into() }).err()
    };
    let caret = |from: &str, to: &str| case.ask(Action::Caret { anchor: spot(from), focus: spot(to) }).err();
    for (from, to, refused) in [
        ("rich", "rich", None),
        ("p", "p", Some(Refusal::NotPossible)),
        ("rich", "p", Some(Refusal::NotPossible)),
        ("p", "rich", Some(Refusal::NotPossible)),
        ("rich", "still", Some(Refusal::NotPossible)),
        ("rich", "masked", Some(Refusal::Private)),
        ("inert", "inert", Some(Refusal::Disabled)),
    ] {
        assert_eq!(edit(from, to, "y"), refused, "{from} {to}");
        assert_eq!(caret(from, to), refused, "{from} {to}");
    }
    assert_eq!(edit("rich", "rich", &"x".repeat((64 << 10) + 1)), Some(Refusal::TooLong));
    assert_eq!(caret("field", "field"), None);
    assert_eq!(caret("field", "rich"), Some(Refusal::NotPossible));
    assert_eq!(caret("password", "password"), Some(Refusal::Private));
    assert!(case.masker.shows(&case.tree, case.id("rich")));
    assert!(!case.masker.shows(&case.tree, case.id("masked")));
}

fn typing(node: NodeId, change: Vec<Piece>) -> Action {
    Action::Input { node, base: 0, change, input: Typed::InsertText }
}

#[test]
fn options_are_chosen_by_index() {
    let case = case(
        "",
        "<body><select id=\"one\"><option id=\"o\">a</option><optgroup disabled=\"\"><option>b</option></optgroup></select>\
         <select id=\"many\" multiple=\"\"><option>a</option><option>b</option></select></body>",
    );
    let select = |id: &str, indexes: &[u32]| {
        case.ask(Action::Select { node: case.id(id), indexes: indexes.to_vec() }).err()
    };
    assert_eq!(select("one", &[0]), None);
    assert_eq!(select("one", &[1]), Some(Refusal::Disabled));
    assert_eq!(select("one", &[2]), Some(Refusal::NotPossible));
    assert_eq!(select("one", &[0, 0]), Some(Refusal::NotPossible));
    assert_eq!(select("many", &[0, 1]), None);
    assert_eq!(select("o", &[0]), Some(Refusal::NotPossible));
    assert_eq!(case.click("o"), Err(Refusal::NotPossible));
}

#[test]
fn nothing_is_permitted_before_a_view_or_on_a_paused_page() {
    let tree = page("<body><b id=\"b\"></b></body>");
    let unseen = masker(&policies(""));
    assert_eq!(unseen.permit(&tree, Action::Refresh, &Default::default()), Err(Refusal::Private));
    let paused = case("[[pause]]\nurls = ['/here/**']\n", "<body><b id=\"b\">text</b></body>");
    assert_eq!(paused.click("b"), Err(Refusal::Private));
    let view = paused.masker.snapshot(&paused.tree).encode(1, 0);
    let view = String::from_utf8_lossy(view.bytes()).into_owned();
    assert!(!view.contains("text") && !view.contains("/here"), "{view}");
}

#[test]
fn what_logs_out_or_saves_a_file_needs_a_rule_that_says_so() {
    let markup = "<body><a id=\"out\" href=\"/users/sign_out\">x</a><a id=\"pdf\" href=\"bill.pdf\">x</a>\
                  <a id=\"save\" href=\"/x\" download=\"\">x</a><a id=\"blank\" href=\"/logout?x\" target=\"_blank\">x</a>\
                  <form action=\"/logout\"><input id=\"f\"><button id=\"send\">x</button><button id=\"other\" formaction=\"/x\">x</button></form>\
                  <form action=\"https://elsewhere.test/\"><button id=\"away\">x</button></form></body>";
    let enabled = "[[control]]\nselect = 'form button'\nagent = 'enabled'\n";
    let strict = case(enabled, markup);
    for id in ["out", "pdf", "blank", "send"] {
        assert_eq!(strict.click(id), Err(Refusal::Disabled), "#{id}");
    }
    assert_eq!(strict.enter("f"), Err(Refusal::Disabled));
    assert_eq!(strict.enter("out"), Err(Refusal::Disabled));
    assert_eq!(strict.asked(click(strict.id("save"))), Some(strict.id("save")));
    assert_eq!(strict.click("away"), Err(Refusal::OutsideSite));
    assert_eq!(strict.click("other"), Ok(true));
    let go = |case: &Case, url: &str| case.ask(Action::Navigate { url: url.into() }).map(drop);
    assert_eq!(go(&strict, "/app?do=logout"), Err(Refusal::Disabled));
    // A list of what is allowed does not open it; naming it does.
    let all = case("[[navigate]]\nurls = ['/**']\nagent = 'allowed'\n", markup);
    assert_eq!((all.click("out"), all.click("pdf")), (Err(Refusal::Disabled), Err(Refusal::Disabled)));
    let named = case(
        "[[navigate]]\nurls = ['/users/sign_out', '/here/*.pdf']\nagent = 'allowed'\n[[navigate]]\nurls = ['/here/secret*']\nagent = 'denied'\n",
        markup,
    );
    assert_eq!((named.click("out"), named.click("pdf")), (Ok(false), Ok(false)));
    assert_eq!(go(&named, "/logout"), Err(Refusal::Disabled));
    assert_eq!(go(&named, "/here/secret.pdf"), Err(Refusal::Disabled), "denied stays denied");
    assert_eq!(go(&named, "/help"), Err(Refusal::Disabled), "the list is complete");
}

/// Every gesture that is aimed at an element, at this one.
fn gestures(node: NodeId) -> Vec<Action> {
    let (x, y, at, modifiers) = (0.5, 0.5, Point { x: 9.0, y: 9.0 }, Modifiers::default());
    vec![
        click(node),
        Action::Click { node, x, y, count: 2, modifiers },
        Action::Menu { node, x, y },
        Action::Hover { node, x, y },
        Action::Press { node, x, y, modifiers },
        Action::Drag { node, at, modifiers },
        Action::Drop { node, at, modifiers },
        Action::Wheel { node, x, y, dx: 0.0, dy: 9.0, modifiers },
        Action::Ask { node },
    ]
}

#[test]
fn no_gesture_meets_what_is_private_or_switched_off() {
    let case = case(
        "[[mask]]\nselect = '.m'\n[[hide]]\nselect = '.h'\n[[control]]\nselect = '#rule'\nagent = 'disabled'\n",
        "<body><b id=\"free\"></b><div class=\"m\"><b id=\"masked\"></b></div><div class=\"h\" id=\"box\"><b id=\"inside\"></b></div>\
         <b data-tandem=\"readonly\" id=\"readonly\"></b><b id=\"rule\"></b><button disabled=\"\" id=\"off\"></button>\
         <div inert=\"\"><b id=\"inert\"></b></div><form><button id=\"send\"></button></form>\
         <div data-tandem=\"ignore\"><i id=\"ignored\"></i></div></body>",
    );
    for (id, refusal) in [
        ("masked", Refusal::Private),
        ("box", Refusal::Private),
        ("inside", Refusal::Private),
        ("readonly", Refusal::Disabled),
        ("rule", Refusal::Disabled),
        ("off", Refusal::Disabled),
        ("inert", Refusal::Disabled),
        ("send", Refusal::Disabled),
        ("ignored", Refusal::Gone),
    ] {
        for action in gestures(case.id(id)) {
            assert_eq!(case.ask(action.clone()), Err(refusal), "#{id} {action:?}");
        }
    }
    for action in gestures(case.id("free")) {
        let permit = case.ask(action.clone()).unwrap();
        assert_eq!((permit.action(), permit.submits()), (&action, false));
    }
    assert!(case.ask(Action::Leave).is_ok() && case.ask(Action::LetGo).is_ok());
}

#[test]
fn gestures_are_bounded() {
    let case =
        case("", "<body><b id=\"b\"></b><iframe id=\"frame\"></iframe><select id=\"list\"></select></body>");
    let (node, modifiers) = (case.id("b"), Modifiers::default());
    let far = Point { x: 0.0, y: f32::INFINITY };
    for wrong in [
        Action::Click { node, x: 0.5, y: 1.5, count: 1, modifiers },
        Action::Click { node, x: 0.5, y: f32::NAN, count: 1, modifiers },
        Action::Click { node, x: 0.5, y: 0.5, count: 0, modifiers },
        Action::Click { node, x: 0.5, y: 0.5, count: 9, modifiers },
        Action::Hover { node, x: -0.1, y: 0.5 },
        Action::Menu { node, x: 2.0, y: 0.5 },
        Action::Press { node, x: 2.0, y: 0.5, modifiers },
        Action::Drag { node, at: far, modifiers },
        Action::Drop { node, at: far, modifiers },
        Action::Wheel { node, x: 0.5, y: 0.5, dx: f32::NAN, dy: 0.0, modifiers },
        Action::Wheel { node, x: 0.5, y: 0.5, dx: 0.0, dy: 1e9, modifiers },
        Action::Press { node: case.id("frame"), x: 0.5, y: 0.5, modifiers },
        Action::Press { node: case.id("list"), x: 0.5, y: 0.5, modifiers },
    ] {
        assert_eq!(case.ask(wrong.clone()), Err(Refusal::NotPossible), "{wrong:?}");
    }
    for (key, known) in [("a", true), ("é", true), (" ", true), ("F2", true), ("Delete", true), ("", false)]
    {
        assert_eq!(Key::try_from(key.to_owned()).is_ok(), known, "{key}");
    }
    for key in ["ab", "Power", "\u{7}", "BrowserBack"] {
        assert!(Key::try_from(key.to_owned()).is_err(), "{key}");
    }
}

#[test]
fn a_drag_follows_no_link_and_a_space_presses_like_a_click() {
    let case = case(
        "[[control]]\nselect = '#yes'\nagent = 'enabled'\n",
        "<body><a id=\"out\" href=\"//evil.test/\"></a><form><button id=\"no\"></button><input id=\"text\"></form>\
         <form><button id=\"yes\"></button></form><input type=\"file\" id=\"file\"><input type=\"checkbox\" id=\"check\"></body>",
    );
    let modifiers = Modifiers::default();
    let press = |id: &str| Action::Press { node: case.id(id), x: 0.5, y: 0.5, modifiers };
    assert_eq!(case.ask(press("out")).map(|permit| permit.submits()), Ok(false));
    assert_eq!(case.ask(press("yes")).map(|permit| permit.submits()), Ok(false));
    assert_eq!(case.asked(press("file")), Some(case.id("file")));
    let space = |id: &str| case.key(id, " ").map(|permit| permit.submits());
    assert_eq!(space("no"), Err(Refusal::Disabled));
    assert_eq!((space("yes"), space("check"), space("text")), (Ok(true), Ok(false), Ok(false)));
    assert!(matches!(case.key("file", " ").unwrap().action(), Action::Ask { .. }));
    assert!(matches!(case.key("file", "Enter").unwrap().action(), Action::Ask { .. }));
    assert_eq!(case.key("text", "F2").map(|permit| permit.submits()), Ok(false));
}

#[test]
fn back_and_forward_are_judged_by_where_they_lead() {
    let case = case("[[navigate]]\nurls = ['/secret/**']\nagent = 'denied'\n", "<html><body></body></html>");
    let back = |url: Option<&str>| {
        let near = Neighbours { back: url.map(str::to_owned), forward: None };
        case.masker.permit(&case.tree, Action::Back, &near)
    };
    assert_eq!(back(None), Err(Refusal::Nowhere));
    assert_eq!(back(Some("https://other.test/")), Err(Refusal::OutsideSite));
    assert_eq!(back(Some("about:blank")), Err(Refusal::NotPossible));
    for denied in ["https://shop.test/secret/1", "https://shop.test/logout", "https://shop.test/a.pdf"] {
        assert_eq!(back(Some(denied)), Err(Refusal::Disabled), "{denied}");
    }
    let there = "https://shop.test/before";
    assert_eq!(back(Some(there)).unwrap().to(), Some(there));
    let near = Neighbours { back: Some(there.into()), forward: None };
    assert_eq!(case.masker.permit(&case.tree, Action::Forward, &near), Err(Refusal::Nowhere));
}

#[test]
fn what_only_the_answer_says_to_be_a_file_needs_a_rule_that_names_it() {
    let rules = "[[navigate]]\nurls = ['/**', '/list', '/guides/*.pdf']\nagent = 'allowed'\n\
                 [[navigate]]\nurls = ['/denied']\nagent = 'denied'\n[[navigate]]\nurls = ['/denied']\nagent = 'allowed'\n";
    for (rules, path, may) in [
        ("", "/list", false),
        (rules, "/other", false),
        (rules, "/list", true),
        (rules, "/list/", true),
        (rules, "/guides/a.pdf", true),
        (rules, "/denied", false),
    ] {
        let case = case(rules, "<html><body></body></html>");
        let url = format!("https://shop.test{path}").parse().unwrap();
        assert_eq!(case.masker.may_save(&case.tree, &url), may, "{path} under {rules}");
    }
}
