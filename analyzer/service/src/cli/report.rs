//! `aftermath report`: a stored report in another form.

use super::args::ReportArgs;
use super::plan::check_files;
use super::render;
use crate::exit_code::ExitCode;
use crate::export::Report;
use crate::failure::Failure;

pub(super) fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    check_files(&[("the report", Some(&args.report))], &[("--html", args.html.as_deref())])?;
    let shown = args.report.display();
    let text = std::fs::read_to_string(&args.report)
        .map_err(|cause| Failure::bad_input(format!("cannot read {shown}: {cause}")))?;
    let report =
        Report::from_json(&text).map_err(|problem| Failure::bad_input(format!("{shown}: {problem}")))?;
    if let Some(path) = &args.html {
        render::html_file(&report, path)?;
    }
    let files = args.html.iter().map(|path| render::file("report", path)).collect();
    render::report(&report, args.format, files)?;
    Ok(ExitCode::Fine)
}
