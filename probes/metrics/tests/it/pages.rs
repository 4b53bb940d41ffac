//! Small `/metrics` servers, real ones, whose pages follow a script.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::routing::get;
use tokio::task::JoinHandle;

/// A server of `/metrics` whose page depends on how often it was read.
pub(crate) struct Pages {
    pub(crate) address: String,
    reads: Arc<AtomicU32>,
    server: JoinHandle<()>,
}

impl Pages {
    /// Serves `page(n)` to the n-th reader, counting from 0.
    pub(crate) async fn serve(page: impl Fn(u32) -> String + Clone + Send + Sync + 'static) -> Self {
        let reads = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&reads);
        let handler = move || {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            let text = page(number);
            async move { text }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound listener has an address").to_string();
        let app = Router::new().route("/metrics", get(handler));
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("a server on loopback runs until it is aborted");
        });
        Self { address, reads, server }
    }

    /// How often the page was read.
    pub(crate) fn reads(&self) -> u32 {
        self.reads.load(Ordering::SeqCst)
    }

    pub(crate) async fn wait_for_reads(&self, reads: u32) {
        while self.reads() < reads {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.server.abort();
    }
}
