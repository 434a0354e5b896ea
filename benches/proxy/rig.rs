//! The two proxies and their origins, each a process of its own on a core of its own.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Everything that runs; stopped when dropped.
pub(crate) struct Rig {
    pub(crate) nginx: Proxy,
    pub(crate) tandem: Proxy,
    /// Where the origin of streamed pages listens.
    pub(crate) slow: tokio::net::TcpListener,
    pub(crate) slow_port: u16,
    _origin: Server,
    _folder: TempDir,
}

/// A proxy: its ports, and its processes.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    pub(crate) plain: u16,
    /// Over TLS.
    pub(crate) secure: u16,
    /// Before the origin of streamed pages.
    pub(crate) streamed: u16,
    /// Under another name than the origin's; nginx has no such thing.
    pub(crate) mapped: u16,
    servers: Vec<Server>,
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Both stop in good order at this; nginx ends its workers.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// A command that runs on one core only.
pub(crate) fn on_core(core: u32, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

impl Rig {
    pub(crate) async fn start() -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        write_site(dir);
        let slow = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let slow_port = slow.local_addr().unwrap().port();
        let files = free_port();
        let ports: Vec<u16> = (0..7).map(|_| free_port()).collect();
        let fill = |text: &str| {
            text.replace("@DIR@", dir.to_str().unwrap())
                .replace("@FILES@", &files.to_string())
                .replace("@SLOW@", &slow_port.to_string())
                .replace("@PLAIN@", &ports[0].to_string())
                .replace("@SECURE@", &ports[1].to_string())
                .replace("@STREAMED@", &ports[2].to_string())
        };
        let nginx = |core, name: &str, conf: &str| {
            let file = dir.join(name);
            fs::write(&file, fill(conf)).unwrap();
            Server(on_core(core, "nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn().unwrap())
        };
        let origin = nginx(1, "origin.conf", include_str!("origin.conf"));
        await_port(files);
        let nginx = Proxy {
            name: "nginx",
            plain: ports[0],
            secure: ports[1],
            streamed: ports[2],
            mapped: ports[0],
            servers: vec![nginx(0, "nginx.conf", include_str!("nginx.conf"))],
        };
        let tls = "tls = { cert = \"site.pem\", key = \"site.key\" }";
        let mapped = "host = \"origin\"\nname = \"https://www.shop.example\"";
        let servers = [
            tandem(dir, ports[3], files, "", ""),
            tandem(dir, ports[4], files, tls, ""),
            tandem(dir, ports[5], slow_port, "", ""),
            tandem(dir, ports[6], files, "", mapped),
        ];
        let tandem = Proxy {
            name: "Tandem",
            plain: ports[3],
            secure: ports[4],
            streamed: ports[5],
            mapped: ports[6],
            servers: servers.into(),
        };
        for port in ports {
            await_port(port);
        }
        Rig { nginx, tandem, slow, slow_port, _origin: origin, _folder: folder }
    }
}

fn tandem(dir: &Path, port: u16, origin: u16, tls: &str, site: &str) -> Server {
    let scheme = if tls.is_empty() { "http" } else { "https" };
    let config = format!(
        "[proxy]\nlisten = \"127.0.0.1:{port}\"\n{tls}\n\
         [[site]]\npublic = \"{scheme}://localhost:{port}\"\norigin = \"http://127.0.0.1:{origin}\"\n{site}\n\
         [console]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store-{port}\"\n[access_log]\nformat = \"off\"\n\
         [limits]\nconnections = 20000\nconnections_per_address = 20000\nkeep_alive = \"600s\"\n"
    );
    let file = dir.join(format!("tandem-{port}.toml"));
    fs::write(&file, config).unwrap();
    let binary = std::env::var("TANDEM_BIN").unwrap_or(env!("CARGO_BIN_EXE_tandem").to_owned());
    let mut command = on_core(0, binary);
    command.args(["serve", "--config"]).arg(&file).env("TOKIO_WORKER_THREADS", "1");
    Server(command.env("RUST_LOG", "error").spawn().unwrap())
}

fn write_site(dir: &Path) {
    for folder in ["www", "policies"] {
        fs::create_dir(dir.join(folder)).unwrap();
    }
    fs::write(dir.join("agents.toml"), "").unwrap();
    fs::write(dir.join("policies/default.toml"), include_str!("../../policies/default.toml")).unwrap();
    fs::write(dir.join("www/small.css"), "a{b:c}\n".repeat(10 * 1024 / 7)).unwrap();
    fs::write(dir.join("www/large.bin"), vec![7; 1024 * 1024]).unwrap();
    let mut page =
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<title>Bench</title>\n</head>\n<body>\n".to_owned();
    while page.len() < 100 * 1024 {
        page.push_str("<p class=\"row\"><a href=\"/goods/7\">Walking boots</a> <b>7.99</b></p>\n");
    }
    fs::write(dir.join("www/page.html"), page).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(dir.join("site.pem"), made.cert.pem()).unwrap();
    fs::write(dir.join("site.key"), made.signing_key.serialize_pem()).unwrap();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn await_port(port: u16) {
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "nothing listens on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Proxy {
    /// Time on the processor so far, of all its processes.
    pub(crate) fn cpu(&self) -> Duration {
        let mut nanos = 0;
        for process in self.processes() {
            for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
                let stat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
                nanos += stat.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            }
        }
        Duration::from_nanos(nanos)
    }

    /// Memory that it has to itself at this moment, in MiB; `port` tells which of its servers.
    pub(crate) fn memory(&self, port: u16) -> f64 {
        let servers = match self.servers.len() {
            1 => 0,
            _ => {
                [self.plain, self.secure, self.streamed, self.mapped].iter().position(|p| *p == port).unwrap()
            }
        };
        let mut kib = 0;
        for process in family(self.servers[servers].0.id()) {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
            kib += line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
        }
        kib as f64 / 1024.0
    }

    fn processes(&self) -> Vec<u32> {
        self.servers.iter().flat_map(|server| family(server.0.id())).collect()
    }
}

/// A process and its children.
fn family(parent: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|id| id.parse().ok());
    std::iter::once(parent).chain(children).collect()
}
