//! The JSON Schema of a policy file, by which editors complete and check it.
//!
//! Made by code, from the same lists of words that the reader of the files knows; a test holds the committed
//! copy (`policies/policy.schema.json`) to it, and another one holds it to what the reader takes.

use serde_json::{Value, json};

/// The schema (JSON Schema, draft 2020-12), as a value.
pub fn schema() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let list = |items: Value, about: &str| json!({ "type": "array", "minItems": 1, "items": items, "description": about });
    let parts = super::pattern::PARTS.map(|part| (part.to_owned(), json!({ "type": "string" })));
    let urls = |about: &str| {
        let item = json!({ "anyOf": [
            { "type": "string", "pattern": "^(/|https?://)[^#\\s]*$" },
            {
                "type": "object", "additionalProperties": false, "minProperties": 1,
                "description": "A URLPattern: its parts, or `pattern` for all in one string.",
                "properties": parts.iter().cloned().collect::<serde_json::Map<_, _>>(),
            },
        ] });
        list(item, &format!("{about} `*` stands for anything up to the next `/`, `**` for anything."))
    };
    let site = json!({ "type": "string", "pattern": "^https?://[^/?#\\s]+/?$" });
    let sites = json!({
        "description": "The site, or the sites, on which these rules hold: scheme and host; `*` stands for labels of the host. Every site when absent.",
        "anyOf": [site, list(site.clone(), "Several sites.")],
    });
    let roles = |about: &str| list(json!({ "enum": super::rules::ROLES.map(|(name, _)| name) }), about);
    let select = text("CSS selectors, separated by commas.");
    let label = text("What the customer reads in the tooltip.");
    let words = |words: [&str; 2], about: &str| json!({ "enum": words, "description": about });
    let rules = |about: &str, required: &[&str], properties: Value| {
        let rule = json!({
            "type": "object", "additionalProperties": false, "required": required, "properties": properties,
        });
        json!({ "type": "array", "items": rule, "description": about })
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tandem policy file",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "site": sites,
            "urls": urls("Where these rules hold; everywhere when absent."),
            "roles": roles("For whom these rules hold; for everybody but the customer when absent."),
            "default": words(["mask", "show"], "What holds for everything that no rule is about."),
            "override": {
                "type": "boolean",
                "description": "Whether the rules of this file that show, enable and allow win over those of earlier files.",
            },
            "mask": rules(
                "Shape kept, content gone.",
                &["select"],
                json!({
                    "select": select,
                    "label": label,
                    "length": words(["same", "fixed"], "Whether bullets are as many as characters, or always eight."),
                }),
            ),
            "hide": rules("A grey box.", &["select"], json!({ "select": select, "label": label })),
            "show": rules(
                "What may be seen where everything is masked, or by `override`.",
                &["select"],
                json!({ "select": select }),
            ),
            "reveal": rules(
                "Lifts a mask for some roles.",
                &["select", "roles"],
                json!({ "select": select, "roles": roles("Who sees it.") }),
            ),
            "control": rules(
                "What agents may use in Write mode.",
                &["select", "agent"],
                json!({ "select": select, "agent": words(["enabled", "disabled"], "Whether agents can use it.") }),
            ),
            "navigate": rules(
                "Where agents may take the customer.",
                &["urls", "agent"],
                json!({ "urls": urls("Where to."), "agent": words(["allowed", "denied"], "Whether they may.") }),
            ),
            "pause": rules(
                "Pages on which sharing stops by itself.",
                &["urls"],
                json!({ "urls": urls("Which pages.") }),
            ),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policies;

    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/policy.schema.json");

    /// `TANDEM_RENDER=1 cargo test --lib policy::schema` writes the committed copy anew.
    #[test]
    fn the_committed_copy_is_current() {
        let text = format!("{:#}\n", schema());
        if std::env::var_os("TANDEM_RENDER").is_some() {
            std::fs::write(PATH, &text).unwrap();
        }
        assert!(std::fs::read_to_string(PATH).unwrap_or_default() == text, "stale: {PATH}");
    }

    /// A value that the schema allows.
    fn example(schema: &Value) -> String {
        if let Value::Array(either) = &schema["anyOf"] {
            return example(&either[0]);
        }
        match (schema["type"].as_str(), &schema["enum"]) {
            (_, Value::Array(words)) => words[0].to_string(),
            (Some("string"), _)
                if schema["pattern"].as_str().is_some_and(|text| text.starts_with("^https?")) =>
            {
                "\"https://shop.test\"".into()
            }
            (Some("boolean"), _) => "true".into(),
            (Some("string"), _) if schema["pattern"].is_string() => "\"/x\"".into(),
            (Some("string"), _) => "\"p\"".into(),
            (Some("array"), _) => format!("[{}]", example(&schema["items"])),
            other => panic!("no example for {other:?}"),
        }
    }

    /// The properties of a rule, or of the file, as lines of TOML; without one of them.
    fn lines(properties: &Value, but: &str) -> String {
        let properties = properties.as_object().unwrap().iter();
        let scalar = properties
            .filter(|(name, schema)| *name != but && schema["items"]["type"].as_str() != Some("object"));
        scalar.map(|(name, schema)| format!("{name} = {}\n", example(schema))).collect()
    }

    #[test]
    fn the_reader_takes_what_the_schema_allows_and_needs_what_it_requires() {
        let schema = schema();
        let properties = &schema["properties"];
        let mut whole = lines(properties, "");
        let mut kinds = 0;
        for (kind, rules) in properties.as_object().unwrap() {
            let rule = &rules["items"];
            if rule["type"].as_str() != Some("object") {
                continue;
            }
            kinds += 1;
            whole.push_str(&format!("[[{kind}]]\n{}", lines(&rule["properties"], "")));
            for required in rule["required"].as_array().unwrap() {
                let required = required.as_str().unwrap();
                let text = format!("default = 'mask'\n[[{kind}]]\n{}", lines(&rule["properties"], required));
                let errors = Policies::parse(&[("p", &*text)]).unwrap_err();
                let message = format!("no `{required}`");
                assert!(errors.iter().any(|error| error.message().contains(&message)), "{text}");
            }
        }
        assert_eq!(kinds, 7);
        Policies::parse(&[("p", &*whole)]).unwrap_or_else(|errors| panic!("{}\n{whole}", errors[0]));
        // And there is nothing that the reader knows and the schema does not: it names what it knows.
        let errors = Policies::parse(&[("p", "qqqqqqqqqqqq = 1")]).unwrap_err();
        let hint = errors[0].to_string();
        let known = hint.split("a policy file has: ").nth(1).unwrap();
        let known: Vec<&str> =
            known.split(|char: char| !char.is_ascii_lowercase()).filter(|word| !word.is_empty()).collect();
        for word in known {
            assert!(!properties[word].is_null(), "{word}");
        }
    }
}
