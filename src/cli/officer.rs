//! `kabar officer`: people who work with the console.

use std::sync::Arc;

use kabar::domain::area::AreaCode;
use kabar::domain::officer::{Actor, OfficerRole};
use kabar::service::App;
use kabar::service::officer::{self, Change};
use kabar::store::officer::{find_by_login, list_officers};

use super::{ConfigArg, PAGE, hinted, office};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add an officer; their first password is shown this once
    Add(Add),
    /// Everybody who works with the console
    List(List),
    /// Give a new password, shown this once
    Password(One),
    /// Forget the second factor: the phone with it is lost
    ForgetCode(One),
    /// Let somebody in no longer
    Disable(One),
    /// Let them in again
    Enable(One),
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    config: ConfigArg,
    /// Name to log in with: small letters, digits, dots, dashes
    login: String,
    /// desa, kecamatan, dinas, courier, partner, auditor or admin
    #[arg(long, value_parser = ["desa", "kecamatan", "dinas", "courier", "partner", "auditor", "admin"])]
    role: String,
    /// Code of the area they see [default: the office's]
    #[arg(long)]
    area: Option<String>,
    /// As colleagues call them
    #[arg(long, default_value = "")]
    name: String,
    /// Print {"login":"…","password":"…"}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON, one officer a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct One {
    #[command(flatten)]
    config: ConfigArg,
    /// Name to log in with
    login: String,
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(args) => add(args).await,
        Command::List(args) => list(args).await,
        Command::Password(args) => change(args, &Change::Password).await,
        Command::ForgetCode(args) => change(args, &Change::Totp).await,
        Command::Disable(args) => change(args, &Change::Disable).await,
        Command::Enable(args) => change(args, &Change::Enable).await,
    }
}

async fn open(config: &ConfigArg) -> anyhow::Result<Arc<App>> {
    Ok(office::open(office::load(config)?).await?.app)
}

async fn add(args: Add) -> anyhow::Result<()> {
    let app = open(&args.config).await?;
    let role: OfficerRole = args.role.parse()?;
    let area = match &args.area {
        Some(area) => AreaCode::parse(area)?,
        None => app.settings.office_area.clone(),
    };
    let added = officer::add(&app, &Actor::cli(), &args.login, &args.name, role, &area).await;
    app.db.close().await;
    let (_, password) = added.map_err(|error| {
        hinted(format!("{} is not added: {error}", args.login), "see `kabar officer list`")
    })?;
    if args.json {
        println!("{}", serde_json::json!({"login": args.login, "password": password}));
    } else {
        println!("{}: {role} of {area}", args.login);
        println!(
            "password: {password}   (shown this once; they choose their own at the first login)"
        );
    }
    Ok(())
}

async fn list(args: List) -> anyhow::Result<()> {
    let app = open(&args.config).await?;
    let mut after = String::new();
    loop {
        let page = list_officers(&app.db, &AreaCode::nationwide(), &after, PAGE).await?;
        for officer in &page {
            let area = officer.area.to_string();
            let state = if officer.disabled_at.is_some() {
                "locked out"
            } else if officer.has_totp {
                "second factor"
            } else {
                "password only"
            };
            if args.json {
                let line = serde_json::json!({
                    "id": officer.id.to_string(), "login": officer.login, "name": officer.name,
                    "role": officer.role.as_str(), "area": area, "has_totp": officer.has_totp,
                    "disabled": officer.disabled_at.is_some(),
                });
                println!("{line}");
            } else {
                println!("{:<20} {:<10} {:<14} {state}", officer.login, officer.role, area);
            }
        }
        match page.last() {
            Some(last) => after.clone_from(&last.login),
            None => break,
        }
    }
    app.db.close().await;
    Ok(())
}

async fn change(args: One, change: &Change) -> anyhow::Result<()> {
    let app = open(&args.config).await?;
    let login = args.login.trim().to_lowercase();
    let hint = "`kabar officer list` shows the logins";
    let known = find_by_login(&app.db, &login)
        .await?
        .ok_or_else(|| hinted(format!("there is no officer {login}"), hint))?;
    let given = officer::change(&app, &Actor::cli(), known.id, change).await;
    app.db.close().await;
    match given.map_err(|error| hinted(format!("{login} is left as it was: {error}"), hint))? {
        Some(password) => println!("{login}: new password {password}   (shown this once)"),
        None => println!("{login}: done"),
    }
    Ok(())
}
