//! What passing traffic through costs, beside nginx on the same machine, before the same origin, in the same run.
//!
//! `cargo bench --bench proxy`; `-- --quick` for a short run, `-- NAME…` for the cases whose names contain a word.
//! Needs `nginx-light`, `wrk` and `nghttp2-client`, and two cores: each proxy has the first to itself, with one
//! thread that works; origin and client share the second. Runs alternate, and what is told is the median of the
//! ratios of neighbours: a machine that is slow for a moment is slow for both.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // What it is for.
#![allow(clippy::disallowed_methods)] // It measures real time.

mod idle;
mod rig;
mod stream;

use std::process::Command;

use rig::{Proxy, Rig, on_core};

/// A case: what is fetched, and by what client.
struct Case {
    name: &'static str,
    path: &'static str,
    client: Client,
}

#[derive(Clone, Copy, PartialEq)]
enum Client {
    /// wrk, HTTP/1.1, 32 connections.
    Wrk,
    /// The same, at a site that stands under another name.
    WrkMapped,
    /// h2load, HTTP/2 over TLS, 8 connections of 16 streams.
    H2load,
}

const CASES: [Case; 7] = [
    Case { name: "10 KB file", path: "/small.css", client: Client::Wrk },
    Case { name: "1 MiB file", path: "/large.bin", client: Client::Wrk },
    Case { name: "100 KB page + script", path: "/page.html", client: Client::Wrk },
    Case { name: "page under another name", path: "/page.html", client: Client::WrkMapped },
    Case { name: "h2: 10 KB file", path: "/small.css", client: Client::H2load },
    Case { name: "h2: 1 MiB file", path: "/large.bin", client: Client::H2load },
    Case { name: "h2: 100 KB page + script", path: "/page.html", client: Client::H2load },
];

/// One run of a client.
#[derive(Clone, Copy)]
struct Run {
    per_second: f64,
    /// Milliseconds; h2load does not tell.
    p99: Option<f64>,
    /// Microseconds of the proxy's processes for each request.
    cpu: f64,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let quick = arguments.iter().any(|word| word == "--quick");
    let wanted: Vec<&String> = arguments.iter().filter(|word| !word.starts_with("--")).collect();
    let chosen = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    let (rounds, seconds) = if quick { (3, 1) } else { (7, 2) };

    let rig = Rig::start().await;
    println!("{:<26}{:>23}{:>8}{:>8}{:>8}", "Tandem / nginx (medians)", "requests/s", "ratio", "CPU", "p99");
    for case in CASES.iter().filter(|case| chosen(case.name)) {
        let mut pairs = Vec::new();
        for round in 0..=rounds {
            let [nginx, tandem] = if round % 2 == 0 {
                let nginx = run(case, &rig.nginx, seconds);
                [nginx, run(case, &rig.tandem, seconds)]
            } else {
                let tandem = run(case, &rig.tandem, seconds);
                [run(case, &rig.nginx, seconds), tandem]
            };
            // The first round warms both up.
            if round > 0 {
                pairs.push((tandem, nginx));
            }
        }
        let of = |figure: fn(&Run) -> f64| median(pairs.iter().map(|(t, n)| figure(t) / figure(n)).collect());
        let p99 = case.client != Client::H2load;
        println!(
            "{:<26}{:>11.0} /{:>10.0}{:>8.2}{:>8.2}{:>8}",
            case.name,
            median(pairs.iter().map(|(tandem, _)| tandem.per_second).collect()),
            median(pairs.iter().map(|(_, nginx)| nginx.per_second).collect()),
            of(|run| run.per_second),
            of(|run| run.cpu),
            if p99 { format!("{:.2}", of(|run| run.p99.unwrap_or(f64::NAN))) } else { "–".to_owned() },
        );
        println!(
            "{:<26}{:>11.1} /{:>10.1} µs of CPU for each request",
            "",
            median(pairs.iter().map(|(tandem, _)| tandem.cpu).collect()),
            median(pairs.iter().map(|(_, nginx)| nginx.cpu).collect()),
        );
    }
    if chosen("first byte") {
        stream::first_byte(&rig, if quick { 30 } else { 200 }).await;
    }
    if chosen("pages in flight") {
        stream::in_flight(&rig).await;
    }
    if chosen("idle connections") {
        idle::idle(&rig).await;
    }
}

fn run(case: &Case, proxy: &Proxy, seconds: u32) -> Run {
    let dest = if case.path.ends_with("html") { "document" } else { "style" };
    let headers = [format!("sec-fetch-dest: {dest}"), "accept: text/html,*/*;q=0.8".to_owned()];
    let mut client = match case.client {
        Client::Wrk | Client::WrkMapped => on_core(1, "wrk"),
        Client::H2load => on_core(1, "h2load"),
    };
    let duration = seconds.to_string();
    for header in &headers {
        client.args(["-H", header]);
    }
    match case.client {
        Client::Wrk | Client::WrkMapped => {
            let port = if case.client == Client::Wrk { proxy.plain } else { proxy.mapped };
            client
                .args(["-t1", "-c32", "--latency", "-d", &duration])
                .arg(format!("http://127.0.0.1:{port}{}", case.path))
        }
        Client::H2load => client
            .args(["-t1", "-c8", "-m16", "-w20", "-W24", "-D", &duration])
            .arg(format!("https://127.0.0.1:{}{}", proxy.secure, case.path)),
    };
    let before = proxy.cpu();
    let said = output(&mut client);
    let spent = proxy.cpu() - before;
    let find = |before: &str, after: &str| -> Option<&str> {
        let (_, rest) = said.split_once(before)?;
        rest.split(after).next().map(str::trim)
    };
    let number = |text: Option<&str>| -> f64 {
        text.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("what the client said:\n{said}"))
    };
    let (per_second, requests, p99) = match case.client {
        Client::Wrk | Client::WrkMapped => {
            assert!(!said.contains("Non-2xx") && !said.contains("Socket errors"), "{said}");
            let requests = said.lines().find(|line| line.contains("requests in")).unwrap();
            // The word also ends shares, such as 95.99%.
            let p99 = said.lines().find_map(|line| line.trim_start().strip_prefix("99%")).map(str::trim);
            let p99 = milliseconds(p99.unwrap_or_else(|| panic!("what the client said:\n{said}")));
            (number(find("Requests/sec:", "\n")), number(requests.split_whitespace().next()), Some(p99))
        }
        Client::H2load => {
            assert!(said.contains(" 0 failed, 0 errored, 0 timeout"), "{said}");
            let line = find("finished in", "\n").unwrap();
            let per_second = line.split(',').nth(1).and_then(|part| part.split_whitespace().next());
            (number(per_second), number(find("status codes:", "2xx")), None)
        }
    };
    Run { per_second, p99, cpu: spent.as_secs_f64() * 1e6 / requests }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn milliseconds(text: &str) -> f64 {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = match &text[digits.len()..] {
        "us" => 1e-3,
        "ms" => 1.0,
        _ => 1e3,
    };
    digits.parse::<f64>().unwrap() * unit
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
