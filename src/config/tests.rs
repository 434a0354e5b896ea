//! What the settings file may say, and what is said of what it may not.

use super::*;
use crate::protocol::agent::Role;

fn wrongs(text: &str) -> Vec<(String, String)> {
    let errors = Config::parse(text, Path::new("")).unwrap_err();
    errors.into_iter().map(|wrong| (text[wrong.span].to_owned(), wrong.message)).collect()
}

const GOOD: &str = "[[site]]\npublic = \"http://localhost:8080\"\norigin = \"http://127.0.0.1:9000\"\n";

#[test]
fn a_short_file_is_enough() {
    let config = Config::parse(GOOD, Path::new("/etc/tandem")).unwrap();
    assert_eq!(config.console.agents, Path::new("/etc/tandem/agents.toml"));
    assert_eq!(config.policies, Path::new("/etc/tandem/policies"));
}

#[test]
fn whose_tokens_count_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::KeyPair::generate().unwrap();
    std::fs::write(folder.path().join("crm.pem"), pair.public_key_pem()).unwrap();
    let text = format!(
        "{GOOD}[console]\nframe_ancestors = [\"https://crm.example/\"]\n[console.tokens]\naudience = \"tandem\"\n\
         keys = \"crm.pem\"\nroles = [\"supervisor\"]\n"
    );
    let config = Config::parse(&text, folder.path()).unwrap();
    assert_eq!(config.console.settings.ancestors, ["https://crm.example"]);
    let tokens = config.console.settings.tokens.unwrap();
    assert_eq!((tokens.audience.as_str(), tokens.roles), ("tandem", vec![Role::Supervisor]));
    let found = wrongs(&text.replace("[\"supervisor\"]", "[\"king\"]").replace("crm.pem", "no.pem"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(!wrongs(&text.replace("https://crm.example/", "https://crm.example/x")).is_empty());
}

#[test]
fn keys_of_the_api_are_read() {
    let hash = "ab".repeat(32);
    let keys = |keys: &str| format!("{GOOD}[api]\nkeys = [ {keys} ]\n");
    let good = keys(&format!("{{ name = \"crm\", sha256 = \"{hash}\", rights = [\"read\"] }}"));
    let config = Config::parse(&good, Path::new("")).unwrap();
    let key = &config.api[0];
    assert_eq!((key.name.as_str(), key.sha256), ("crm", [0xab; 32]));
    assert_eq!(key.rights, [api::Right::Read]);
    let one = format!("{{ name = \"a\", sha256 = \"{hash}\" }}");
    for (bad, what) in [
        ("{ name = \"crm\", sha256 = \"abc\" }".to_owned(), "64 hexadecimal"),
        (format!("{{ sha256 = \"{hash}\" }}"), "needs `name`"),
        (format!("{{ name = \"a\", sha256 = \"{hash}\", rights = [\"fly\"] }}"), "rights"),
        (format!("{one}, {one}"), "another"),
    ] {
        let found = wrongs(&keys(&bad));
        assert!(found.iter().any(|(_, message)| message.contains(what)), "{found:?}");
    }
}

#[test]
fn the_documented_settings_are_read() {
    let text = format!(
        "{GOOD}host = \"keep\"\n[proxy]\nlisten = \"127.0.0.1:1\"\n\
         trusted = [\"10.0.0.0/8\", \"::1\"]\n[console]\nlisten = \"127.0.0.1:2\"\n\
         public = \"https://agents.example\"\nagents = \"a.toml\"\n[policy]\ndir = \"p\"\n[session]\n\
         join_timeout = \"20m\"\naway_timeout = \"5m\"\nagent_timeout = \"3m\"\nidle_timeout = \"30m\"\n\
         max_duration = \"4h\"\nwarn_before = \"1m\"\nsessions_per_agent = 3\nwatchers = 2\n[store]\npath = \"d\"\nhistory = \"7d\"\n[limits]\npage_message = \"2MiB\"\nsessions = 7\n\
         handshake_timeout = \"3s\"\nconnections = 50\nstreams = 9\n"
    );
    let config = Config::parse(&text, Path::new("x")).unwrap();
    assert_eq!(config.proxy.listen.port(), 1);
    assert_eq!(config.trusted, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    assert_eq!(config.console.public.as_str(), "https://agents.example/");
    assert_eq!(config.session.timeouts.max.as_secs(), 4 * 3600);
    assert_eq!((config.socket.customer_message, config.session.sessions), (2 << 20, 7));
    assert_eq!((config.session.per_agent, config.session.watchers), (3, 2));
    assert_eq!(config.store, Path::new("x/d"));
    assert_eq!(config.history.as_secs(), 7 * 24 * 3600);
    let limits = config.limits;
    assert_eq!((limits.handshake.as_secs(), limits.connections, limits.streams), (3, 50, 9));
}

#[test]
fn a_site_can_stand_under_another_name() {
    let site = "[[site]]\npublic = \"http://a.example\"\norigin = \"http://10.0.0.7\"\nhost = \"origin\"\n";
    let read = |more: &str| Config::parse(&format!("{site}{more}"), Path::new(""));
    assert_eq!(
        read("").unwrap().sites[0].host,
        proxy::Host::Own { name: None, bodies: proxy::Bodies::default() }
    );
    let config = read("name = \"https://www.example\"\nmap = [\"json\"]\n").unwrap();
    let name = Some(Url::parse("https://www.example").unwrap());
    let bodies = proxy::Bodies { json: true, javascript: false };
    assert_eq!(config.sites[0].host, proxy::Host::Own { name, bodies });
    for (wrong, word) in [
        (site.replace("origin\"\n", "mine\"\n"), "\"keep\" or \"origin\""),
        (format!("{site}map = [\"images\"]\n"), "\"json\" and"),
        (format!("{site}name = \"https://a/x\"\n"), "URL"),
        (format!("{GOOD}map = [\"json\"]\n"), "host = \"origin\""),
    ] {
        let errors = wrongs(&wrong);
        assert!(errors.iter().any(|(_, message)| message.contains(word)), "{wrong}: {errors:?}");
    }
}

#[test]
fn certificates_are_read_and_the_addresses_follow() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        let made = rcgen::generate_simple_self_signed(vec![format!("{name}.example")]).unwrap();
        std::fs::write(folder.path().join(format!("{name}.pem")), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join(format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
    }
    let (a, b) = ("{ cert = \"a.pem\", key = \"a.key\" }", "{ cert = \"b.pem\", key = \"b.key\" }");
    let site = "[[site]]\npublic = \"https://a.example\"\norigin = \"https://10.0.0.7\"\nca = \"a.pem\"\n\
                origin_name = \"a.example\"\n";
    let text = format!("{site}[proxy]\ntls = [{a}, {b}]\n[console]\ntls = {b}\n");
    let config = Config::parse(&text, folder.path()).unwrap();
    assert_eq!((config.proxy.tls.len(), config.console.tls.len()), (2, 1));
    assert_eq!(config.proxy.tls[1].cert, folder.path().join("b.pem"));
    assert_eq!(config.console.public.scheme(), "https");
    let wrong = text.replace("key = \"b.key\"", "key = \"a.key\"").replace("https://a.", "http://a.");
    let errors = Config::parse(&wrong, folder.path()).unwrap_err();
    let messages: Vec<_> = errors.iter().map(|wrong| wrong.message.as_str()).collect();
    let mismatches = messages.iter().filter(|message| message.contains("does not belong")).count();
    assert!(mismatches == 2 && messages.iter().any(|message| message.contains("https://")), "{messages:?}");
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let text =
        format!("{GOOD}hosts = 1\n[session]\njoin_timeout = \"soon\"\njoin_timout = \"1s\"\n[sesion]\n");
    let wrongs = wrongs(&text);
    let places: Vec<_> = wrongs.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["hosts", "\"soon\"", "join_timout", "sesion"]);
}

#[test]
fn what_can_not_work_is_refused() {
    for (text, word) in [
        ("", "[[site]]"),
        ("[[site]]\npublic = \"http://a\"\n", "origin"),
        ("[[site]]\npublic = \"a\"\norigin = \"http://b\"\n", "URL"),
        ("[[site]]\npublic = \"http://a/x\"\norigin = \"http://b\"\n", "URL"),
        (
            "[[site]]\npublic = \"http://a\"\norigin = \"https://b\"\nca = \"gone.pem\"\n",
            "gone.pem: can not be read",
        ),
        ("[[site]]\npublic = \"http://a\"\norigin = \"http://b\"\nca = \"gone.pem\"\n", "https://"),
        ("[proxy]\ntls = { cert = \"gone.pem\", key = \"k\" }", "gone.pem: can not be read"),
        ("[proxy]\ntls = [{ cert = \"gone.pem\" }]", "[tls] needs `key`"),
        ("[proxy]\ntls = \"site.pem\"", "must be a table"),
        ("[proxy]\ntrusted = \"10.0.0.0/8\"", "list of networks"),
        ("[proxy]\ntrusted = [\"10.0.0.0/33\"]", "list of networks"),
        ("[proxy]\ntrusted = [\"balancer\"]", "list of networks"),
        ("site = 1", "[[site]]"),
        ("[[site]\n", ""),
    ] {
        let errors = wrongs(text);
        assert!(errors.iter().any(|(_, message)| message.contains(word)), "{text}: {errors:?}");
    }
    for (key, value) in [("sessions", "0"), ("page_text", "\"9\""), ("page_text", "\"99999999999999GiB\"")] {
        assert!(Config::parse(&format!("{GOOD}[limits]\n{key} = {value}\n"), Path::new("")).is_err());
    }
}

#[test]
fn the_widget_is_as_the_settings_say() {
    let text = format!(
        "{GOOD}[widget]\nposition = \"bottom-left\"\naccent = \"#ffd400\"\nlanguage = \"de\"\n\
         [widget.text.de]\nstart = \"Gemeinsam ansehen\"\nended.error = \"Schade.\"\n\
         people = {{ one = \"{{names}} sieht zu\", other = \"{{count}} sehen zu\" }}\n\
         [widget.terms.de]\ntext = \"Regeln\"\nlink = \"/agb\"\n[widget.terms.en]\nlink = \"https://shop.example/terms\"\n"
    );
    let widget = Config::parse(&text, Path::new("")).unwrap().widget;
    assert_eq!(widget.position, Some(Corner::BottomLeft));
    assert_eq!(
        (widget.accent.to_string(), widget.accent.ink().to_string()),
        ("#ffd400".into(), "#000000".into())
    );
    let german = widget.texts.get("de").unwrap();
    assert_eq!((&german["start"], &german["copy"]), (&"Gemeinsam ansehen".into(), &"Kopieren".into()));
    assert_eq!(
        (&german["ended"]["error"], &german["people"]["one"]),
        (&"Schade.".into(), &"{names} sieht zu".into())
    );
    // Who reads a language without terms gets those in the widget's own.
    assert_eq!(widget.terms_for("en").map(|(language, _)| language), Some("en"));
    assert_eq!(widget.terms_for("ar").map(|(language, _)| language), Some("de"));
}

#[test]
fn what_is_wrong_with_the_widget_is_said_with_its_place() {
    for (bad, place, what) in [
        ("[widget]\nposition = \"middle\"", "\"middle\"", "top-left"),
        ("[widget]\naccent = \"blue\"", "\"blue\"", "a colour"),
        ("[widget]\naccent = \"#12345\"", "\"#12345\"", "a colour"),
        ("[widget]\nlanguage = \"tlh\"", "\"tlh\"", "must be one of"),
        ("[widget]\ncolor = \"#fff\"", "color", "unknown key"),
        ("[widget.text.de]\nstrat = \"x\"", "strat", "unknown text"),
        ("[widget.text.de]\nended.errror = \"x\"", "errror", "unknown text"),
        ("[widget.text.de]\nended = \"x\"", "ended", "a table of texts"),
        ("[widget.text.de]\nstart = \" \"", "start", "empty"),
        ("[widget.text.de]\njoined = \"{agnt} ist da\"", "joined", "{agnt} is not known there, only {agent}"),
        ("[widget.text.it]\nstart = \"Aiuto\"", "it", "needs all texts"),
        ("[widget.text.Deutsch]\nstart = \"x\"", "Deutsch", "no language"),
        ("[widget.terms.de]\nlink = \"javascript:alert(1)\"", "\"javascript:alert(1)\"", "must be a URL"),
        ("[widget.terms.xx]\ntext = \"x\"", "xx", "no language"),
        ("[widget.terms.de]\n", "de", "need a `text`, a `link`"),
    ] {
        let found = wrongs(&format!("{GOOD}{bad}\n"));
        assert!(found.iter().any(|(at, message)| at == place && message.contains(what)), "{bad}: {found:?}");
    }
}
