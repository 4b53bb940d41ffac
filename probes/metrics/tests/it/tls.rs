//! Certificates that cannot be trusted, shown by a real TLS server.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use aftermath_metrics::{Access, Prometheus, PrometheusConfig, SourceError};
use aftermath_prometheus_fixture::{free_port, is_installed};

use crate::fake::Fake;
use crate::{config, quick_limits};

/// Makes a certificate authority and a certificates for 127.0.0.1 and for another name that it has signed.
pub(crate) fn make_certificates(folder: &Path) {
    let openssl = |arguments: &[&str]| {
        let made = Command::new("openssl")
            .current_dir(folder)
            .args(arguments)
            .output()
            .expect("openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    openssl(&[&new[..], &["-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem"]].concat());
    let names = ["-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1"];
    let signed = ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key"];
    openssl(&[&new[..], &names, &signed, &["-keyout", "server.key", "-out", "server.pem"]].concat());
    let names = ["-subj", "/CN=server", "-addext", "subjectAltName=DNS:shop.example"];
    openssl(&[&new[..], &names, &signed, &["-keyout", "other.key", "-out", "other.pem"]].concat());
}

/// `openssl s_server` with one certificate; it ends with this value.
struct TlsServer {
    child: Child,
    url: String,
}

impl TlsServer {
    async fn start(folder: &Path, certificate: &str) -> Self {
        let port = free_port();
        let path = |ending: &str| folder.join(format!("{certificate}.{ending}"));
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}")])
            .arg("-cert")
            .arg(path("pem"))
            .arg("-key")
            .arg(path("key"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let mut server = Self { child, url: format!("https://127.0.0.1:{port}") };
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = server.child.try_wait().expect("the state of a child can be asked");
            assert!(ended.is_none(), "openssl ended with {ended:?}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        server
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        // It may have ended already, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn error_of(url: &str, access: Access) -> SourceError {
    let config = PrometheusConfig { access, limits: quick_limits(), ..config(url) };
    Prometheus::connect(config).await.err().expect("it is no metrics server")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_certificate_that_cannot_be_trusted_has_its_own_sentence() {
    if !is_installed("openssl", "openssl") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    make_certificates(folder.path());
    let authority = folder.path().join("ca.pem");
    for (certificate, ca_file, problem, hint) in [
        ("ca", Some(&authority), "itself that of a certificate authority", "CA:FALSE"),
        ("server", None, "signed by none of the trusted authorities", "with --ca-file"),
        ("other", Some(&authority), "is for shop.example, not for 127.0.0.1", "alternative names"),
    ] {
        let server = TlsServer::start(folder.path(), certificate).await;
        let error = error_of(&server.url, Access { ca_file: ca_file.cloned(), ..Access::default() }).await;
        assert!(matches!(error, SourceError::Untrusted { .. }) && !error.is_retryable(), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&server.url) && text.contains(problem) && text.contains(hint), "{text}");
        let noise = ["docs.rs", "Error", "Other(", "invalid peer"];
        assert!(noise.iter().all(|noise| !text.contains(noise)), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_plain_http_at_an_https_address_is_told_so() {
    let fake = Fake::serve(|_, _| None).await;
    let error = error_of(&fake.url.replace("http:", "https:"), Access::default()).await.to_string();
    assert!(error.contains("does not speak TLS") && error.contains("http:// instead"), "{error}");
}
