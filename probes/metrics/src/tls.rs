//! Why no trusted connection came about, in sentences that help.

use std::error::Error;
use std::io;

use aftermath_model::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

const GIVE_AUTHORITY: &str = "give the certificate of its authority with --ca-file";
const NEW_CERTIFICATE: &str = "issue a new server certificate";

/// What is wrong and what to try, each a part of a sentence.
type Explained = (String, &'static str);

/// What rustls said, wherever it stands among the causes. An I/O error hides the error inside from its own `source`.
pub(crate) fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        let inside = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inside.and_then(|inside| tls_error(inside)) {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// What an error of rustls means to whoever gave the address.
pub(crate) fn explain(error: &rustls::Error) -> Explained {
    match error {
        rustls::Error::InvalidCertificate(problem) => explain_certificate(problem),
        rustls::Error::InvalidMessage(_) => {
            ("it does not speak TLS".to_owned(), "if it speaks plain HTTP, write http:// instead of https://")
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => (
            "it asks for a client certificate, which this program cannot show".to_owned(),
            "give an address that asks for a password or a token instead",
        ),
        rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_) => (
            "it and this program agree on no version or cipher of TLS".to_owned(),
            "let it offer TLS 1.2 or 1.3 with the usual ciphers, and check that the name in the address is its own",
        ),
        _ => (
            "the TLS handshake failed".to_owned(),
            "check that nothing between this machine and the server changes the connection",
        ),
    }
}

fn explain_certificate(problem: &CertificateError) -> Explained {
    match problem {
        CertificateError::Expired => ("its certificate has expired".to_owned(), NEW_CERTIFICATE),
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("its certificate expired at {}", time(*not_after)), NEW_CERTIFICATE)
        }
        CertificateError::NotValidYet => {
            ("its certificate is not valid yet".to_owned(), "check the clock of this machine")
        }
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!("its certificate is not valid before {}", time(*not_before)),
            "check the clock of this machine",
        ),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            ("its certificate is signed by none of the trusted authorities".to_owned(), GIVE_AUTHORITY)
        }
        CertificateError::NotValidForName => ("its certificate is for another name".to_owned(), OTHER_NAME),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| bare_name(name)).collect();
            let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            (format!("its certificate is for {names}, not for {}", expected.to_str()), OTHER_NAME)
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            not_for_servers()
        }
        CertificateError::Revoked => ("its certificate was revoked".to_owned(), NEW_CERTIFICATE),
        CertificateError::Other(other) => explain_other(&other.0.to_string()),
        _ => unusual(),
    }
}

const OTHER_NAME: &str = "write the address with a name that its certificate holds, or issue one with this name among its alternative names";

/// What rustls passes on from the crates that check certificates, which have no types that could be matched here.
fn explain_other(said: &str) -> Explained {
    match said {
        "CaUsedAsEndEntity" => (
            "its certificate is itself that of a certificate authority, which no server may show".to_owned(),
            "issue a server certificate (CA:FALSE) that the authority signs, and give the authority with --ca-file",
        ),
        "UnsupportedCertVersion" => {
            ("its certificate is not of version 3".to_owned(), "issue one with extensions such as its names")
        }
        "certificate had invalid extensions" => not_for_servers(),
        _ => unusual(),
    }
}

fn not_for_servers() -> Explained {
    (
        "its certificate is not meant for servers".to_owned(),
        "issue one with the extended key usage serverAuth",
    )
}

fn unusual() -> Explained {
    (
        "its certificate is damaged, or signed in a way that is not supported".to_owned(),
        "issue a new one with ECDSA P-256 or RSA, SHA-256 and CA:FALSE",
    )
}

/// The name inside of texts such as `DnsName("shop")` and `IpAddress(127.0.0.1)`.
fn bare_name(shown: &str) -> &str {
    let inside = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(shown).trim_matches('"')
}

fn time(time: UnixTime) -> String {
    let ms = i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000);
    Timestamp::from_ms(ms).map_or_else(|_| "an unknown time".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_without_the_words_of_the_library() {
        let at = |s| UnixTime::since_unix_epoch(Duration::from_secs(s));
        let other_name = CertificateError::NotValidForNameContext {
            expected: "localhost".try_into().expect("a name"),
            presented: vec!["DnsName(\"shop\")".to_owned(), "IpAddress(127.0.0.1)".to_owned()],
        };
        for (problem, expected) in [
            (CertificateError::UnknownIssuer, "none of the trusted authorities"),
            (
                CertificateError::ExpiredContext { time: at(2), not_after: at(1) },
                "expired at 1970-01-01T00:00:01.000Z",
            ),
            (
                CertificateError::NotValidYetContext { time: at(0), not_before: at(1) },
                "not valid before 1970-01-01T00:00:01.000Z",
            ),
            (other_name, "is for shop, 127.0.0.1, not for localhost"),
            (CertificateError::InvalidPurpose, "not meant for servers"),
            (CertificateError::BadEncoding, "damaged"),
        ] {
            let (said, hint) = explain(&rustls::Error::InvalidCertificate(problem));
            assert!(said.contains(expected) && !hint.is_empty(), "{said}");
        }
    }

    #[test]
    fn an_error_of_rustls_is_found_inside_of_errors_of_the_network() {
        let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        let outer = io::Error::other(inner);
        assert_eq!(tls_error(&outer), Some(&rustls::Error::DecryptError));
        assert_eq!(tls_error(&io::Error::other("no TLS here")), None);
    }
}
