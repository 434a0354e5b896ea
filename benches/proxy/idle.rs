//! Connections that browsers keep open and do not use.

use crate::rig::Rig;
use crate::stream::fetch;

const CONNECTIONS: usize = 10_000;

/// What ten thousand of them take, each of which has fetched a file.
pub(crate) async fn idle(rig: &Rig) {
    println!("\n{CONNECTIONS} idle connections: MiB");
    for proxy in [&rig.nginx, &rig.tandem] {
        let before = proxy.memory(proxy.plain);
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(fetch(proxy, "/small.css").await);
        }
        println!("  {:<10} none {before:>7.1}   open {:>7.1}", proxy.name, proxy.memory(proxy.plain));
    }
}
