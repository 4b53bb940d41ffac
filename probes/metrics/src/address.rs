//! Addresses: what may be one, and how one is shown without a secret.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::error::SourceError;
use crate::http::Auth;

/// A text that may be an address, without what may be a secret: what stands before an `@` or after a `?` or `#`.
pub(crate) fn without_credentials(text: &str) -> &str {
    let (before, shown) = text.rsplit_once('@').unwrap_or(("", text));
    if before.contains(['?', '#']) {
        // The `@` may be a part of the secret.
        return "…";
    }
    shown.split(['?', '#']).next().unwrap_or_default()
}

/// The address without credentials, and the credentials that were in it.
///
/// # Errors
/// [`SourceError::BadAddress`] where it is not an HTTP address, or has a fragment.
pub(crate) fn parse_address(text: &str) -> Result<(Url, Option<Auth>), SourceError> {
    let shown = without_credentials(text);
    let mut url = Url::parse(text).map_err(|error| bad(shown, error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(shown, format!("`{}` is neither http nor https", url.scheme())));
    }
    if url.fragment().is_some() {
        return Err(bad(&plain(&url), "`#` and what follows it are never sent: leave them out".to_owned()));
    }
    let auth = credentials(&url);
    remove_credentials(&mut url);
    Ok((url, auth))
}

/// The address below which a server has its endpoints, and the credentials that were in it.
///
/// # Errors
/// [`SourceError::BadAddress`] as from [`parse_address`], and for a query, which no endpoint would receive.
pub(crate) fn parse_base_address(text: &str) -> Result<(Url, Option<Auth>), SourceError> {
    let (url, auth) = parse_address(text)?;
    if url.query().is_none() {
        return Ok((url, auth));
    }
    let problem = "`?` and what follows it would not be sent; credentials belong in --user, --bearer-token-file or \
                   --header, not in the address: give the address without them";
    Err(bad(&plain(&url), problem.to_owned()))
}

/// The address for messages: no credentials, no query, no fragment.
pub(crate) fn plain(url: &Url) -> String {
    let mut shown = url.clone();
    remove_credentials(&mut shown);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

fn bad(shown: &str, problem: String) -> SourceError {
    SourceError::BadAddress { url: shown.to_owned(), problem }
}

fn credentials(url: &Url) -> Option<Auth> {
    // An address writes an `@` or `:` of a password as %40 or %3A.
    let plain_text = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let password = url.password().map(plain_text).unwrap_or_default();
    Some(Auth::Basic { user: plain_text(url.username()), password })
}

fn remove_credentials(url: &mut Url) {
    // Both can only fail on addresses without a host, which http addresses always have.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str, password: &str) -> Auth {
        Auth::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn credentials_leave_the_address() {
        for (text, expected) in [
            ("https://me:secret@h:9090/prometheus", Some(basic("me", "secret"))),
            ("https://me%40corp:a%3Ab@h:9090/prometheus", Some(basic("me@corp", "a:b"))),
            ("https://key@h:9090/prometheus", Some(basic("key", ""))),
            ("https://h:9090/prometheus", None),
        ] {
            let (url, auth) = parse_base_address(text).expect(text);
            assert_eq!((url.as_str(), auth), ("https://h:9090/prometheus", expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_http_address_is_refused_without_its_secrets() {
        for text in [
            "localhost:9090",
            "ftp://me:secret@h/",
            "http://me:secret@",
            "",
            "prometheus",
            "http://me:secret?x@h:port",
            "http://h:port/?token=a@secret",
            "http://h/#secret",
        ] {
            let error = parse_address(text).expect_err(text).to_string();
            assert!(!error.contains("secret") && error.contains("http://prometheus:9090"), "{error}");
        }
    }

    #[test]
    fn a_query_is_refused_where_it_would_be_lost_and_its_secret_is_not_printed() {
        for text in ["http://h/?token=secret", "http://h/prometheus?a@secret", "http://h?token=secret"] {
            let error = parse_base_address(text).expect_err(text).to_string();
            assert!(error.contains("--bearer-token-file") && !error.contains("secret"), "{error}");
        }
        let (page, _) = parse_address("http://h/federate?match[]=up").expect("pages may have a query");
        assert_eq!(page.query(), Some("match[]=up"));
    }
}
