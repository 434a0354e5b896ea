//! Whether a body without a type is a page, as browsers tell it from the first bytes (MIME Sniffing, section 7.1).

/// As much as browsers look at (section 5.2).
pub const LOOKED_AT: usize = 1445;

/// What a page may begin with, in any case, before a space or `>`.
const BEGINNINGS: [&[u8]; 17] = [
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<h1",
    b"<div",
    b"<font",
    b"<table",
    b"<a",
    b"<style",
    b"<title",
    b"<b",
    b"<body",
    b"<br",
    b"<p",
    b"<!--",
];

/// Whether what begins so is a page. None if more of it is needed to tell; `last`: there is no more.
pub fn is_page(start: &[u8], last: bool) -> Option<bool> {
    let last = last || start.len() >= LOOKED_AT;
    let start = &start[..start.len().min(LOOKED_AT)];
    let blank = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
    let text = &start[start.iter().position(|byte| !blank(byte)).unwrap_or(start.len())..];
    let mut open = text.is_empty();
    for beginning in BEGINNINGS {
        let common = beginning.len().min(text.len());
        if !text[..common].eq_ignore_ascii_case(&beginning[..common]) {
            continue;
        }
        match text.get(beginning.len()) {
            Some(b' ' | b'>') => return Some(true),
            Some(_) => {}
            None => open = true,
        }
    }
    if open && !last { None } else { Some(false) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::fuzz::cases;

    #[test]
    fn pages_are_told_from_other_things() {
        for page in [
            "<!DOCTYPE html>",
            "\n\t <!doctype HTML PUBLIC",
            "<html>",
            "<HTML lang=en",
            "<head >",
            "<!-- x -->",
            "<p>x",
            "<br>",
            "<b>x",
            "<a href=x>",
            "<script src=x>",
        ] {
            assert_eq!(is_page(page.as_bytes(), false), Some(true), "{page}");
        }
        for other in [
            "x",
            "<",
            "<?xml version='1.0'?><html>",
            "<svg>",
            "<header>",
            "<html\n>",
            "<p",
            "<pre>",
            "<!doctype svg>",
            "\u{feff}<html>",
            "%PDF-1.7",
            "{\"a\":\"<html>\"}",
            "",
            " ",
        ] {
            assert_eq!(is_page(other.as_bytes(), true), Some(false), "{other}");
        }
        assert_eq!(is_page(&[&[b' '; LOOKED_AT][..], b"<p>"].concat(), false), Some(false), "too far inside");
    }

    proptest! {
        #![proptest_config(cases(500))]

        #[test]
        fn more_never_changes_what_was_told(parts in prop::collection::vec(prop::sample::select(vec![
            "<", "!", "doctype", " ", "html", ">", "h1", "--", "b", "ody", "p", "\n", "x",
        ]), 0..8)) {
            let text = parts.concat().into_bytes();
            let whole = is_page(&text, true);
            for end in 0..=text.len() {
                if let Some(told) = is_page(&text[..end], false) {
                    prop_assert_eq!(Some(told), whole, "{} bytes", end);
                }
            }
        }
    }
}
