//! `kabar check`: a doctor for configuration, database, texts and accounts.

use std::process::ExitCode;

use kabar::channel::SendError;
use kabar::service::App;
use kabar::store::account;

use super::{ConfigArg, office};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Print a JSON array of findings
    #[arg(long)]
    json: bool,
}

struct Finding {
    what: String,
    is_good: bool,
    /// Worth a look, though nothing is wrong.
    is_warning: bool,
    detail: String,
    hint: String,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    match look(&args.config, &mut findings).await {
        Ok(()) => {}
        Err(error) => {
            let hint = error.downcast_ref::<super::Hinted>().map(|h| h.hint.clone());
            let hint = hint.or_else(|| {
                error.downcast_ref::<kabar::config::ConfigError>().map(|error| error.hint.clone())
            });
            findings.push(bad("start", format!("{error:#}"), hint.unwrap_or_default()));
        }
    }
    if args.json {
        let rows: Vec<_> = findings
            .iter()
            .map(|f| serde_json::json!({"what": f.what, "ok": f.is_good, "warning": f.is_warning, "detail": f.detail, "hint": f.hint}))
            .collect();
        println!("{}", serde_json::Value::Array(rows));
    } else {
        for finding in &findings {
            println!(
                "{} {}: {}",
                match (finding.is_good, finding.is_warning) {
                    (false, _) => "FAIL",
                    (true, true) => "note",
                    (true, false) => "ok  ",
                },
                finding.what,
                finding.detail
            );
            if !finding.hint.is_empty() {
                println!("     hint: {}", finding.hint);
            }
        }
    }
    let is_good = findings.iter().all(|finding| finding.is_good);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn good(what: &str, detail: impl Into<String>) -> Finding {
    Finding {
        what: what.to_owned(),
        is_good: true,
        is_warning: false,
        detail: detail.into(),
        hint: String::new(),
    }
}

fn bad(what: &str, detail: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding {
        what: what.to_owned(),
        is_good: false,
        is_warning: false,
        detail: detail.into(),
        hint: hint.into(),
    }
}

fn warning(what: &str, detail: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { is_good: true, is_warning: true, ..bad(what, detail, hint) }
}

async fn look(arg: &ConfigArg, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let config = office::load(arg)?;
    findings.push(good("configuration", office::config_path(arg)?.display().to_string()));
    if config.accounts.is_empty() {
        findings.push(bad(
            "accounts",
            "there is none, so nothing can be sent",
            "add an [[account]]; the README's first message shows how",
        ));
    }
    for account in &config.accounts {
        let Some(host) = account.provider.api_url().and_then(|url| url.strip_prefix("http://"))
        else {
            continue;
        };
        // A gateway in the office's own network (Kannel, a phone) usually speaks no TLS.
        let is_local = host.split('/').next().is_some_and(|at| {
            at.parse::<http::uri::Authority>().is_ok_and(|at| is_own_network(at.host()))
        });
        if !is_local {
            findings.push(bad(
                &account.id,
                "api_url is not encrypted: secrets and citizens' data would be readable on the way",
                "write https://",
            ));
        }
    }
    let office = office::open(config).await?;
    findings.push(good(
        "texts",
        format!("{} announcements", office.app.templates.announcements().count()),
    ));
    let today = office.app.now().in_zone(office.app.zone(None).offset()).date_naive();
    for stale in office.app.script().stale(today) {
        findings.push(warning(
            &stale.file,
            format!("was last compared with its source on {}", stale.checked_on),
            "look it up again, mend it, and set checked_on; a wrong answer costs a day's trip",
        ));
    }
    office.app.db.ping().await?;
    findings.push(good("database", "open, its tables are up to date, the keys fit"));
    accounts(&office.app, findings).await?;
    for watched in &office.app.sources {
        findings.push(match watched.source.probe().await {
            Ok(words) => good(&watched.id, words),
            Err(error) => bad(&watched.id, error.to_string(), error.hint()),
        });
    }
    office.app.db.close().await;
    Ok(())
}

/// This machine, or a private network (RFC 1918).
fn is_own_network(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|at| match at {
            std::net::IpAddr::V4(at) => at.is_loopback() || at.is_private(),
            std::net::IpAddr::V6(at) => at.is_loopback() || at.is_unique_local(),
        })
}

async fn accounts(app: &App, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let stopped = account::list_stopped(&app.db).await?;
    for account in &app.accounts {
        if let Some((_, stop)) = stopped.iter().find(|(id, _)| *id == account.id) {
            findings.push(bad(
                &account.id,
                format!(
                    "stopped since {}: {} ({})",
                    stop.at.utc().to_rfc3339(),
                    stop.reason,
                    stop.code
                ),
                "mend the cause; one message tries again by itself, or restart the service",
            ));
        }
        findings.push(match account.adapter.probe().await {
            Ok(words) => good(&account.id, format!("answers: {words}")),
            Err(SendError::Misconfigured(fault)) => bad(
                &account.id,
                fault.to_string(),
                "look at the account's secrets (access_token, auth_token, password, …) and its state at the provider",
            ),
            Err(error) => bad(
                &account.id,
                error.to_string(),
                "look at api_url and whether this machine reaches it",
            ),
        });
    }
    Ok(())
}
