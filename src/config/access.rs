//! Who may come in: `[console]`, the tokens that it believes, and the keys of `[api]`.

use std::path::Path;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use url::Url;

use super::reader::{Errors, Section, Wrong, count, parsed, text, texts, time};
use super::{Console, certificates, default_console, public_url, yes};
use crate::console::tokens::Source;
use crate::protocol::agent::Role;
use crate::{api, console};

/// `[console]`: where agents come in, and who is let in without a password.
pub(super) fn console(mut section: Section<'_>, folder: &Path, console: &mut Console, errors: &mut Errors) {
    section.set("listen", &mut console.listen, errors, parsed("an address such as \"127.0.0.1:8081\""));
    console.tls = certificates(&mut section, folder, errors);
    let secure = !console.tls.is_empty();
    let public = section.take("public", errors, |value| public_url(value, secure));
    console.public = public.unwrap_or_else(|| default_console(secure));
    section.set("agents", &mut console.agents, errors, |value| Ok(folder.join(text(value)?)));
    section.set("login_lifetime", &mut console.settings.login_lifetime, errors, time);
    section.set("list_waiting", &mut console.settings.list_waiting, errors, yes);
    section.set("frame_ancestors", &mut console.settings.ancestors, errors, origins);
    console.settings.tokens =
        section.section("tokens", errors).and_then(|section| tokens(section, folder, errors));
    section.finish(errors);
}

/// `[console.tokens]`: whose signature opens the console.
fn tokens(mut section: Section<'_>, folder: &Path, errors: &mut Errors) -> Option<console::tokens::Settings> {
    let audience = section.need("audience", errors, text);
    let issuer = section.take("issuer", errors, text);
    let keys = section.need("keys", errors, |value| {
        let source = text(value)?;
        let source = match source.parse::<Url>() {
            Ok(url) if matches!(url.scheme(), "https" | "http") => Source::Url(url),
            _ => Source::File(folder.join(source)),
        };
        source.check()?;
        Ok(source)
    });
    let mut roles = vec![Role::Agent, Role::Supervisor];
    section.set("roles", &mut roles, errors, |value| {
        let wrong = "must be a list of roles: \"agent\", \"supervisor\", \"admin\"";
        let role = |name: &String| -> Result<Role, serde::de::value::Error> {
            Role::deserialize(name.as_str().into_deserializer())
        };
        texts(value, wrong)?.iter().map(|name| role(name).map_err(|_| wrong.to_owned())).collect()
    });
    section.finish(errors);
    Some(console::tokens::Settings { audience: audience?, issuer, keys: keys?, roles })
}

/// `[api]`: each key has a name of its own, for the log, and the hash by which it is known.
pub(super) fn keys(section: &mut Section<'_>, errors: &mut Errors) -> Vec<api::Key> {
    let mut keys: Vec<api::Key> = Vec::new();
    for mut section in section.sections("keys", errors) {
        let place = section.place();
        let name = section.need("name", errors, text);
        let sha256 = section.need("sha256", errors, |value| {
            let digits = text(value)?;
            hex(&digits).ok_or_else(|| "must be 64 hexadecimal digits: printf %s KEY | sha256sum".into())
        });
        let mut rights = api::Right::ALL.to_vec();
        section.set("rights", &mut rights, errors, |value| {
            let wrong = "must be a list of \"read\", \"attach\", \"end\", \"invite\"";
            let right = |word: &String| api::Right::from_word(word).ok_or_else(|| wrong.to_owned());
            texts(value, wrong)?.iter().map(right).collect()
        });
        let mut rate = std::num::NonZeroU32::new(50).expect("fifty is not zero");
        section.set("requests_per_second", &mut rate, errors, |value| {
            count::<u32>(value)
                .and_then(|n| n.try_into().map_err(|_| "must be a whole number from 1 on".into()))
        });
        section.finish(errors);
        let (Some(name), Some(sha256)) = (name, sha256) else { continue };
        if keys.iter().any(|key| key.name == name || key.sha256 == sha256) {
            let message = "another key has the same name or hash".to_owned();
            errors.push(Wrong { span: place, message, hint: None });
        }
        keys.push(api::Key { name, sha256, rights, rate });
    }
    keys
}

/// 32 bytes in hexadecimal digits.
fn hex(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Origins of websites, as they are written in a Content Security Policy.
fn origins(value: &toml::de::DeValue<'_>) -> Result<Vec<String>, String> {
    let wrong = "must be a list of origins such as [\"https://crm.example.com\"]";
    let origin = |text: &String| {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        bare.then(|| url.origin().ascii_serialization())
    };
    texts(value, wrong)?.iter().map(|text| origin(text).ok_or_else(|| wrong.to_owned())).collect()
}
