//! Reads typed values out of TOML and remembers everything that is wrong, each with its place in the file.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::nearest;

const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Bytes of the file.
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// What is wrong so far.
pub(super) type Errors = Vec<Wrong>;

/// One table of the file. Every key has to be taken; what is left at the end is unknown.
pub(super) struct Section<'a> {
    name: &'a str,
    table: DeTable<'a>,
    place: Range<usize>,
    known: Vec<&'static str>,
}

/// A key of a table and what it stands for.
pub(super) struct Entry<'a> {
    pub(super) key: String,
    /// Of the key.
    pub(super) span: Range<usize>,
    pub(super) value: DeValue<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn new(name: &'a str, table: DeTable<'a>, place: Range<usize>) -> Self {
        Section { name, table, place, known: Vec::new() }
    }

    /// The value of `key`, if it is there and right.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.remove(key)?;
        match read(value.get_ref()) {
            Ok(read) => Some(read),
            Err(message) => {
                errors.push(Wrong { span: value.span(), message: format!("`{key}`: {message}"), hint: None });
                None
            }
        }
    }

    /// Like [`Section::take`], for a key that must be there.
    pub(super) fn need<T>(
        &mut self,
        key: &'static str,
        errors: &mut Errors,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, String>,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            self.known.push(key);
            let message = format!("[{}] needs `{key}`", self.name);
            errors.push(Wrong { span: self.place.clone(), message, hint: None });
            return None;
        }
        self.take(key, errors, read)
    }

    /// Puts the value of `key` in the place of a default.
    pub(super) fn set<T>(
        &mut self,
        key: &'static str,
        place: &mut T,
        errors: &mut Errors,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, String>,
    ) {
        if let Some(value) = self.take(key, errors, read) {
            *place = value;
        }
    }

    /// A table within this one.
    pub(super) fn section(&mut self, key: &'static str, errors: &mut Errors) -> Option<Section<'a>> {
        let value = self.remove(key)?;
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Some(Section::new(key, table, span)),
            _ => {
                errors.push(Wrong { span, message: format!("`{key}` must be a table: [{key}]"), hint: None });
                None
            }
        }
    }

    /// An array of tables within this one.
    pub(super) fn sections(&mut self, key: &'static str, errors: &mut Errors) -> Vec<Section<'a>> {
        let Some(value) = self.remove(key) else { return Vec::new() };
        let span = value.span();
        let wrong = Wrong { span, message: format!("`{key}` must be written as [[{key}]]"), hint: None };
        let DeValue::Array(array) = value.into_inner() else {
            errors.push(wrong);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array {
            let span = item.span();
            match item.into_inner() {
                DeValue::Table(table) => sections.push(Section::new(key, table, span)),
                _ => errors.push(wrong.clone()),
            }
        }
        sections
    }

    /// A table within this one, or an array of such.
    pub(super) fn one_or_more(&mut self, key: &'static str, errors: &mut Errors) -> Vec<Section<'a>> {
        match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Array(_)) => self.sections(key, errors),
            _ => self.section(key, errors).into_iter().collect(),
        }
    }

    /// All keys and values that nobody has asked for yet, where the keys are names that the file's author gives.
    pub(super) fn entries(&mut self) -> Vec<Entry<'a>> {
        let table = std::mem::take(&mut self.table);
        let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'a>>)| {
            let span = key.span();
            let key: std::borrow::Cow<'a, str> = key.into_inner();
            Entry { key: key.into_owned(), span, value: value.into_inner() }
        };
        table.into_iter().map(entry).collect()
    }

    /// Where this table stands.
    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// Complains about every key that nobody asked for.
    pub(super) fn finish(self, errors: &mut Errors) {
        for (key, _) in &self.table {
            let within = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
            errors.push(Wrong {
                span: key.span(),
                message: format!("unknown key `{}`{within}", key.get_ref()),
                hint: hint(key.get_ref(), &self.known),
            });
        }
    }

    fn remove(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.remove(key)
    }
}

/// The known key that somebody most likely meant, or all of them.
pub(super) fn hint(key: &str, known: &[&'static str]) -> Option<String> {
    match nearest(key, known) {
        Some(word) => Some(format!("did you mean `{word}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}

/// Any text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err("must be a text in quotes".into()),
    }
}

/// A text that is a secret: as it stands, or `{ env = "NAME" }` for the value of an environment variable.
pub(super) fn secret(value: &DeValue<'_>) -> Result<String, String> {
    let DeValue::Table(table) = value else { return text(value) };
    let name = table.iter().find(|(key, _)| key.get_ref() == "env").map(|(_, name)| name.get_ref());
    let (Some(name), 1) = (name, table.len()) else {
        return Err("must be a text, or { env = \"NAME\" }".into());
    };
    let name = text(name)?;
    std::env::var(&name).map_err(|_| format!("the environment variable {name} is not set"))
}

/// A list of texts; `wrong` says what they should be.
pub(super) fn texts(value: &DeValue<'_>, wrong: &str) -> Result<Vec<String>, String> {
    let DeValue::Array(items) = value else { return Err(wrong.to_owned()) };
    items.iter().map(|item| text(item.get_ref()).map_err(|_| wrong.to_owned())).collect()
}

/// A text that `FromStr` reads.
pub(super) fn parsed<T: std::str::FromStr>(what: &'static str) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| text(value)?.parse().map_err(|_| format!("must be {what}"))
}

/// A time such as "30s".
pub(super) fn time(value: &DeValue<'_>) -> Result<Duration, String> {
    let wrong = "must be a time such as \"30s\", \"5m\" or \"4h\"";
    let time = humantime::parse_duration(&text(value).map_err(|_| wrong)?).map_err(|_| wrong)?;
    match time {
        Duration::ZERO => Err("must be longer than nothing".into()),
        // Beyond it, the ends of time are near.
        time if time > LONGEST => Err("must be at most a year".into()),
        time => Ok(time),
    }
}

/// A size such as "2MiB", in bytes.
pub(super) fn size(value: &DeValue<'_>) -> Result<usize, String> {
    let wrong = "must be a size such as \"64KiB\" or \"2MiB\"";
    let text = text(value).map_err(|_| wrong)?;
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit.trim() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong.into()),
    };
    let size: usize = number.parse().map_err(|_| wrong)?;
    size.checked_mul(factor).filter(|size| *size > 0).ok_or_else(|| wrong.into())
}

/// A whole number from 1 on.
pub(super) fn count<T: TryFrom<i64>>(value: &DeValue<'_>) -> Result<T, String> {
    let wrong = "must be a whole number from 1 on";
    let DeValue::Integer(number) = value else { return Err(wrong.into()) };
    let number = i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| wrong)?;
    if number < 1 {
        return Err(wrong.into());
    }
    T::try_from(number).map_err(|_| "is too large".into())
}
