//! The settings: `tandem.toml` as documented, checked as a whole before anything starts.
//!
//! Unknown keys are errors, every error has its place, and a `Config` that exists is one that makes sense.

mod access;
mod reader;
mod widget;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use toml::de::DeTable;
use url::Url;

pub use self::widget::{Colour, Corner, Terms, Widget};

use self::reader::{Errors, Section, Wrong, count, parsed, secret, size, text, texts, time};
use crate::policy::Diagnostic;
use crate::protocol::page;
use crate::{api, console, proxy, session, sync, tls};

/// Everything that a server is run with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where customers' browsers connect.
    pub proxy: Listen,
    /// The proxies before this one: their `X-Forwarded-*` is believed, on both listeners.
    pub trusted: Vec<IpNet>,
    /// Signs what origin servers are told of sessions.
    pub signing: Option<proxy::SigningKey>,
    /// The hosts of the website.
    pub sites: Vec<proxy::Site>,
    /// Where agents' browsers connect, and who may.
    pub console: Console,
    /// The keys of the integration API.
    pub api: Vec<api::Key>,
    /// The customer's widget.
    pub widget: Widget,
    /// The folder of the policy files.
    pub policies: PathBuf,
    /// Life and bounds of sessions.
    pub session: session::Settings,
    /// Bounds of the sockets.
    pub socket: sync::Limits,
    /// Bounds of one page frame.
    pub page: page::Limits,
    /// Bounds of the proxy.
    pub limits: proxy::Limits,
    /// Sessions that one address may start in a minute.
    pub starts: std::num::NonZeroU32,
    /// The log of the site's requests; `None`: there is none.
    pub access_log: Option<proxy::AccessLogSettings>,
    /// Who may read `/metrics`.
    pub metrics: Vec<IpNet>,
    /// The folder of the store.
    pub store: PathBuf,
    /// How long it is kept what happened in sessions.
    pub history: std::time::Duration,
}

/// An address to listen on.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Of this machine.
    pub listen: SocketAddr,
    /// The certificates to speak TLS with; none: plain HTTP.
    pub tls: Vec<tls::Pair>,
}

/// The agents' side.
#[derive(Debug, Clone)]
pub struct Console {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The certificates to speak TLS with; none: plain HTTP.
    pub tls: Vec<tls::Pair>,
    /// How agents' browsers reach it.
    pub public: Url,
    /// The agents' file.
    pub agents: PathBuf,
    /// Who else may come in, for how long, and where the console may be shown.
    pub settings: console::Settings,
}

impl Config {
    /// A server before one site, with everything else as by default.
    pub fn new(site: proxy::Site, console: Url, folder: &Path) -> Config {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Config {
            proxy: Listen { listen: local(8080), tls: Vec::new() },
            trusted: Vec::new(),
            signing: None,
            sites: vec![site],
            console: Console {
                listen: local(8081),
                tls: Vec::new(),
                public: console,
                agents: folder.join("agents.toml"),
                settings: Default::default(),
            },
            api: Vec::new(),
            widget: Default::default(),
            policies: folder.join("policies"),
            session: Default::default(),
            socket: Default::default(),
            page: Default::default(),
            limits: Default::default(),
            starts: std::num::NonZeroU32::new(30).expect("thirty is not zero"),
            access_log: None,
            metrics: [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)]
                .map(IpNet::from)
                .to_vec(),
            store: folder.join("data"),
            history: std::time::Duration::from_secs(30 * 24 * 3600),
        }
    }

    /// Reads a settings file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn read(path: &Path) -> Result<Config, Vec<Diagnostic>> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| vec![Diagnostic::whole(&name, format!("can not be read: {error}"))])?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Config::parse(&text, folder).map_err(|errors| {
            let place = |wrong: Wrong| Diagnostic::new(&name, &text, wrong.span, wrong.message, wrong.hint);
            errors.into_iter().map(place).collect()
        })
    }

    fn parse(text: &str, folder: &Path) -> Result<Config, Errors> {
        let table = DeTable::parse(text).map_err(|error| {
            vec![Wrong {
                span: error.span().unwrap_or(0..0),
                message: error.message().to_owned(),
                hint: None,
            }]
        })?;
        let mut errors = Errors::new();
        let config = whole(Section::new("", table.into_inner(), 0..0), folder, &mut errors);
        errors.sort_by_key(|wrong| wrong.span.start);
        match config {
            Some(config) if errors.is_empty() => Ok(config),
            _ => Err(errors),
        }
    }

    /// What the proxy is run with.
    pub fn proxy_settings(&self, loader_tag: String) -> proxy::Settings {
        proxy::Settings {
            sites: self.sites.clone(),
            limits: self.limits.clone(),
            trusted: self.trusted.clone(),
            console: self.console.public.clone(),
            loader_tag,
            signing: self.signing.clone(),
        }
    }

    /// What the customers' side is run with.
    pub fn customers(&self) -> sync::customer::Settings {
        sync::customer::Settings {
            socket: self.socket,
            page: self.page,
            resource: self.session.resources.resource,
            starts: self.starts,
            domain: proxy::shared_domain(&self.sites),
            secure: self.sites.iter().all(|site| site.public.scheme() == "https"),
        }
    }
}

/// The file as a whole. None only together with errors.
fn whole(mut root: Section<'_>, folder: &Path, errors: &mut Errors) -> Option<Config> {
    let mut config = Config::new(proxy::Site::new(local_url(), local_url()), local_url(), folder);
    if let Some(mut section) = root.section("proxy", errors) {
        section.set(
            "listen",
            &mut config.proxy.listen,
            errors,
            parsed("an address such as \"127.0.0.1:8080\""),
        );
        config.proxy.tls = certificates(&mut section, folder, errors);
        section.set("trusted", &mut config.trusted, errors, networks);
        config.signing = section.take("signing_secret", errors, |value| {
            let secret = secret(value)?;
            proxy::SigningKey::new(&secret).ok_or_else(|| "must have at least 16 bytes".into())
        });
        section.finish(errors);
    }
    let sites: Vec<_> = root.sections("site", errors);
    if sites.is_empty() {
        errors.push(Wrong {
            span: 0..0,
            message: "at least one [[site]] is needed".into(),
            hint: Some(
                "[[site]]\npublic = \"http://localhost:8080\"\norigin = \"http://127.0.0.1:9000\"".into(),
            ),
        });
    }
    let secure = !config.proxy.tls.is_empty();
    config.sites = sites.into_iter().filter_map(|section| site(section, folder, secure, errors)).collect();
    match root.section("console", errors) {
        Some(section) => access::console(section, folder, &mut config.console, errors),
        None => config.console.public = default_console(false),
    }
    if let Some(mut section) = root.section("policy", errors) {
        section.set("dir", &mut config.policies, errors, |value| Ok(folder.join(text(value)?)));
        section.finish(errors);
    }
    if let Some(section) = root.section("widget", errors) {
        config.widget = widget::widget(section, errors);
    }
    if let Some(section) = root.section("session", errors) {
        sessions(section, &mut config.session, errors);
    }
    if let Some(section) = root.section("limits", errors) {
        limits(section, &mut config, errors);
    }
    config.access_log = Some(Default::default());
    if let Some(section) = root.section("access_log", errors) {
        access_log(section, folder, &mut config, errors);
    }
    if let Some(mut section) = root.section("metrics", errors) {
        section.set("readers", &mut config.metrics, errors, networks);
        section.finish(errors);
    }
    if let Some(mut section) = root.section("store", errors) {
        section.set("path", &mut config.store, errors, |value| Ok(folder.join(text(value)?)));
        section.set("history", &mut config.history, errors, time);
        section.finish(errors);
    }
    if let Some(mut section) = root.section("api", errors) {
        config.api = access::keys(&mut section, errors);
        section.finish(errors);
    }
    root.finish(errors);
    Some(config)
}

fn site(mut section: Section<'_>, folder: &Path, secure: bool, errors: &mut Errors) -> Option<proxy::Site> {
    let place = section.place();
    let public = section.need("public", errors, |value| public_url(value, secure));
    let origin = section.need("origin", errors, web_url);
    let own = section.take("host", errors, |value| match text(value)?.as_str() {
        "keep" => Ok(false),
        "origin" => Ok(true),
        _ => Err("must be \"keep\" or \"origin\"".into()),
    });
    let name = section.take("name", errors, web_url);
    let bodies = section.take("map", errors, bodies);
    if own != Some(true) && (name.is_some() || bodies.is_some()) {
        let message = "`name` and `map` are for a site with host = \"origin\"".into();
        errors.push(Wrong { span: place.clone(), message, hint: None });
    }
    let host = match own {
        Some(true) => proxy::Host::Own { name, bodies: bodies.unwrap_or_default() },
        _ => proxy::Host::Keep,
    };
    let ca = section.take("ca", errors, |value| Ok(folder.join(text(value)?)));
    let origin_name = section.take("origin_name", errors, text);
    let http2 = section.take("http2", errors, yes).unwrap_or(true);
    section.finish(errors);
    let site = proxy::Site { public: public?, origin: origin?, host, ca, origin_name, http2 };
    match site.connector() {
        Ok(_) => Some(site),
        Err(error) => {
            errors.push(Wrong { span: place, message: error.to_string(), hint: None });
            None
        }
    }
}

/// `map`: kinds of bodies whose URLs are mapped besides those of HTML and CSS.
fn bodies(value: &toml::de::DeValue<'_>) -> Result<proxy::Bodies, String> {
    let wrong = "must be a list of \"json\" and \"javascript\"";
    let mut bodies = proxy::Bodies::default();
    for kind in texts(value, wrong)? {
        match kind.as_str() {
            "json" => bodies.json = true,
            "javascript" => bodies.javascript = true,
            _ => return Err(wrong.into()),
        }
    }
    Ok(bodies)
}

/// `tls`: one certificate and its key, or several for several hosts. They are read to see that they are right.
fn certificates(section: &mut Section<'_>, folder: &Path, errors: &mut Errors) -> Vec<tls::Pair> {
    let mut pairs = Vec::new();
    for mut section in section.one_or_more("tls", errors) {
        let place = section.place();
        let cert = section.need("cert", errors, |value| Ok(folder.join(text(value)?)));
        let key = section.need("key", errors, |value| Ok(folder.join(text(value)?)));
        section.finish(errors);
        let (Some(cert), Some(key)) = (cert, key) else { continue };
        let pair = tls::Pair { cert, key };
        if let Err(error) = tls::Acceptor::new(std::slice::from_ref(&pair)) {
            errors.push(Wrong { span: place, message: error.to_string(), hint: None });
        }
        pairs.push(pair);
    }
    pairs
}

fn sessions(mut section: Section<'_>, settings: &mut session::Settings, errors: &mut Errors) {
    section.set("sessions_per_agent", &mut settings.per_agent, errors, count);
    section.set("watchers", &mut settings.watchers, errors, count);
    let timeouts = &mut settings.timeouts;
    section.set("join_timeout", &mut timeouts.join, errors, time);
    section.set("away_timeout", &mut timeouts.away, errors, time);
    section.set("agent_timeout", &mut timeouts.agent, errors, time);
    section.set("idle_timeout", &mut timeouts.idle, errors, time);
    section.set("max_duration", &mut timeouts.max, errors, time);
    section.set("warn_before", &mut timeouts.warning, errors, time);
    section.set("navigation_grace", &mut timeouts.navigation, errors, time);
    section.finish(errors);
}

fn limits(mut section: Section<'_>, config: &mut Config, errors: &mut Errors) {
    section.set("sessions", &mut config.session.sessions, errors, count);
    section.set("starts_per_minute", &mut config.starts, errors, |value| {
        count::<u32>(value).and_then(|n| n.try_into().map_err(|_| "must be a whole number from 1 on".into()))
    });
    section.set("page_nodes", &mut config.session.page.nodes, errors, count);
    section.set("page_text", &mut config.session.page.text, errors, size);
    section.set("page_message", &mut config.socket.customer_message, errors, size);
    section.set("agent_message", &mut config.socket.agent_message, errors, size);
    section.set("agent_messages_per_second", &mut config.socket.agent_rate, errors, count);
    section.set("heartbeat", &mut config.socket.heartbeat, errors, time);
    section.set("patience", &mut config.socket.patience, errors, time);
    section.set("slow", &mut config.socket.slow, errors, time);
    section.set("resource", &mut config.session.resources.resource, errors, size);
    section.set("resources", &mut config.session.resources.total, errors, size);
    section.set("resource_wait", &mut config.session.resources.wait, errors, time);
    proxy_limits(&mut section, &mut config.limits, errors);
    section.finish(errors);
}

fn proxy_limits(section: &mut Section<'_>, limits: &mut proxy::Limits, errors: &mut Errors) {
    section.set("connect_timeout", &mut limits.connect, errors, time);
    section.set("first_byte_timeout", &mut limits.first_byte, errors, time);
    section.set("origin_stall_timeout", &mut limits.origin_silence, errors, time);
    section.set("origin_keep_alive", &mut limits.origin_keep_alive, errors, time);
    section.set("origin_idle_connections", &mut limits.origin_idle, errors, count);
    section.set("handshake_timeout", &mut limits.handshake, errors, time);
    section.set("header_timeout", &mut limits.header_read, errors, time);
    section.set("keep_alive", &mut limits.keep_alive, errors, time);
    section.set("rest_after", &mut limits.rest, errors, time);
    section.set("upload_stall_timeout", &mut limits.client_silence, errors, time);
    section.set("upload_pace", &mut limits.upload_pace, errors, |value| small(size(value)?));
    section.set("download_stall_timeout", &mut limits.write_stall, errors, time);
    section.set("download_pace", &mut limits.download_pace, errors, |value| small(size(value)?));
    section.set("websocket_idle_timeout", &mut limits.tunnel_idle, errors, time);
    section.set("header_size", &mut limits.head, errors, size);
    section.set("headers", &mut limits.headers, errors, count);
    section.set("url_size", &mut limits.url, errors, size);
    section.set("connections", &mut limits.connections, errors, count);
    section.set("connections_per_address", &mut limits.connections_per_address, errors, count);
    section.set("streams", &mut limits.streams, errors, count);
    section.set("drain", &mut limits.drain, errors, time);
    section.set("stop_delay", &mut limits.stop_delay, errors, time);
}

fn small(size: usize) -> Result<u32, String> {
    u32::try_from(size).map_err(|_| "is too large".to_owned())
}

fn access_log(mut section: Section<'_>, folder: &Path, config: &mut Config, errors: &mut Errors) {
    let format = section.take("format", errors, |value| match text(value)?.as_str() {
        "json" => Ok(Some(proxy::Format::Json)),
        "common" => Ok(Some(proxy::Format::Common)),
        "combined" => Ok(Some(proxy::Format::Combined)),
        "off" => Ok(None),
        _ => Err("must be \"json\", \"common\", \"combined\" or \"off\"".into()),
    });
    let file = section.take("file", errors, |value| Ok(folder.join(text(value)?)));
    section.finish(errors);
    config.access_log =
        format.unwrap_or(Some(proxy::Format::Json)).map(|format| proxy::AccessLogSettings { format, file });
}

fn yes(value: &toml::de::DeValue<'_>) -> Result<bool, String> {
    match value {
        toml::de::DeValue::Boolean(yes) => Ok(*yes),
        _ => Err("must be true or false".into()),
    }
}

/// Networks, or single addresses.
fn networks(value: &toml::de::DeValue<'_>) -> Result<Vec<IpNet>, String> {
    let wrong = "must be a list of networks such as [\"10.0.0.0/8\", \"192.0.2.7\"]";
    let network =
        |text: &String| text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
    texts(value, wrong)?.iter().map(|text| network(text).ok_or_else(|| wrong.to_owned())).collect()
}

fn web_url(value: &toml::de::DeValue<'_>) -> Result<Url, String> {
    let wrong = || "must be the URL of a host, such as \"https://www.example.com\"".to_owned();
    let url: Url = text(value)?.parse().map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.path() == "/"
        && url.query().is_none()
        && url.username().is_empty();
    if plain { Ok(url) } else { Err(wrong()) }
}

/// The address that browsers use, which is https where TLS is spoken to them.
fn public_url(value: &toml::de::DeValue<'_>, secure: bool) -> Result<Url, String> {
    let url = web_url(value)?;
    if secure && url.scheme() != "https" {
        return Err("must be an https:// URL, because `tls` is set for this listener".into());
    }
    Ok(url)
}

fn default_console(secure: bool) -> Url {
    let url = if secure { "https://localhost:8081" } else { "http://localhost:8081" };
    Url::parse(url).expect("a constant")
}

fn local_url() -> Url {
    Url::parse("http://localhost:8080").expect("a constant")
}

#[cfg(test)]
mod tests;
