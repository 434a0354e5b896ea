//! What is wrong in a policy file, shown so that an administrator sees the place and the remedy.
//!
//! The first line is `file:line:column: message`, as editors and CI logs read it; the excerpt follows.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One error in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    file: String,
    line: usize,
    column: usize,
    message: String,
    rendered: String,
}

impl Diagnostic {
    /// About the bytes `span` of `text`, the content of `file`.
    pub fn new(
        file: &str,
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Diagnostic {
        Diagnostic::at(Level::ERROR, file, text, span, message, hint)
    }

    /// The same, of what is allowed.
    pub fn warning(file: &str, text: &str, span: Range<usize>, message: &str) -> Diagnostic {
        Diagnostic::at(Level::WARNING, file, text, span, message, None)
    }

    fn at(
        level: Level<'_>,
        file: &str,
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Diagnostic {
        let message = message.into();
        let start = floor(text, span.start);
        let end = floor(text, span.end.max(start)).max(start);
        let before = &text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1;
        let title = format!("{file}:{line}:{column}: {message}");
        // The excerpt is of the lines concerned only: a file may be large, and errors many.
        let from = before.rfind('\n').map_or(0, |at| at + 1);
        let to = text[end..].find('\n').map_or(text.len(), |at| end + at);
        let mut group = level.primary_title(&title).element(
            Snippet::source(&text[from..to])
                .line_start(line)
                .annotation(AnnotationKind::Primary.span(start - from..end - from)),
        );
        if let Some(hint) = &hint {
            group = group.element(Level::HELP.message(hint));
        }
        let rendered = Renderer::plain().render(&[group]);
        Diagnostic { file: file.to_owned(), line, column, message, rendered }
    }

    /// About a file as a whole.
    pub fn whole(file: &str, message: impl Into<String>) -> Diagnostic {
        let message = message.into();
        let rendered = format!("error: {file}:1:1: {message}");
        Diagnostic { file: file.to_owned(), line: 1, column: 1, message, rendered }
    }

    /// The file's name as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Line and column of the first character concerned, counted from 1.
    pub fn position(&self) -> (usize, usize) {
        (self.line, self.column)
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Diagnostic {
    /// With the excerpt; plain text of several lines, the first with `file:line:column`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

impl std::error::Error for Diagnostic {}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The known word that is meant by an unknown one, if it is near enough.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein, of words as long as a key.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in two.iter().enumerate() {
            let cost = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[two.len()]
}
