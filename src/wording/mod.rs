//! The texts that people read, in every language: those that come with Tandem, with the administrator's in their place.
//!
//! A language is whole or it is not there: nobody ever reads two languages in one sentence, or the name of a key.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// What plural forms are called (CLDR); each language has some of them, and all have `other`.
pub const PLURALS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// The texts of one screen in all its languages.
#[derive(Debug, Clone)]
pub struct Texts {
    shape: &'static Map<String, Value>,
    languages: BTreeMap<String, Map<String, Value>>,
}

impl Texts {
    /// What customers read.
    pub fn of_customers() -> Texts {
        Texts::of(&CUSTOMER)
    }

    fn of(shipped: &'static BTreeMap<&'static str, Map<String, Value>>) -> Texts {
        let languages = shipped.iter().map(|(name, texts)| ((*name).to_owned(), texts.clone())).collect();
        Texts { shape: &shipped[ENGLISH], languages }
    }

    /// Which texts there are: those in English, by their keys.
    pub fn shape(&self) -> &'static Map<String, Value> {
        self.shape
    }

    /// The languages and their texts.
    pub fn languages(&self) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        self.languages.iter().map(|(name, texts)| (name.as_str(), texts))
    }

    /// The texts of one language.
    pub fn get(&self, language: &str) -> Option<&Map<String, Value>> {
        self.languages.get(language)
    }

    /// Puts texts in the place of those of the same keys. A language that is new must have all of them.
    ///
    /// # Errors
    /// The keys that a new language lacks.
    pub fn change(&mut self, language: &str, texts: Map<String, Value>) -> Result<(), Vec<String>> {
        if let Some(known) = self.languages.get_mut(language) {
            merge(known, texts);
            return Ok(());
        }
        let mut missing = Vec::new();
        lacking(self.shape, &texts, "", &mut missing);
        if missing.is_empty() {
            self.languages.insert(language.to_owned(), texts);
            Ok(())
        } else {
            Err(missing)
        }
    }
}

/// Whether an entry has a form for each plural.
pub fn is_plural(entry: &Map<String, Value>) -> bool {
    entry.contains_key("one") && entry.contains_key("other")
}

/// The places in a text that are filled in: `{agent}`.
pub fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn merge(known: &mut Map<String, Value>, texts: Map<String, Value>) {
    for (key, text) in texts {
        match (known.get_mut(&key), text) {
            (Some(Value::Object(within)), Value::Object(texts)) => merge(within, texts),
            (_, text) => {
                known.insert(key, text);
            }
        }
    }
}

fn lacking(shape: &Map<String, Value>, texts: &Map<String, Value>, path: &str, missing: &mut Vec<String>) {
    for (key, text) in shape {
        // Which other forms a language has, it knows itself.
        if is_plural(shape) && key != "other" {
            continue;
        }
        let found = texts.get(key);
        if let Value::Object(shape) = text {
            let none = Map::new();
            let within = found.and_then(Value::as_object).unwrap_or(&none);
            lacking(shape, within, &format!("{path}{key}."), missing);
        } else if found.is_none() {
            missing.push(format!("{path}{key}"));
        }
    }
}

const ENGLISH: &str = "en";

type Shipped = BTreeMap<&'static str, Map<String, Value>>;

macro_rules! shipped {
    ($folder:literal) => {
        LazyLock::new(|| {
            let read = |text| serde_json::from_str(text).expect("a unit test reads all of them");
            [
                ("ar", include_str!(concat!("../../injector/src/words/", $folder, "/ar.json"))),
                ("de", include_str!(concat!("../../injector/src/words/", $folder, "/de.json"))),
                ("en", include_str!(concat!("../../injector/src/words/", $folder, "/en.json"))),
                ("es", include_str!(concat!("../../injector/src/words/", $folder, "/es.json"))),
                ("fr", include_str!(concat!("../../injector/src/words/", $folder, "/fr.json"))),
            ]
            .map(|(name, text)| (name, read(text)))
            .into()
        })
    };
}

static CUSTOMER: LazyLock<Shipped> = shipped!("customer");

#[cfg(test)]
mod tests {
    use super::*;

    /// All texts under an entry, by their path; the forms of a plural are one.
    fn paths(entry: &Map<String, Value>, path: &str, out: &mut BTreeMap<String, Vec<String>>) {
        for (key, value) in entry {
            let at = if is_plural(entry) { path.to_owned() } else { format!("{path}/{key}") };
            match value {
                Value::Object(entry) => paths(entry, &at, out),
                Value::String(text) => out.entry(at).or_default().push(text.clone()),
                _ => panic!("{at} is no text"),
            }
        }
    }

    fn all(entry: &Map<String, Value>) -> BTreeMap<String, Vec<String>> {
        let mut out = BTreeMap::new();
        paths(entry, "", &mut out);
        out
    }

    #[test]
    fn no_text_is_missing_in_a_language_and_none_is_left_in_english() {
        for texts in [Texts::of_customers()] {
            let english = all(texts.shape());
            for (language, shipped) in texts.languages() {
                let shipped = all(shipped);
                let keys = |all: &BTreeMap<String, Vec<String>>| all.keys().cloned().collect::<Vec<_>>();
                assert_eq!(keys(&shipped), keys(&english), "{language}");
                for (path, forms) in &shipped {
                    let known: BTreeSet<_> = english[path].iter().flat_map(|text| places(text)).collect();
                    for text in forms {
                        assert!(!text.trim().is_empty(), "{language} {path}");
                        assert!(places(text).is_subset(&known), "{language} {path}: {text}");
                    }
                    let long = english[path].iter().any(|text| text.len() > 20);
                    assert!(
                        language == ENGLISH || !long || *forms != english[path],
                        "{language} {path} is English"
                    );
                }
            }
        }
    }

    #[test]
    fn a_language_is_changed_in_part_and_added_as_a_whole() {
        let texts = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let mut all = Texts::of_customers();
        all.change("de", texts(r#"{ "start": "Hilfe", "ended": { "error": "Aus." } }"#)).unwrap();
        let german = all.get("de").unwrap();
        assert_eq!((&german["start"], &german["ended"]["error"]), (&"Hilfe".into(), &"Aus.".into()));
        assert_eq!(german["copy"], "Kopieren");
        let missing = all.change("it", texts(r#"{ "start": "Aiuto" }"#)).unwrap_err();
        assert!(missing.contains(&"ended.error".to_owned()) && !missing.contains(&"start".to_owned()));
        assert!(all.get("it").is_none());
        all.change("it", all.shape().clone()).unwrap();
        assert!(all.get("it").is_some());
    }
}
