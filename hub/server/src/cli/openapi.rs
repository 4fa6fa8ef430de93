//! `uzel openapi`: the document that `docs/openapi.json` is made from.

use std::process::ExitCode;

use crate::http::openapi;

pub fn run() -> anyhow::Result<ExitCode> {
    use std::io::Write as _;
    std::io::stdout().write_all(openapi::text().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
