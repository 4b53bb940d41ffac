//! Asking over HTTP: who we are, how long we wait, how often we try, and what an answer that is none means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, RequestBuilder, Response, Url};

use crate::address::plain;
use crate::advice::{Advice, FIRST_QUESTIONS};
use crate::budget::Limits;
use crate::error::SourceError;
use crate::tls;

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
    advice: Advice,
}

/// Makes rustls use ring. Call it before the first connection; further calls change nothing.
pub fn install_crypto_provider() {
    // An error says only that a provider is already installed, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Http {
    /// # Errors
    /// [`SourceError::BadSetting`] for a header, a token or a CA file that cannot be used, and for credentials besides
    /// those in the address.
    pub(crate) fn new(
        access: &Access,
        in_address: Option<Auth>,
        limits: &Limits,
        advice: Advice,
    ) -> Result<Self, SourceError> {
        install_crypto_provider();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("aftermath/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_millis(limits.connect_ms))
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
        Ok(Self { client, auth: only_auth(&access.auth, in_address)?, limits: limits.clone(), advice })
    }

    /// The same client for the small questions that come first: less patient, and with other advice.
    pub(crate) fn for_first_questions(&self) -> Self {
        let limits = Limits {
            request_ms: self.limits.request_ms.min(self.limits.first_answer_ms),
            retries_per_request: self.limits.retries_per_request.min(self.limits.first_answer_retries),
            ..self.limits.clone()
        };
        Self { limits, advice: FIRST_QUESTIONS, ..self.clone() }
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
        let request = request.timeout(Duration::from_millis(self.limits.request_ms));
        let response =
            self.identify(request).await?.send().await.map_err(|error| self.broken(url, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Err(refusal(url, status, &headers, &beginning(response).await, &self.advice))
    }

    async fn identify(&self, request: RequestBuilder) -> Result<RequestBuilder, SourceError> {
        Ok(match &self.auth {
            Auth::None => request,
            Auth::Basic { user, password } => request.basic_auth(user, Some(password)),
            Auth::Bearer(token) => request.bearer_auth(token),
            Auth::BearerFile(path) => {
                let text =
                    tokio::fs::read_to_string(path).await.map_err(|error| SourceError::BadSetting {
                        setting: format!("the bearer token file {}", path.display()),
                        problem: error.to_string(),
                        hint: "check that it exists and may be read",
                    })?;
                request.bearer_auth(token(&text, Some(path))?)
            }
        })
    }

    /// Refuses an answer that has grown past the limit.
    pub(crate) fn check_size(&self, url: &Url, bytes: usize) -> Result<(), SourceError> {
        let allowed = self.limits.answer_bytes;
        if bytes as u64 <= allowed {
            return Ok(());
        }
        Err(self.too_large(url, allowed))
    }

    /// The error for an answer, or a part of one, that is larger than we allow.
    pub(crate) fn too_large(&self, url: &Url, allowed_bytes: u64) -> SourceError {
        SourceError::TooLarge { url: plain(url), allowed_bytes, hint: self.advice.large }
    }

    /// What a failure of the network means.
    pub(crate) fn broken(&self, url: &Url, error: &reqwest::Error) -> SourceError {
        let (url, problem) = (plain(url), chain(error));
        if let Some(error) = tls::tls_error(error) {
            let (problem, hint) = tls::explain(error);
            return SourceError::Untrusted { url, problem, hint };
        }
        if error.is_timeout() && !error.is_connect() {
            let problem = format!("no answer within {}", duration(self.limits.request_ms));
            return SourceError::TooSlow { url, problem, hint: self.advice.slow };
        }
        if error.is_body() || error.is_decode() {
            return SourceError::Damaged { url, problem };
        }
        SourceError::Unreachable { url, problem }
    }
}

/// The credentials, which may be in the address or given otherwise, but not both.
fn only_auth(given: &Auth, in_address: Option<Auth>) -> Result<Auth, SourceError> {
    match (given, in_address) {
        (Auth::None, in_address) => Ok(in_address.unwrap_or_default()),
        (Auth::Bearer(text), None) => token(text, None).map(Auth::Bearer),
        (given, None) => Ok(given.clone()),
        (_, Some(_)) => Err(SourceError::BadSetting {
            setting: "the credentials".to_owned(),
            problem: "there are some in the address, and others are given as options or in the environment"
                .to_owned(),
            hint: "give only one of them",
        }),
    }
}

/// A bearer token without the space around it, from a file or from the environment.
fn token(text: &str, file: Option<&Path>) -> Result<String, SourceError> {
    let bad = |problem: &str| SourceError::BadSetting {
        setting: file.map_or_else(
            || "the bearer token in AFTERMATH_BEARER_TOKEN".to_owned(),
            |file| format!("the bearer token file {}", file.display()),
        ),
        problem: problem.to_owned(),
        hint: "it has to be the token alone, as one line",
    };
    let token = text.trim();
    if token.is_empty() {
        return Err(bad("is empty"));
    }
    if token.contains(['\r', '\n']) {
        return Err(bad("holds more than one line"));
    }
    if HeaderValue::try_from(token).is_err() {
        return Err(bad("holds characters that cannot be sent"));
    }
    Ok(token.to_owned())
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
        if value.contains(['\r', '\n']) {
            return Err(bad("its value holds more than one line".to_owned()));
        }
        let mut value =
            HeaderValue::try_from(value).map_err(|_| bad("its value cannot be sent".to_owned()))?;
        value.set_sensitive(true);
        map.append(header, value);
    }
    Ok(map)
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, SourceError> {
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
fn refusal(url: &Url, status: u16, headers: &HeaderMap, body: &str, advice: &Advice) -> SourceError {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let shown = plain(url);
    match status {
        300..=399 => SourceError::Redirected { url: shown, to: destination(url, header(LOCATION)) },
        401 | 403 => SourceError::AccessDenied { url: shown, status },
        404 => SourceError::NotFound { url: shown, hint: advice.missing },
        503 if body.contains(r#""errorType":"timeout""#) => SourceError::TooSlow {
            url: shown,
            problem: format!("it gave up: {}", server_text(body)),
            hint: advice.slow,
        },
        429 | 500..=599 => SourceError::Overloaded {
            url: shown,
            status,
            text: server_text(body),
            retry_after: header(RETRY_AFTER).and_then(|value| value.parse().ok()).map(Duration::from_secs),
            hint: advice.busy,
        },
        _ => SourceError::Rejected { url: shown, status, text: server_text(body), hint: advice.refused },
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

fn duration(ms: u64) -> String {
    if ms.is_multiple_of(1_000) { format!("{} s", ms / 1_000) } else { format!("{ms} ms") }
}

/// An error with everything that caused it; reqwest alone says only that sending failed.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        // Libraries add links to their manuals, which help only those who write programs.
        let text = text.split(": https://").next().unwrap_or_default().to_owned();
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
    use crate::advice::QUERIES;

    fn url() -> Url {
        Url::parse("http://h:9090/prometheus").expect("a valid address")
    }

    #[test]
    fn printed_settings_show_no_secret() {
        let basic = Auth::Basic { user: "me".into(), password: "secret".into() };
        let headers = vec![("X-Key".to_owned(), "secret".to_owned())];
        for auth in [basic, Auth::Bearer("secret".into())] {
            let printed = format!("{:?}", Access { auth, headers: headers.clone(), ca_file: None });
            assert!(!printed.contains("secret"), "{printed}");
        }
    }

    #[test]
    fn a_token_is_one_line_that_is_not_empty() {
        let file = std::path::Path::new("/tokens/own");
        assert_eq!(token(" abc\r\n", Some(file)), Ok("abc".to_owned()));
        for (text, problem) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("secret\nsecret\n", "holds more than one line"),
            ("secret\u{7f}", "cannot be sent"),
        ] {
            let error = token(text, Some(file)).expect_err(text);
            assert!(error.is_bad_input() && !error.is_retryable());
            let error = error.to_string();
            assert!(error.contains("/tokens/own") && error.contains(problem), "{error}");
            assert!(!error.contains("secret"), "{error}");
            let error = token(text, None).expect_err(text).to_string();
            assert!(error.contains("AFTERMATH_BEARER_TOKEN") && error.contains(problem), "{error}");
        }
    }

    #[test]
    fn credentials_are_given_once() {
        let basic = || Auth::Basic { user: "me".to_owned(), password: "secret".to_owned() };
        for given in [basic(), Auth::Bearer("secret".to_owned()), Auth::BearerFile("/token".into())] {
            let access = Access { auth: given, ..Access::default() };
            let error = Http::new(&access, Some(basic()), &Limits::default(), QUERIES).err().expect("twice");
            assert!(matches!(error, SourceError::BadSetting { .. }), "{error:?}");
            assert!(
                error.to_string().contains("the address") && !error.to_string().contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn each_refusal_has_its_own_meaning() {
        let of = |status, body: &str| refusal(&url(), status, &HeaderMap::new(), body, &QUERIES);
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
        let error = refusal(&url(), 429, &headers, "", &QUERIES);
        assert_eq!((error.retry_after(), error.is_retryable()), (Some(Duration::from_secs(7)), true));
    }

    #[test]
    fn a_redirect_names_where_to_without_credentials() {
        let headers =
            HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("https://u:pw@login/x?token=1"))]);
        let error = refusal(&url(), 302, &headers, "", &QUERIES).to_string();
        assert!(
            error.contains("https://login/x") && !error.contains("pw") && !error.contains("token"),
            "{error}"
        );
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_named() {
        let error = header_map(&[("X Scope".into(), "a".into())]).expect_err("a space in the name");
        assert!(error.to_string().contains("the header `X Scope`"));
        let error =
            header_map(&[("X-Scope".into(), "secret\nsecret".into())]).expect_err("two lines").to_string();
        assert!(error.contains("`X-Scope`") && error.contains("more than one line"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
