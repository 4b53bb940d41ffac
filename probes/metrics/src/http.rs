//! Asking over HTTP: who we are, how long we wait, how often we try, and what an answer that is none means.

use std::path::PathBuf;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, RequestBuilder, Response, Url};

use crate::budget::Limits;
use crate::error::SourceError;

/// The beginning of a refusal that is read and repeated in messages, in bytes.
const REFUSAL_BYTES: usize = 16 << 10;

/// Who we say we are. Printing it shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Nobody in particular, or the user and password in the address.
    #[default]
    None,
    /// HTTP basic authentication.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A bearer token.
    Bearer(String),
    /// A file that holds a bearer token. It is read anew for each request, because Kubernetes renews such tokens.
    BearerFile(PathBuf),
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Basic { user, .. } => write!(f, "Basic {{ user: {user:?}, password: *** }}"),
            Self::Bearer(_) => f.write_str("Bearer(***)"),
            Self::BearerFile(path) => write!(f, "BearerFile({})", path.display()),
        }
    }
}

/// How to get in. Printing it shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Who we say we are.
    pub auth: Auth,
    /// Headers sent with each request, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, String)>,
    /// A PEM file of certificate authorities that are trusted besides those of the machine.
    pub ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let mut access = f.debug_struct("Access");
        access.field("auth", &self.auth).field("headers", &headers).field("ca_file", &self.ca_file).finish()
    }
}

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// `GET` of the address itself.
    Get,
    /// `POST` of a form.
    Form(&'a [(&'static str, String)]),
    /// `POST` of a snappy-compressed `ReadRequest`.
    RemoteRead(&'a [u8]),
}

/// A client that knows who it is, how long to wait and how often to try.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    auth: Auth,
    limits: Limits,
}

/// Makes rustls use ring. Call it before the first connection; further calls change nothing.
pub fn install_crypto_provider() {
    // An error says only that a provider is already installed, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A text that may be an address, without what may be a password before an `@`.
pub(crate) fn without_credentials(text: &str) -> &str {
    text.rsplit('@').next().unwrap_or_default()
}

/// The address without credentials, and the credentials that were in it.
///
/// # Errors
/// [`SourceError::BadAddress`] where it is not an HTTP address.
pub(crate) fn parse_address(text: &str) -> Result<(Url, Option<Auth>), SourceError> {
    let bad = |shown: &str, problem: String| SourceError::BadAddress { url: shown.to_owned(), problem };
    let shown = without_credentials(text);
    let mut url = Url::parse(text).map_err(|error| bad(shown, error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(shown, format!("`{}` is neither http nor https", url.scheme())));
    }
    // An address writes an `@` or `:` of a password as %40 or %3A.
    let plain_text = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let user = plain_text(url.username());
    let auth = url.password().map(plain_text).map(|password| Auth::Basic { user, password });
    // Both can only fail on addresses without a host, which http addresses always have.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok((url, auth))
}

impl Http {
    /// # Errors
    /// [`SourceError::BadSetting`] for a header or a CA file that cannot be used.
    pub(crate) fn new(
        access: &Access,
        in_address: Option<Auth>,
        limits: &Limits,
    ) -> Result<Self, SourceError> {
        install_crypto_provider();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("aftermath/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_millis(limits.connect_ms))
            .timeout(Duration::from_millis(limits.request_ms))
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(header_map(&access.headers)?);
        if let Some(path) = &access.ca_file {
            builder = builder.tls_certs_merge(read_certificates(path)?);
        }
        let client = builder.build().map_err(|error| SourceError::BadSetting {
            setting: "the HTTP client".to_owned(),
            problem: chain(&error),
            hint: "check that the machine has certificate authorities installed (package ca-certificates)",
        })?;
        let auth =
            if access.auth == Auth::None { in_address.unwrap_or_default() } else { access.auth.clone() };
        Ok(Self { client, auth, limits: limits.clone() })
    }

    /// The whole answer, tried again where that may help.
    ///
    /// # Errors
    /// What the last attempt ended with.
    pub(crate) async fn read(&self, url: &Url, ask: Ask<'_>) -> Result<Vec<u8>, SourceError> {
        self.retrying(|| async {
            let mut response = self.open(url, ask).await?;
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(url, &error))? {
                self.check_size(url, body.len() + chunk.len())?;
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        })
        .await
    }

    /// Repeats `attempt` while its error may pass, with growing pauses, or those that the server asks for.
    pub(crate) async fn retrying<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, SourceError>
    where
        F: Future<Output = Result<T, SourceError>>,
    {
        let longest = Duration::from_millis(self.limits.longest_retry_ms);
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(self.limits.first_retry_ms))
            .with_max_delay(longest)
            .with_max_times(self.limits.retries_per_request);
        attempt
            .retry(pauses)
            .when(SourceError::is_retryable)
            .adjust(|error, pause| pause.map(|pause| error.retry_after().unwrap_or(pause).min(longest)))
            .await
    }

    /// One attempt: the answer, if it is a success, before its body is read.
    pub(crate) async fn open(&self, url: &Url, ask: Ask<'_>) -> Result<Response, SourceError> {
        let request = match ask {
            Ask::Get => self.client.get(url.clone()),
            Ask::Form(form) => self.client.post(url.clone()).form(form),
            Ask::RemoteRead(body) => self
                .client
                .post(url.clone())
                .header("Content-Type", "application/x-protobuf")
                .header("Content-Encoding", "snappy")
                .header("X-Prometheus-Remote-Read-Version", "0.1.0")
                .body(body.to_vec()),
        };
        let response =
            self.identify(request).await?.send().await.map_err(|error| self.broken(url, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Err(refusal(url, status, &headers, &beginning(response).await, &self.limits))
    }

    async fn identify(&self, request: RequestBuilder) -> Result<RequestBuilder, SourceError> {
        Ok(match &self.auth {
            Auth::None => request,
            Auth::Basic { user, password } => request.basic_auth(user, Some(password)),
            Auth::Bearer(token) => request.bearer_auth(token),
            Auth::BearerFile(path) => {
                let token =
                    tokio::fs::read_to_string(path).await.map_err(|error| SourceError::BadSetting {
                        setting: format!("the bearer token file {}", path.display()),
                        problem: error.to_string(),
                        hint: "check that it exists and may be read",
                    })?;
                request.bearer_auth(token.trim())
            }
        })
    }

    /// Refuses an answer that has grown past the limit.
    pub(crate) fn check_size(&self, url: &Url, bytes: usize) -> Result<(), SourceError> {
        let allowed = self.limits.answer_bytes;
        if bytes as u64 <= allowed {
            return Ok(());
        }
        Err(SourceError::TooLarge { url: plain(url), limit: "answer_bytes", allowed })
    }

    /// What a failure of the network means.
    pub(crate) fn broken(&self, url: &Url, error: &reqwest::Error) -> SourceError {
        let (url, problem) = (plain(url), chain(error));
        if error.is_connect() && problem.contains("certificate") {
            return SourceError::Untrusted { url, problem };
        }
        if error.is_timeout() && !error.is_connect() {
            return SourceError::TooSlow { url, limit_ms: self.limits.request_ms, limit: "request_ms" };
        }
        if error.is_body() || error.is_decode() {
            return SourceError::Damaged { url, problem };
        }
        SourceError::Unreachable { url, problem }
    }
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, SourceError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bad = |problem: String| SourceError::BadSetting {
            setting: format!("the header `{name}`"),
            problem,
            hint: "a header is a name and a value of printable ASCII",
        };
        let header = HeaderName::try_from(name).map_err(|error| bad(error.to_string()))?;
        let mut value = HeaderValue::try_from(value).map_err(|error| bad(error.to_string()))?;
        value.set_sensitive(true);
        map.append(header, value);
    }
    Ok(map)
}

fn read_certificates(path: &std::path::Path) -> Result<Vec<Certificate>, SourceError> {
    let bad = |problem: String| SourceError::BadSetting {
        setting: format!("the CA file {}", path.display()),
        problem,
        hint: "give a PEM file with at least one certificate",
    };
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| bad(chain(&error)))?;
    if certificates.is_empty() {
        return Err(bad("it holds no certificate".to_owned()));
    }
    Ok(certificates)
}

async fn beginning(mut response: Response) -> String {
    let mut body = Vec::new();
    while body.len() < REFUSAL_BYTES {
        // A refusal that breaks off still is one.
        let Ok(Some(chunk)) = response.chunk().await else { break };
        body.extend_from_slice(&chunk);
    }
    body.truncate(REFUSAL_BYTES);
    String::from_utf8_lossy(&body).into_owned()
}

/// What an answer that is no success means.
fn refusal(url: &Url, status: u16, headers: &HeaderMap, body: &str, limits: &Limits) -> SourceError {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let shown = plain(url);
    match status {
        300..=399 => SourceError::Redirected { url: shown, to: destination(url, header(LOCATION)) },
        401 | 403 => SourceError::AccessDenied { url: shown, status },
        404 => SourceError::NotFound { url: shown },
        503 if body.contains(r#""errorType":"timeout""#) => SourceError::TooSlow {
            url: shown,
            limit_ms: limits.request_ms,
            limit: "the server's query.timeout",
        },
        429 | 500..=599 => SourceError::Overloaded {
            url: shown,
            status,
            text: server_text(body),
            retry_after: header(RETRY_AFTER).and_then(|value| value.parse().ok()).map(Duration::from_secs),
        },
        _ => SourceError::Rejected { url: shown, status, text: server_text(body) },
    }
}

fn destination(url: &Url, location: Option<&str>) -> String {
    location
        .and_then(|location| url.join(location).ok())
        .map_or_else(|| "nowhere".to_owned(), |url| plain(&url))
}

/// What a refusal says: the `error` of a Prometheus answer, or the first line of a text that is not HTML.
pub(crate) fn server_text(body: &str) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_str(body).ok();
    if let Some(error) = parsed.as_ref().and_then(|body| body.get("error")).and_then(|error| error.as_str()) {
        return shorten(error);
    }
    if body.trim_start().starts_with('<') {
        return "an HTML page".to_owned();
    }
    shorten(body.trim().lines().next().unwrap_or("no explanation"))
}

/// The text, cut where a message would no longer be readable.
pub(crate) fn shorten(text: &str) -> String {
    const READABLE_CHARS: usize = 300;
    if text.chars().count() <= READABLE_CHARS {
        return text.to_owned();
    }
    text.chars().take(READABLE_CHARS).chain("…".chars()).collect()
}

/// The address for messages: no credentials, no query.
pub(crate) fn plain(url: &Url) -> String {
    let mut shown = url.clone();
    // Both can only fail on addresses without a host, which http addresses always have.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

/// An error with everything that caused it; reqwest alone says only that sending failed.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        next = cause.source();
    }
    if parts.is_empty() { "the request could not be sent".to_owned() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        Url::parse("http://h:9090/prometheus").expect("a valid address")
    }

    #[test]
    fn credentials_leave_the_address_and_every_printed_form() {
        let (url, auth) = parse_address("https://me:secret@h:9090/prometheus#x").expect("a valid address");
        assert_eq!(url.as_str(), "https://h:9090/prometheus");
        let basic = Auth::Basic { user: "me".into(), password: "secret".into() };
        assert_eq!(auth, Some(basic.clone()));
        let headers = vec![("X-Key".to_owned(), "secret".to_owned())];
        for auth in [basic, Auth::Bearer("secret".into())] {
            let printed = format!("{:?}", Access { auth, headers: headers.clone(), ca_file: None });
            assert!(!printed.contains("secret"), "{printed}");
        }
    }

    #[test]
    fn what_is_no_http_address_is_refused_without_its_password() {
        for text in ["localhost:9090", "ftp://me:secret@h/", "http://me:secret@", "", "prometheus"] {
            let error = parse_address(text).expect_err(text).to_string();
            assert!(!error.contains("secret") && error.contains("http://prometheus:9090"), "{error}");
        }
    }

    #[test]
    fn each_refusal_has_its_own_meaning() {
        let limits = Limits::default();
        let of = |status, body: &str| refusal(&url(), status, &HeaderMap::new(), body, &limits);
        assert!(matches!(of(401, ""), SourceError::AccessDenied { status: 401, .. }));
        assert!(matches!(of(403, ""), SourceError::AccessDenied { status: 403, .. }));
        assert!(matches!(of(404, "404 page not found"), SourceError::NotFound { .. }));
        assert!(matches!(of(302, ""), SourceError::Redirected { .. }));
        assert!(matches!(of(429, ""), SourceError::Overloaded { .. }));
        let timed_out = of(503, r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#);
        assert!(matches!(timed_out, SourceError::TooSlow { .. }) && timed_out.asks_for_less());
        let too_much = of(422, r#"{"status":"error","errorType":"execution","error":"too many samples"}"#);
        assert!(too_much.to_string().contains("too many samples") && too_much.asks_for_less());
        assert!(of(502, "<html>bad gateway</html>").to_string().contains("an HTML page"));
    }

    #[test]
    fn a_server_that_says_how_long_to_wait_is_heard() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
        let error = refusal(&url(), 429, &headers, "", &Limits::default());
        assert_eq!((error.retry_after(), error.is_retryable()), (Some(Duration::from_secs(7)), true));
    }

    #[test]
    fn a_redirect_names_where_to_without_credentials() {
        let headers =
            HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("https://u:pw@login/x?token=1"))]);
        let error = refusal(&url(), 302, &headers, "", &Limits::default()).to_string();
        assert!(
            error.contains("https://login/x") && !error.contains("pw") && !error.contains("token"),
            "{error}"
        );
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_named() {
        let error = header_map(&[("X Scope".into(), "a".into())]).expect_err("a space in the name");
        assert!(error.to_string().contains("the header `X Scope`"));
    }
}
