//! `kabar token`: tokens for the API.

use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::IdSource;
use kabar::store::Db;
use kabar::store::token::{self, Role};

use super::{ConfigArg, init, office};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token; it is shown this once
    Create(Create),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    config: ConfigArg,
    /// source (card updates in), office, auditor (reads) or admin
    #[arg(long, value_parser = ["source", "office", "auditor", "admin"])]
    role: String,
    /// Who will use it
    #[arg(long)]
    name: String,
    /// Print {"token":"…"}
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Create(args) = command;
    let role: Role = args.role.parse()?;
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let secret = create(&db, role, &args.name).await?;
    db.close().await;
    if args.json {
        println!("{}", serde_json::json!({"token": secret}));
    } else {
        println!("{secret}");
    }
    Ok(())
}

/// Makes a token and returns its secret.
pub(super) async fn create(db: &Db, role: Role, name: &str) -> anyhow::Result<String> {
    let secret = format!("kbr_{}", init::secret(40)?);
    let now = SystemClock.now();
    token::insert_token(db, IdSource::default().next(now), name, role, &secret, now).await?;
    Ok(secret)
}
