//! `tandem policy preview`: one page as an agent would see it, for administrators and for their tests.
//!
//! Standard output is the masked HTML and nothing else; what is said about it goes to standard error.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use url::Url;

use super::agents::RoleArgument;
use super::{FAILED, FINE, UNUSABLE, complain, on_runtime};
use crate::dom::{Limits, Misfit, Tree};
use crate::fetch::{self, fetch};
use crate::policy::{Policies, Preview};

/// Bytes of a page.
const PAGE: usize = 32 << 20;

/// What to look at, and as whom.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("page").required(true).args(["html", "url"])))]
pub(super) struct Arguments {
    /// A page in a file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// A page of a running site.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// The address that the file stands for: rules with `urls` go by it.
    #[arg(long, value_name = "URL", default_value = "http://localhost/")]
    at: Url,
    /// The folder of the policy files.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policy: PathBuf,
    /// Who looks.
    #[arg(long, value_enum, default_value = "agent")]
    role: RoleArgument,
    /// A text that must not get through; may be given several times. Exit code 1 when one does.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    canary: Vec<String>,
    /// A text that must get through, so that it is sure which page was looked at; may be given several times. Exit code 1
    /// when one does not.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    expect: Vec<String>,
    /// Sent with the request for the page, to see it logged in: "name=value; other=value".
    #[arg(long, value_name = "COOKIES", requires = "url")]
    cookie: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("{0} answered {1}: that is not the page to look at")]
    Status(Url, http::StatusCode),
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    #[error("the page can not be shared: {0}")]
    Page(#[from] Misfit),
}

pub(super) fn run(arguments: &Arguments) -> u8 {
    let policies = match Policies::load(&arguments.policy) {
        Ok(policies) => Arc::new(policies),
        Err(errors) => {
            complain(&errors);
            return UNUSABLE;
        }
    };
    match page(arguments) {
        Ok(tree) => show(&Preview::of(&policies, &tree, arguments.role.into()), arguments),
        Err(error) => {
            eprintln!("tandem: {error}");
            FAILED
        }
    }
}

fn page(arguments: &Arguments) -> Result<Tree, Error> {
    let (html, address) = match (&arguments.html, &arguments.url) {
        (Some(path), _) => {
            let bytes = std::fs::read(path).map_err(|error| Error::File(path.clone(), error))?;
            (bytes, arguments.at.clone())
        }
        (None, Some(url)) => {
            let mut answer = None;
            on_runtime(async {
                answer = Some(fetch(url.clone(), arguments.cookie.as_deref(), PAGE).await);
                FINE
            });
            let page = answer.unwrap_or(Err(fetch::Error::Late))?;
            if !page.status.is_success() {
                return Err(Error::Status(page.url, page.status));
            }
            if page.url != *url {
                eprintln!("note: {url} led to {}", page.url);
            }
            (page.body, page.url)
        }
        // The command line requires one of them.
        (None, None) => (Vec::new(), arguments.at.clone()),
    };
    Ok(Tree::from_html(&String::from_utf8_lossy(&html), address.as_str(), Limits::default())?)
}

#[allow(clippy::print_stdout)] // What the command is for.
fn show(preview: &Preview, arguments: &Arguments) -> u8 {
    print!("{}", preview.html());
    eprintln!("the agent reads the address {}", preview.address());
    for rule in preview.rules() {
        let what = match rule.select.is_empty() {
            true => "holds for the whole page".to_owned(),
            false => {
                let select = short(&rule.select);
                let elements = if rule.count == 1 { "element" } else { "elements" };
                format!("{select}  matched {} {elements}", rule.count)
            }
        };
        eprintln!("{}:{}: {}  {what}", rule.file, rule.line, rule.kind);
    }
    let resources = preview.resources().count();
    if resources > 0 {
        eprintln!(
            "{resources} images, styles and fonts may be loaded; what is in them is not looked at here"
        );
    }
    let mut result = FINE;
    for text in arguments.canary.iter().filter(|text| preview.contains(text)) {
        eprintln!("tandem: the agent can see {text:?}");
        result = FAILED;
    }
    for text in arguments.expect.iter().filter(|text| !preview.contains(text)) {
        eprintln!("tandem: the agent can not see {text:?}");
        result = FAILED;
    }
    result
}

/// A selector in one line that is not too long to read.
fn short(select: &str) -> String {
    let mut line = select.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(SELECTOR) {
        line.truncate(at);
        line.push('…');
    }
    line
}

/// Characters of a selector that are printed.
const SELECTOR: usize = 60;
