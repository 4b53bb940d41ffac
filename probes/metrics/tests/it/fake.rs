//! A server of the query API that answers as a script says, for faults that a real server does not show on demand.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};

/// A request that was received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A fake server and what it was asked.
pub(crate) struct Fake {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Fake {
    /// Serves `script(endpoint, n)` for the n-th request to an endpoint such as `query_range`, counting from 0; where
    /// the script has no answer, that of a healthy server with the single metric `m` that does not stream.
    pub(crate) async fn serve(
        script: impl Fn(&str, usize) -> Option<Response> + Clone + Send + Sync + 'static,
    ) -> Self {
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let log = Arc::clone(&received);
        let handler = move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let path = uri.path().to_owned();
            let mut log = log.lock().expect("no test panics with the lock");
            let nth = log.iter().filter(|request| request.path == path).count();
            log.push(Received {
                path: path.clone(),
                headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            });
            let endpoint = path.rsplit_once("/api/v1/").map_or("", |(_, endpoint)| endpoint).to_owned();
            let answer = script(&endpoint, nth).unwrap_or_else(|| healthy(&endpoint));
            async move { answer }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let app = Router::new().fallback(handler);
        tokio::spawn(async move {
            axum::serve(listener, app).await.expect("a server on loopback runs until the test ends");
        });
        Self { url, received }
    }

    /// The requests to an endpoint, in order.
    pub(crate) fn received(&self, endpoint: &str) -> Vec<Received> {
        let log = self.received.lock().expect("no test panics with the lock");
        log.iter().filter(|request| request.path.ends_with(&format!("/api/v1/{endpoint}"))).cloned().collect()
    }
}

/// An answer with a status, a content type and a body.
pub(crate) fn answer(status: u16, kind: &str, body: impl Into<Body>) -> Response {
    let status = axum::http::StatusCode::from_u16(status).expect("a valid status");
    let mut response = (status, body.into()).into_response();
    response.headers_mut().insert("content-type", kind.parse().expect("a valid header"));
    response
}

pub(crate) fn json(body: &str) -> Response {
    answer(200, "application/json", body.to_owned())
}

/// An answer to a range query with these series, as JSON, and further fields such as `"warnings":[]`.
pub(crate) fn matrix(series: &str, more: &str) -> Response {
    json(&format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}{more}}}"#))
}

fn healthy(endpoint: &str) -> Response {
    match endpoint {
        // Two points in a left-open range; one series of `m`.
        "query" => {
            json(r#"{"status":"success","data":{"result":[{"metric":{"__name__":"m"},"value":[1,"2"]}]}}"#)
        }
        "label/__name__/values" => json(r#"{"status":"success","data":["m"]}"#),
        "metadata" => json(r#"{"status":"success","data":{"m":[{"type":"gauge"}]}}"#),
        "query_range" => matrix("", ""),
        _ => answer(404, "text/plain", "404 page not found"),
    }
}
