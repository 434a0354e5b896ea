//! The access log: one line for each request of the site, written when it is over.
//!
//! A line never has a query, a cookie or a body: queries hold tokens and names. Whoever answers requests does not
//! wait for the disk: lines go to a thread over a bounded queue, and those that do not fit are counted.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method, Request, Uri, Version, header};
use prometheus_client::metrics::counter::Counter;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::error::Reason;
use super::record::RequestId;
use super::request;

/// Lines that wait for the disk: some seconds of a busy site.
const QUEUE: usize = 8192;
/// What is written of a path, and of what a browser says about itself, in bytes.
const PATH: usize = 2048;
const WORDS: usize = 512;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One JSON object, with the request's ID and times.
    #[default]
    Json,
    /// NCSA Common Log Format.
    Common,
    /// The same, with `Referer` (without its query) and `User-Agent`.
    Combined,
}

/// What the access log is to be.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How lines look.
    pub format: Format,
    /// Where they are added; `None`: to standard output.
    pub file: Option<PathBuf>,
}

/// The way to an access log. The log ends when the last clone is gone.
#[derive(Debug, Clone)]
pub struct AccessLog {
    format: Format,
    lines: mpsc::Sender<String>,
    reopen: Arc<AtomicBool>,
    lost: Counter,
}

impl AccessLog {
    /// Opens the log and starts its thread on `tasks`.
    ///
    /// # Errors
    ///
    /// If the file can not be opened.
    pub fn start(settings: Settings, metrics: &super::Metrics, tasks: &TaskTracker) -> io::Result<AccessLog> {
        let out = open(settings.file.as_deref())?;
        let (lines, queue) = mpsc::channel(QUEUE);
        let reopen = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&reopen);
        tasks.spawn_blocking(move || write(out, settings.file.as_deref(), queue, &asked));
        Ok(AccessLog { format: settings.format, lines, reopen, lost: metrics.lost_lines.clone() })
    }

    /// Opens the file anew before the next line, as after it was renamed by who rotates logs.
    pub fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
    }

    /// What the log will want of a request.
    pub(super) fn entry<B>(&self, from: IpAddr, request: &Request<B>) -> Entry {
        let combined = self.format != Format::Common;
        let of = |name: header::HeaderName| request.headers().get(name).filter(|_| combined).cloned();
        Entry {
            log: self.clone(),
            from,
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            host: request.headers().get(header::HOST).cloned(),
            referer: of(header::REFERER),
            agent: of(header::USER_AGENT),
        }
    }
}

/// A request that will be in the log.
#[derive(Debug)]
pub(super) struct Entry {
    log: AccessLog,
    from: IpAddr,
    method: Method,
    uri: Uri,
    version: Version,
    host: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    agent: Option<HeaderValue>,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) id: RequestId,
    pub(super) status: u16,
    /// Of the body.
    pub(super) bytes: u64,
    pub(super) whole: bool,
    pub(super) time: Duration,
    pub(super) origin: Option<Duration>,
    pub(super) failure: Option<Reason>,
}

impl Entry {
    /// Writes the line, or counts it if the queue is full.
    pub(super) fn write(&self, outcome: &Outcome) {
        let now = SystemTime::now();
        let line = match self.log.format {
            Format::Json => self.json(outcome, now),
            Format::Common => Some(self.common(outcome, now)),
            Format::Combined => Some(self.combined(outcome, now)),
        };
        if line.is_none_or(|line| self.log.lines.try_send(line).is_err()) {
            self.log.lost.inc();
        }
    }

    fn path(&self) -> &str {
        let path = request::loggable(self.uri.path());
        match path.char_indices().nth(PATH) {
            Some((end, _)) => &path[..end],
            None => path,
        }
    }

    fn json(&self, outcome: &Outcome, now: SystemTime) -> Option<String> {
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let line = Line {
            time: humantime::format_rfc3339_millis(now).to_string(),
            id: outcome.id.to_string(),
            client: self.from,
            host: words(self.host.as_ref()),
            method: self.method.as_str(),
            path: self.path(),
            protocol: protocol(self.version),
            status: outcome.status,
            bytes: outcome.bytes,
            cut: !outcome.whole,
            ms: ms(outcome.time),
            origin_ms: outcome.origin.map(ms),
            fault: outcome.failure.map(|failure| failure.fault),
            reason: outcome.failure.map(|failure| failure.word),
            referer: words(self.referer.as_ref()).map(without_query),
            agent: words(self.agent.as_ref()),
        };
        let mut line = serde_json::to_string(&line).ok()?;
        line.push('\n');
        Some(line)
    }

    fn common(&self, outcome: &Outcome, now: SystemTime) -> String {
        let mut line = self.both(outcome, now);
        line.push('\n');
        line
    }

    fn combined(&self, outcome: &Outcome, now: SystemTime) -> String {
        let mut line = self.both(outcome, now);
        for value in [words(self.referer.as_ref()).map(without_query), words(self.agent.as_ref())] {
            line.push_str(" \"");
            escape(value.unwrap_or("-"), &mut line);
            line.push('"');
        }
        line.push('\n');
        line
    }

    fn both(&self, outcome: &Outcome, now: SystemTime) -> String {
        let mut line = format!("{} - - [{}] \"{} ", self.from, date(now), self.method);
        escape(self.path(), &mut line);
        let (protocol, status) = (protocol(self.version), outcome.status);
        // Writing into a string does not fail.
        let _ = match outcome.bytes {
            0 => write!(line, " {protocol}\" {status} -"),
            bytes => write!(line, " {protocol}\" {status} {bytes}"),
        };
        line
    }
}

#[derive(Serialize)]
struct Line<'r> {
    time: String,
    id: String,
    client: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'r str>,
    method: &'r str,
    path: &'r str,
    protocol: &'static str,
    status: u16,
    bytes: u64,
    /// The browser did not get all of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'r str>,
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

fn words(value: Option<&HeaderValue>) -> Option<&str> {
    let text = value?.to_str().ok()?;
    Some(&text[..text.len().min(WORDS)])
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// What could end a quoted field, or a line, as `\xHH`.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | ..=0x1f | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            printable => out.push(char::from(printable)),
        }
    }
}

/// `10/Oct/2000:13:55:36 +0000`, in UTC.
fn date(now: SystemTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 2000-10-10T13:55:36Z
    let text = humantime::format_rfc3339_seconds(now).to_string();
    let part = |range| text.get(range).unwrap_or_default();
    let month = part(5..7).parse().ok().and_then(|number: usize| MONTHS.get(number.checked_sub(1)?));
    format!("{}/{}/{}:{} +0000", part(8..10), month.unwrap_or(&"-"), part(0..4), part(11..19))
}

fn open(file: Option<&Path>) -> io::Result<Box<dyn Write + Send>> {
    Ok(match file {
        Some(file) => Box::new(BufWriter::new(File::options().create(true).append(true).open(file)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    })
}

/// The log's thread: writes what is there, and only then waits for more.
fn write(
    mut out: Box<dyn Write + Send>,
    file: Option<&Path>,
    mut queue: mpsc::Receiver<String>,
    reopen: &AtomicBool,
) {
    let mut told = false;
    while let Some(line) = queue.blocking_recv() {
        if reopen.swap(false, Ordering::AcqRel) {
            match open(file) {
                Ok(fresh) => out = fresh,
                Err(error) => tracing::error!(%error, "the access log can not be opened again"),
            }
        }
        let mut written = out.write_all(line.as_bytes());
        while let Ok(line) = queue.try_recv() {
            written = written.and_then(|()| out.write_all(line.as_bytes()));
        }
        match written.and_then(|()| out.flush()) {
            Ok(()) => told = false,
            // Once, not for each line of a full disk.
            Err(error) if !told => {
                told = true;
                tracing::error!(%error, "the access log can not be written");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn lines(format: Format, target: &str) -> String {
        let (lines, mut queue) = mpsc::channel(1);
        let log = AccessLog { format, lines, reopen: Arc::default(), lost: Counter::default() };
        let request = Request::get(target)
            .header("host", "shop.example")
            .header("referer", "https://shop.example/login?token=secret")
            .header("user-agent", "Browser \"1\"")
            .header("cookie", "secret=1")
            .body(())
            .unwrap();
        let outcome = Outcome {
            id: RequestId::fixed(7),
            status: 200,
            bytes: 2326,
            whole: true,
            time: Duration::from_micros(1500),
            origin: Some(Duration::from_millis(1)),
            failure: None,
        };
        let entry = log.entry(Ipv4Addr::new(192, 0, 2, 7).into(), &request);
        entry.write(&outcome);
        // There is room for one.
        entry.write(&outcome);
        assert_eq!(log.lost.get(), 1);
        queue.try_recv().unwrap()
    }

    #[test]
    fn lines_look_as_they_should_and_keep_secrets() {
        let target = "/a%20b\"/c?token=secret";
        let line = lines(Format::Json, target);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["path"], "/a%20b\"/c");
        assert_eq!(value["client"], "192.0.2.7");
        assert_eq!((&value["status"], &value["bytes"]), (&200.into(), &2326.into()));
        assert_eq!((&value["ms"], &value["origin_ms"]), (&1.5.into(), &1.0.into()));
        assert_eq!(value["id"], "0000000000000007");
        let common = lines(Format::Common, target);
        assert!(common.starts_with("192.0.2.7 - - ["), "{common}");
        assert!(common.ends_with("+0000] \"GET /a%20b\\x22/c HTTP/1.1\" 200 2326\n"), "{common}");
        let combined = lines(Format::Combined, target);
        let end = "\" 200 2326 \"https://shop.example/login\" \"Browser \\x221\\x22\"\n";
        assert!(combined.ends_with(end), "{combined}");
        for line in [line, common, combined] {
            assert!(!line.contains("secret") && line.ends_with('\n'), "{line}");
        }
    }

    #[test]
    fn a_date_is_that_of_the_format() {
        assert_eq!(
            date(SystemTime::UNIX_EPOCH + Duration::from_secs(971_186_136)),
            "10/Oct/2000:13:55:36 +0000"
        );
    }

    #[test]
    fn a_long_path_is_cut() {
        let line = lines(Format::Common, &format!("/{}", "a".repeat(10_000)));
        assert!(line.len() < PATH + 200);
    }
}
