//! Connections that browsers keep open and do not use.

use std::time::Duration;

use crate::rig::Rig;
use crate::stream::fetch;

const CONNECTIONS: usize = 10_000;
/// After the last answer: idle is who has not asked for a while.
const A_WHILE: Duration = Duration::from_secs(4);

/// What ten thousand of them take, each of which has fetched a file.
pub(crate) async fn idle(rig: &Rig) {
    println!("\n{CONNECTIONS} idle connections: MiB");
    for proxy in [&rig.nginx, &rig.tandem] {
        let before = proxy.memory(proxy.plain);
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(fetch(proxy, "/small.css").await);
        }
        tokio::time::sleep(A_WHILE).await;
        println!("  {:<10} none {before:>7.1}   open {:>7.1}", proxy.name, proxy.memory(proxy.plain));
    }
}
