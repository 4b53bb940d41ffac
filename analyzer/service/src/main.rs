//! The binary `aftermath`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    aftermath_metrics::install_crypto_provider();
    aftermath::cli::main().await.into()
}
