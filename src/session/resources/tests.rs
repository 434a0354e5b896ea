//! Where an agent's pictures come from, and that nothing else ever does.

use super::*;
use crate::policy::picture;

fn resources(limits: Limits) -> (Arc<Resources>, mpsc::Receiver<Want>) {
    let (wants, asked) = mpsc::channel(4);
    (Resources::new(limits, ResourceNames::new([7; 32], "/r/"), wants), asked)
}

fn refer(resources: &Resources, url: &str) -> String {
    let (token, _) = resources.names.name(url);
    resources.refer([Reference { token: token.clone(), url: url.into() }]);
    token
}

#[tokio::test(start_paused = true)]
async fn what_passed_by_is_shown_without_asking() {
    let (resources, mut asked) = resources(Limits::default());
    let url = Url::parse("http://shop/a.png").unwrap();
    let token = refer(&resources, url.as_str());
    let mut arrival = resources.arrive(&url).unwrap();
    assert!(arrival.begin("image/png", Some(3)));
    let arrive = async {
        tokio::task::yield_now().await;
        arrival.data(b"abc");
        arrival.end();
    };
    let (shown, ()) = tokio::join!(resources.show(&token), arrive);
    assert_eq!(shown.unwrap().bytes, &b"abc"[..]);
    assert!(asked.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn what_the_browser_had_is_asked_for_once() {
    let (resources, mut asked) = resources(Limits::default());
    let token = refer(&resources, "http://shop/a.png");
    let both = async { tokio::join!(resources.show(&token), resources.show(&token)) };
    let bring = async {
        let want = asked.recv().await.unwrap();
        assert_eq!(want.url, "http://shop/a.png");
        assert!(resources.bring(want.number, "image/png", Bytes::from_static(b"x")));
        assert!(!resources.bring(want.number, "image/png", Bytes::from_static(b"y")), "answered already");
    };
    let ((one, two), ()) = tokio::join!(both, bring);
    assert_eq!(one, two);
    assert!(asked.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn what_a_page_could_not_bring_the_next_one_is_asked_for() {
    let (resources, mut asked) = resources(Limits::default());
    let token = refer(&resources, "http://shop/a.css");
    let give_up = async { resources.unavailable(asked.recv().await.unwrap().number) };
    let (shown, ()) = tokio::join!(resources.show(&token), give_up);
    assert_eq!(shown, Err(Missing::Unavailable));
    assert_eq!(resources.show(&token).await, Err(Missing::Unavailable), "a page is asked once");
    resources.ask_anew();
    let bring = async {
        let want = asked.recv().await.unwrap();
        assert!(resources.bring(want.number, "text/css", Bytes::from_static(b"p{}")));
    };
    let (shown, ()) = tokio::join!(resources.show(&token), bring);
    assert_eq!(shown.unwrap().bytes, &b"p{}"[..]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_shown_by_reference_only_and_goes_after_it_was_replaced() {
    let (resources, mut asked) = resources(Limits::default());
    assert_eq!(resources.take_picture("text/html", Bytes::from_static(b"x")), None);
    let number = resources.take_picture("image/png", Bytes::from_static(b"one")).unwrap();
    let (unseen, _) = resources.names.name(&picture(number));
    assert_eq!(resources.show(&unseen).await, Err(Missing::Unknown), "no view refers to it");
    let token = refer(&resources, &picture(number));
    assert_eq!(resources.show(&token).await.unwrap().bytes, &b"one"[..]);
    for later in 0..16 {
        resources.retire_pictures(&[if later == 0 { number } else { 1000 + later }]);
        assert!(resources.show(&token).await.is_ok(), "an agent may still be loading it");
    }
    resources.retire_pictures(&[2000]);
    assert_eq!(resources.show(&token).await, Err(Missing::Unknown));
    assert_eq!(resources.lock().total, 0);
    let gone = refer(&resources, &picture(77));
    assert_eq!(resources.show(&gone).await, Err(Missing::Unavailable));
    assert!(asked.try_recv().is_err(), "pictures are not asked for");
}

#[tokio::test(start_paused = true)]
async fn a_picture_in_its_address_is_kept_as_long_as_there_is_room() {
    let limits = Limits { resource: 8, total: 12, ..Limits::default() };
    let (resources, mut asked) = resources(limits);
    let first = refer(&resources, "data:image/png;base64,QUFBQUFBQUE=");
    let shown = resources.show(&first).await.unwrap();
    assert_eq!((shown.content_type.as_str(), &shown.bytes[..]), ("image/png", &b"AAAAAAAA"[..]));
    for refused in ["data:text/html,x", "data:text/css,x", "data:image/png;base64,QUFBQUFBQUFB"] {
        assert_eq!(resources.show(&refer(&resources, refused)).await, Err(Missing::Unknown), "{refused}");
    }
    let second = refer(&resources, "data:image/gif,BBBBBBBB");
    assert_eq!(resources.show(&first).await, Err(Missing::Unknown), "it had to make room");
    assert_eq!(resources.lock().references.len(), 1);
    assert_eq!(resources.show(&second).await.unwrap().bytes, &b"BBBBBBBB"[..]);
    refer(&resources, "data:image/png;base64,QUFBQUFBQUE=");
    assert!(resources.show(&first).await.is_ok(), "a view refers to it again");
    assert!(asked.try_recv().is_err(), "no browser is asked");
}

#[tokio::test(start_paused = true)]
async fn what_the_browser_is_loading_is_not_loaded_twice() {
    let (resources, mut asked) = resources(Limits::default());
    let url = Url::parse("http://shop/a.png").unwrap();
    let token = refer(&resources, url.as_str());
    let load = async {
        let want = asked.recv().await.unwrap();
        let mut arrival = resources.arrive(&url).unwrap();
        assert!(arrival.begin("image/png", None));
        arrival.data(b"abc");
        // The browser has all bytes and says that it brings none, before the proxy has seen the end.
        resources.unavailable(want.number);
        tokio::task::yield_now().await;
        arrival.end();
    };
    let (shown, ()) = tokio::join!(resources.show(&token), load);
    assert_eq!(shown.unwrap().bytes, &b"abc"[..]);
}

#[tokio::test(start_paused = true)]
async fn documents_and_answers_of_the_site_are_not_kept() {
    let (resources, mut asked) = resources(Limits::default());
    for kind in
        ["text/html", "application/json", "text/plain", "application/pdf", "", "application/octet-stream"]
    {
        let url = format!("http://shop/{}", kind.len());
        let token = refer(&resources, &url);
        let show = resources.show(&token);
        let bring = async {
            let want = asked.recv().await.unwrap();
            assert!(!resources.bring(want.number, kind, Bytes::from_static(b"{\"secret\":1}")), "{kind}");
        };
        assert_eq!(tokio::join!(show, bring).0, Err(Missing::Unavailable), "{kind}");
        let mut arrival = resources.arrive(&Url::parse("http://shop/other").unwrap()).unwrap();
        assert!(!arrival.begin(kind, None), "{kind}");
    }
    assert_eq!(resources.show("guess").await, Err(Missing::Unknown));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_not_waited_for_for_ever() {
    let (resources, _asked) = resources(Limits::default());
    let token = refer(&resources, "http://shop/a.png");
    assert_eq!(resources.show(&token).await, Err(Missing::Late));
}

#[tokio::test(start_paused = true)]
async fn a_style_sheet_names_only_capabilities() {
    let (resources, mut asked) = resources(Limits::default());
    let token = refer(&resources, "http://shop/css/a.css");
    let css = "@import 'b.css'; a{background:url(../secret-name.png)} b{background:url(javascript:x)}";
    let bring = async {
        let want = asked.recv().await.unwrap();
        resources.bring(want.number, "text/css", Bytes::from_static(css.as_bytes()));
    };
    let sheet = tokio::join!(resources.show(&token), bring).0.unwrap();
    let text = std::str::from_utf8(&sheet.bytes).unwrap();
    assert!(
        !text.contains("secret-name") && !text.contains("b.css") && !text.contains("javascript"),
        "{text}"
    );
    let (image, _) = resources.names.name("http://shop/secret-name.png");
    assert!(text.contains(&image));
    assert_eq!(resources.lock().references.get(&image).unwrap(), "http://shop/secret-name.png");
}

#[tokio::test(start_paused = true)]
async fn a_style_sheet_keeps_what_it_holds_and_which_part_it_means() {
    let (resources, mut asked) = resources(Limits::default());
    let token = refer(&resources, "http://shop/css/a.css");
    let held = [
        "data:application/font-woff;base64,AAAA",
        "DATA:image/png;base64,AAAA",
        "data:font/woff2,AA",
        "#blur",
    ];
    let css: String =
        held.iter().chain(&["icons.svg#cart"]).map(|url| format!("a{{mask:url({url})}}")).collect();
    let import = "@import 'data:application/css,b';";
    let bring = async {
        let want = asked.recv().await.unwrap();
        resources.bring(want.number, "text/css", Bytes::from(format!("{import}{css}")));
    };
    let sheet = tokio::join!(resources.show(&token), bring).0.unwrap();
    let text = std::str::from_utf8(&sheet.bytes).unwrap();
    for url in held {
        assert!(text.contains(url), "{url}: {text}");
    }
    assert!(!text.contains("application/css"), "{text}");
    let (icons, path) = resources.names.name("http://shop/css/icons.svg");
    assert!(text.contains(&format!("{path}#cart")), "{text}");
    assert_eq!(resources.lock().references.get(&icons).unwrap(), "http://shop/css/icons.svg");
}

#[test]
fn no_more_is_kept_than_the_limit() {
    let (resources, _asked) = resources(Limits { total: 10, ..Limits::default() });
    for name in ["a", "b", "c"] {
        assert!(resources.keep(&format!("http://shop/{name}"), "image/png", Bytes::from_static(b"1234")));
    }
    let state = resources.lock();
    assert_eq!(state.total, 8);
    assert!(!state.entries.contains_key("http://shop/a"));
}

#[tokio::test(start_paused = true)]
async fn a_url_without_end_is_not_remembered() {
    let (resources, _asked) = resources(Limits::default());
    let token = refer(&resources, &format!("http://shop/{}", "a".repeat(LONGEST_URL)));
    assert_eq!(resources.show(&token).await, Err(Missing::Unknown));
    assert!(resources.lock().references.is_empty());
}
