//! Makes a site's Content-Security-Policy admit our loader, with the least addition.
//!
//! A policy is never weakened for anything but our own addresses: what it blocked before (inline scripts,
//! `eval`, other hosts) it blocks afterwards, and what it allowed it still allows. In particular no nonce is
//! added where the page lives on `'unsafe-inline'`, for a nonce would switch that off (CSP Level 3, section 6.7.3.2).
//! Every policy counts by itself: a page with several is governed by all of them.

use std::borrow::Cow;

use url::Url;

use super::url::Table;

/// Our scripts: the loader that the page's tag names, and the folder of what the loader adds as elements.
const SCRIPTS: [&str; 2] = [LOADER, "/.tandem/part/"];
const LOADER: &str = "/.tandem/loader.js";
/// Where our scripts fetch from and connect to.
const CONNECT: &str = "/.tandem/";

/// The name of the loader's policy for Trusted Types.
const TRUSTED_TYPE: &str = "tandem";

/// One header line, which may hold several policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The header's value.
    pub value: &'a str,
    /// What the browser does with it.
    pub effect: Effect,
}

/// What a browser does with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `Content-Security-Policy`
    Enforce,
    /// `Content-Security-Policy-Report-Only`: it must admit us too, or the site gets a report for every page.
    Report,
}

/// How the page admits us.
#[derive(Debug, PartialEq, Eq)]
pub struct Admission<'a> {
    /// The new value of each line, in order; a borrowed one did not change.
    pub lines: Vec<Cow<'a, str>>,
    /// The nonce that our tag must carry. The loader hands it on to the script that it adds.
    pub nonce: Option<Nonce>,
}

/// A nonce for our tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// Its value, safe inside a quoted attribute.
    pub value: String,
    /// Whether it is the page's own; else it was made for this response.
    pub reused: bool,
}

/// The page is sandboxed in a way that no script, or none of ours, can work in it: leave it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page's policy sandboxes it without scripts or origin")]
pub struct Sandboxed;

/// Rewrites all policies of one response so that they admit our scripts and their connections to `page`'s
/// origin. `fresh` makes an unguessable nonce (base64 alphabet); it is called only where one is needed.
pub fn admit<'a>(
    lines: &[Line<'a>],
    page: &Url,
    fresh: impl FnOnce() -> String,
) -> Result<Admission<'a>, Sandboxed> {
    let mut parsed: Vec<(Line<'a>, Vec<Policy<'a>>)> =
        lines.iter().map(|line| (*line, line.value.split(',').map(Policy::parse).collect())).collect();
    let policies = || parsed.iter().flat_map(|(line, policies)| policies.iter().map(|p| (line.effect, p)));

    if policies().any(|(effect, policy)| effect == Effect::Enforce && policy.sandboxed()) {
        return Err(Sandboxed);
    }
    // A tag has one nonce, so it is chosen for all policies together.
    let needed =
        policies().any(|(_, policy)| policy.scripts().is_some_and(|list| list.has("'strict-dynamic'")));
    let own = policies().filter_map(|(_, policy)| policy.scripts()).find_map(|list| {
        // Where our address is admitted anyway, the page's nonce stays out of it.
        let wanted = list.has("'strict-dynamic'") || !admits_scripts(&list, page);
        if wanted { list.nonce().map(str::to_owned) } else { None }
    });
    let nonce = match own {
        Some(value) => Some(Nonce { value, reused: true }),
        None if needed => Some(Nonce { value: fresh(), reused: false }),
        None => None,
    };

    let mut out = Vec::with_capacity(parsed.len());
    for (line, policies) in &mut parsed {
        let mut changed = false;
        for policy in policies.iter_mut() {
            changed |= policy.admit_scripts(page, nonce.as_ref());
            changed |= policy.admit_connections(page);
            changed |= policy.admit_trusted_type();
        }
        out.push(if changed {
            let texts: Vec<String> = policies.iter().map(Policy::text).collect();
            Cow::Owned(texts.join(", "))
        } else {
            Cow::Borrowed(line.value)
        });
    }
    Ok(Admission { lines: out, nonce })
}

/// Makes a policy that begins to hold after our loader has run (in a `<meta>`, CSP Level 3 section 3.3) admit what
/// the loader does later, if it does not already. Nothing is added for `'strict-dynamic'`: what a running script
/// loads is trusted by it.
pub fn admit_later(policy: &str, page: &Url) -> Option<String> {
    let mut policy = Policy::parse(policy);
    let later = |path: &&&str| **path != LOADER;
    if let Some(at) = policy.effective(&["script-src-elem", "script-src", "default-src"]) {
        let list = &policy.directives[at].values;
        let missing = SCRIPTS.iter().filter(later).filter(|path| !admits(list, page, page.scheme(), path));
        let additions: Vec<String> = missing.map(|path| at_origin(page, page.scheme(), path)).collect();
        if !list.has("'strict-dynamic'") && !additions.is_empty() {
            policy.add(at, "script-src", additions, |_| true);
        }
    }
    policy.admit_connections(page);
    policy.admit_trusted_type();
    policy.changed.then(|| policy.text())
}

/// A header line with every host of the website under its public name, if that changes anything. `secure`: whether
/// browsers reach this page over TLS; if not, what would lead them there is left out.
pub fn mapped(value: &str, to_public: &Table, secure: bool) -> Option<String> {
    let mut policies: Vec<Policy<'_>> = value.split(',').map(Policy::parse).collect();
    for policy in &mut policies {
        policy.map(to_public, secure);
    }
    policies.iter().any(|policy| policy.changed).then(|| {
        let texts: Vec<String> = policies.iter().map(Policy::text).collect();
        texts.join(", ")
    })
}

/// Whether the policies name what may stand in the page by its hash: such text must not change by a byte.
pub fn pins<'a>(mut lines: impl Iterator<Item = &'a str>) -> bool {
    let hash = |word: &str| {
        word.get(..5).is_some_and(|start| {
            start.eq_ignore_ascii_case("'sha2")
                || start.eq_ignore_ascii_case("'sha3")
                || start.eq_ignore_ascii_case("'sha5")
        })
    };
    lines.any(|line| line.split([' ', '\t', ';', ',']).any(hash))
}

/// One serialized policy.
#[derive(Debug, Clone)]
struct Policy<'a> {
    source: &'a str,
    /// In order, first of each name only; the others have no effect.
    directives: Vec<Directive<'a>>,
    changed: bool,
}

#[derive(Debug, Clone)]
struct Directive<'a> {
    name: Cow<'a, str>,
    values: SourceList<'a>,
}

#[derive(Debug, Clone)]
struct SourceList<'a>(Vec<Cow<'a, str>>);

impl<'a> Policy<'a> {
    /// CSP Level 3, section 2.2.1.
    fn parse(source: &'a str) -> Policy<'a> {
        let mut directives: Vec<Directive<'a>> = Vec::new();
        for text in source.split(';') {
            let mut words = text.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            if directives.iter().any(|d| d.name.eq_ignore_ascii_case(name)) {
                continue;
            }
            directives.push(Directive {
                name: Cow::Borrowed(name),
                values: SourceList(words.map(Cow::Borrowed).collect()),
            });
        }
        Policy { source, directives, changed: false }
    }

    fn text(&self) -> String {
        if !self.changed {
            return self.source.trim().to_owned();
        }
        let directives: Vec<String> = self
            .directives
            .iter()
            .map(|d| {
                let words: Vec<&str> =
                    std::iter::once(&*d.name).chain(d.values.0.iter().map(|v| &**v)).collect();
                words.join(" ")
            })
            .collect();
        directives.join("; ")
    }

    /// The first of these directives that the policy has.
    fn effective(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.directives.iter().position(|d| d.name.eq_ignore_ascii_case(name)))
    }

    /// What governs script elements.
    fn scripts(&self) -> Option<SourceList<'a>> {
        let at = self.effective(&["script-src-elem", "script-src", "default-src"])?;
        Some(self.directives[at].values.clone())
    }

    fn sandboxed(&self) -> bool {
        self.effective(&["sandbox"]).is_some_and(|at| {
            let values = &self.directives[at].values;
            !values.has("allow-scripts") || !values.has("allow-same-origin")
        })
    }

    fn admit_scripts(&mut self, page: &Url, nonce: Option<&Nonce>) -> bool {
        let Some(at) = self.effective(&["script-src-elem", "script-src", "default-src"]) else {
            return false;
        };
        let list = &self.directives[at].values;
        let additions: Vec<String> = match nonce {
            Some(nonce) if list.has_nonce(&nonce.value) => return false,
            // Addresses do not count here. `'unsafe-inline'` does not either, so a nonce takes nothing away.
            Some(nonce) if list.has("'strict-dynamic'") => vec![format!("'nonce-{}'", nonce.value)],
            _ if admits_scripts(list, page) => return false,
            _ => SCRIPTS.iter().map(|path| at_origin(page, page.scheme(), path)).collect(),
        };
        self.add(at, "script-src", additions, |_| true);
        true
    }

    fn admit_connections(&mut self, page: &Url) -> bool {
        let Some(at) = self.effective(&["connect-src", "default-src"]) else { return false };
        let list = &self.directives[at].values;
        let socket = if page.scheme() == "https" { "wss" } else { "ws" };
        let additions: Vec<String> = [page.scheme(), socket]
            .into_iter()
            .filter(|scheme| !admits(list, page, scheme, CONNECT))
            .map(|scheme| at_origin(page, scheme, CONNECT))
            .collect();
        if additions.is_empty() {
            return false;
        }
        // Nonces, hashes and the other keywords mean nothing to connections.
        self.add(at, "connect-src", additions, |value| !value.starts_with('\'') || is(value, "'self'"));
        true
    }

    /// Where the names of Trusted Types are limited, ours must be among them: the loader makes its own address what
    /// such pages load scripts by, and hands the policy to nobody.
    fn admit_trusted_type(&mut self) -> bool {
        let Some(at) = self.effective(&["trusted-types"]) else { return false };
        let names = &mut self.directives[at].values.0;
        if names.iter().any(|name| name == "*" || name == TRUSTED_TYPE) {
            return false;
        }
        names.retain(|name| !is(name, "'none'"));
        names.push(Cow::Borrowed(TRUSTED_TYPE));
        self.changed = true;
        true
    }

    fn map(&mut self, to_public: &Table, secure: bool) {
        let before = self.directives.len();
        if !secure {
            self.directives.retain(|d| !d.name.eq_ignore_ascii_case("upgrade-insecure-requests"));
        }
        self.changed |= self.directives.len() < before;
        for directive in &mut self.directives {
            let report = directive.name.eq_ignore_ascii_case("report-uri");
            let mut values: Vec<Cow<'_, str>> = Vec::with_capacity(directive.values.0.len());
            for value in directive.values.0.drain(..) {
                let public = if report { to_public.url(&value) } else { public_source(&value, to_public) };
                self.changed |= public.is_some();
                let covered = covered_sources(&value, to_public);
                let insecure = match &*value {
                    "https:" | "HTTPS:" if !secure => Some("http:"),
                    "wss:" | "WSS:" if !secure => Some("ws:"),
                    _ => None,
                };
                values.push(public.map_or(value, Cow::Owned));
                self.changed |= !covered.is_empty() || insecure.is_some();
                values.extend(covered.into_iter().map(Cow::Owned));
                values.extend(insecure.map(Cow::Borrowed));
            }
            directive.values.0 = values;
        }
    }

    /// Adds sources to a directive. What stands in `default-src` is for all kinds of things, so an addition
    /// to it becomes a directive of its own, which begins with the same sources.
    fn add(
        &mut self,
        at: usize,
        own_name: &'static str,
        additions: Vec<String>,
        keep: impl Fn(&str) -> bool,
    ) {
        self.changed = true;
        let additions = additions.into_iter().map(Cow::Owned);
        if self.directives[at].name.eq_ignore_ascii_case("default-src") {
            let mut values = self.directives[at].values.clone();
            values.0.retain(|value| keep(value) && !is(value, "'none'"));
            values.0.extend(additions);
            self.directives.push(Directive { name: Cow::Borrowed(own_name), values });
        } else {
            let values = &mut self.directives[at].values.0;
            values.retain(|value| !is(value, "'none'"));
            values.extend(additions);
        }
    }
}

impl SourceList<'_> {
    fn has(&self, keyword: &str) -> bool {
        self.0.iter().any(|value| is(value, keyword))
    }

    fn has_nonce(&self, nonce: &str) -> bool {
        self.0.iter().any(|value| nonce_of(value) == Some(nonce))
    }

    fn nonce(&self) -> Option<&str> {
        self.0.iter().find_map(|value| nonce_of(value))
    }
}

/// A `host-source` (CSP Level 3, section 2.3.1) under its public name.
fn public_source(value: &str, to_public: &Table) -> Option<String> {
    if value.starts_with('\'') {
        return None;
    }
    // `host:*` is any port of that host; the public one has its own.
    let (value, any_port) = match value.strip_suffix(":*") {
        Some(host) => (host, ":*"),
        None => (value, ""),
    };
    let public = match value.contains("://") {
        true => to_public.url(value)?,
        // Without a scheme the page's own counts, and so it stays.
        false => to_public.url(&format!("//{value}"))?.split_off(2),
    };
    Some(match any_port {
        "" => public,
        any => {
            format!("{}{any}", public.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(':'))
        }
    })
}

/// The public names of the hosts that `*.example.com` covers; the pattern itself stays for those that are not mapped.
fn covered_sources(value: &str, to_public: &Table) -> Vec<String> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("", value));
    let Some(rest) = rest.strip_prefix("*.") else { return Vec::new() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let suffix = authority.split(':').next().unwrap_or_default();
    let socket = scheme.len() <= 3 && scheme.get(..2).is_some_and(|s| s.eq_ignore_ascii_case("ws"));
    to_public
        .covered(suffix)
        .map(|origin| if socket { origin.replacen("http", "ws", 1) } else { origin } + path)
        .collect()
}

fn is(value: &str, keyword: &str) -> bool {
    value.eq_ignore_ascii_case(keyword)
}

/// The value of a `nonce-source`, if it is one that the grammar allows.
fn nonce_of(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('\'')?.strip_suffix('\'')?;
    let (prefix, nonce) = inner.split_at_checked(6)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    (prefix.eq_ignore_ascii_case("nonce-") && !nonce.is_empty() && nonce.chars().all(legal)).then_some(nonce)
}

fn at_origin(page: &Url, scheme: &str, path: &str) -> String {
    let host = page.host_str().unwrap_or_default();
    match page.port() {
        Some(port) => format!("{scheme}://{host}:{port}{path}"),
        None => format!("{scheme}://{host}{path}"),
    }
}

fn admits_scripts(list: &SourceList<'_>, page: &Url) -> bool {
    SCRIPTS.iter().all(|path| admits(list, page, page.scheme(), path))
}

/// CSP Level 3, section 6.7.2.6, for an address of the page's own host. In doubt it says no: a superfluous
/// addition does no harm, a missing one does.
fn admits(list: &SourceList<'_>, page: &Url, scheme: &str, path: &str) -> bool {
    list.0.iter().any(|value| {
        // Older Safari does not count a WebSocket as `'self'`: there the address is spelled out.
        if is(value, "'self'") {
            return scheme == page.scheme();
        }
        if value.starts_with('\'') {
            return false;
        }
        if value == "*" {
            return true;
        }
        if let Some(only) = value.strip_suffix(':') {
            return scheme_matches(only, scheme);
        }
        host_matches(value, page, scheme, path)
    })
}

fn scheme_matches(source: &str, scheme: &str) -> bool {
    is(source, scheme)
        || matches!(
            (source.to_ascii_lowercase().as_str(), scheme),
            ("http", "https") | ("ws", "wss" | "http" | "https") | ("wss", "https")
        )
}

fn host_matches(source: &str, page: &Url, scheme: &str, path: &str) -> bool {
    let rest = match source.split_once("://") {
        Some((only, rest)) if scheme_matches(only, scheme) => rest,
        Some(_) => return false,
        // Without a scheme the page's own counts, and for a socket its counterpart.
        None => source,
    };
    let (authority, allowed) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let own = page.host_str().unwrap_or_default().to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    let host_ok = match host.strip_prefix("*.") {
        Some(parent) => own.strip_suffix(parent).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.')),
        None => host == own,
    };
    let own_port = page.port_or_known_default();
    let port_ok = match port {
        Some("*") => true,
        Some(port) => port.parse().ok() == own_port,
        None => page.port().is_none(),
    };
    let path_ok = match allowed {
        "" | "/" => true,
        prefix if prefix.ends_with('/') => path.starts_with(prefix),
        exact => path == exact,
    };
    host_ok && port_ok && path_ok
}

#[cfg(test)]
mod tests;
