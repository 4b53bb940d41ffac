//! A proxy before a real server that hides one of its endpoints, as many do, or hangs.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;

use crate::fake::answer;

/// What a proxy does instead of forwarding.
#[derive(Clone, Copy)]
enum Instead {
    Refuse,
    Hang,
}

/// Serves everything that the server at `url` does, but 403 for paths that end with `hidden`. Returns its address.
pub(crate) async fn hiding(url: String, hidden: &'static str) -> String {
    serve(url, hidden, Instead::Refuse).await
}

/// Serves everything that the server at `url` does, but never answers for paths that end with `hung`.
pub(crate) async fn hanging(url: String, hung: &'static str) -> String {
    serve(url, hung, Instead::Hang).await
}

async fn serve(url: String, path: &'static str, instead: Instead) -> String {
    let client = reqwest::Client::new();
    let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let (client, url) = (client.clone(), url.clone());
        async move {
            match (uri.path().ends_with(path), instead) {
                (true, Instead::Refuse) => answer(403, "text/plain", "hidden"),
                (true, Instead::Hang) => std::future::pending().await,
                _ => forward(client.request(method, format!("{url}{uri}")).headers(headers).body(body)).await,
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let address = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    tokio::spawn(async move {
        axum::serve(listener, Router::new().fallback(handler)).await.expect("it runs until the test ends");
    });
    address
}

async fn forward(request: reqwest::RequestBuilder) -> Response {
    let response = request.header("accept-encoding", "identity").send().await.expect("the server answers");
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (status, kind) = (response.status().as_u16(), kind.to_owned());
    answer(status, &kind, response.bytes().await.expect("the whole answer"))
}
