//! `aftermath demo`: a shop, a fault, a verdict, with nothing to install.

use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use aftermath_baselines::OutputFile;
use aftermath_fixtures::{Fault, Shop, StartOptions};
use aftermath_metrics::{Access, ScrapeTarget, ServiceNaming};

use super::args::DemoArgs;
use super::render;
use crate::clock::now;
use crate::demo::{Durations, STEP_MS, ShopDriver, shop_failure};
use crate::driver::Driver;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::run::{Judged, Run, run};
use crate::scraping::Scraping;
use crate::source::Source;

/// The hidden subcommand by which this program starts the processes of the shop.
const HIDDEN_SUBCOMMAND: &str = "shop-process";

pub(super) async fn demo(args: DemoArgs) -> Result<ExitCode, Failure> {
    if args.list {
        render::to_stdout(fault_list().as_bytes())?;
        return Ok(ExitCode::Fine);
    }
    let fault = match &args.fault {
        Some(name) => Fault::named(name).map_err(Failure::bad_input)?,
        None => Fault::default(),
    };
    let _claim = claim(&args.out)?;
    let progress = Progress::on_stderr();
    // Whatever ends the demo, also Ctrl-C, drops the shop, and with it every child.
    tokio::select! {
        code = play(&args, fault, &progress) => code,
        _ = tokio::signal::ctrl_c() => {
            progress.done();
            Err(Failure::interrupted())
        }
    }
}

/// Makes the folder and claims it for this demo: two at once would overwrite each other's files.
fn claim(folder: &Path) -> Result<File, Failure> {
    let shown = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::bad_input(format!("--out {shown} is a file, not a folder")));
    }
    let refused = |cause: std::io::Error| Failure::bad_input(format!("--out {shown}: {cause}"));
    std::fs::create_dir_all(folder).map_err(refused)?;
    let claim = File::create(folder.join(".claimed")).map_err(refused)?;
    match claim.try_lock() {
        Ok(()) => Ok(claim),
        Err(std::fs::TryLockError::WouldBlock) => Err(Failure::bad_input(format!(
            "--out {shown} belongs to another demo that is still running; give each its own folder"
        ))),
        Err(std::fs::TryLockError::Error(cause)) => Err(refused(cause)),
    }
}

pub(super) async fn shop_process(arguments: &[String]) -> Result<ExitCode, Failure> {
    aftermath_fixtures::run_process(arguments).await.map_err(shop_failure)?;
    Ok(ExitCode::Fine)
}

async fn play(args: &DemoArgs, fault: Fault, progress: &Progress) -> Result<ExitCode, Failure> {
    progress.event("starting the shop: nine services, each its own process on 127.0.0.1, and their users");
    let shop = Arc::new(start_shop(args).await?);
    let targets = shop
        .targets()
        .into_iter()
        .map(|target| ScrapeTarget { service: Some(target.service), url: target.url });
    let scraping =
        Scraping::start(targets.collect(), STEP_MS, ServiceNaming::default(), Access::default()).await?;
    let driver = ShopDriver::new(Arc::clone(&shop), fault, Durations::default(), now()?, scraping.seen());
    let run_plan = Run {
        source: Source::Scrape(scraping),
        driver: Driver::Shop(Box::new(driver)),
        learned: None,
        evidence: Some(args.out.join("evidence.parquet")),
    };
    let judged = run(run_plan, progress).await?;
    progress.done();
    let code = tell(args, &judged)?;
    if args.keep {
        keep(&shop, progress).await;
    }
    Ok(code)
}

async fn start_shop(args: &DemoArgs) -> Result<Shop, Failure> {
    let program = std::env::current_exe()
        .map_err(|cause| Failure::error(format!("cannot find the path of this program: {cause}")))?;
    let options =
        StartOptions::new(program, vec![HIDDEN_SUBCOMMAND.to_owned()], args.seed, args.out.join("logs"));
    Shop::start(options).await.map_err(shop_failure)
}

fn tell(args: &DemoArgs, judged: &Judged) -> Result<ExitCode, Failure> {
    let (json, html) = (args.out.join("report.json"), args.out.join("report.html"));
    OutputFile::write_all(&json, judged.report.to_json().as_bytes())?;
    render::html_file(&judged.report, &html)?;
    let evidence = args.out.join("evidence.parquet");
    let files = vec![
        render::file("report with charts", &html),
        render::file("report for programs", &json),
        render::file("evidence, for aftermath judge --recording", &evidence),
        render::file("logs of the shop", &args.out.join("logs")),
    ];
    render::report(&judged.report, args.format, files)?;
    Ok(args.fail_on.map_or(ExitCode::Fine, |fail_on| ExitCode::of(&judged.verdict, fail_on)))
}

async fn keep(shop: &Shop, progress: &Progress) {
    progress.event("the shop goes on until Ctrl-C:");
    for target in shop.targets() {
        progress.event(&format!("  {:<16} {}", target.service, target.url));
    }
    std::future::pending::<()>().await;
}

fn fault_list() -> String {
    let default = Fault::default();
    let mut list = String::new();
    for fault in Fault::all() {
        let mark = if fault.name == default.name { " (default)" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(list, "{:<20} {}{mark}", fault.name, fault.description);
    }
    list
}
