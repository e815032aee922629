//! `kabar init`: a configuration with fresh keys, and the first officer.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use argon2::PasswordHasher as _;
use kabar::config::Config;
use kabar::domain::area::AreaCode;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::IdSource;
use kabar::domain::officer::OfficerRole;
use kabar::store::officer::{self, NewOfficer};
use kabar::store::{Db, Key};

use super::{hinted, office};

const LOGIN: &str = "admin";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to write into
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let path = args.dir.join("kabar.toml");
    if path.exists() {
        return Err(hinted(
            format!("{} exists already and is left as it is", path.display()),
            "name another folder; a configuration's keys must never be lost, so nothing overwrites one",
        ));
    }
    std::fs::create_dir_all(&args.dir)
        .with_context(|| format!("{} cannot be made", args.dir.display()))?;
    let may_ask = !args.yes && std::io::stdin().is_terminal();
    let name = answer(may_ask, "Nama kantor", "Disdukcapil Kabupaten Jombang")?;
    let area = loop {
        let area = answer(may_ask, "Kode wilayah", "35.17")?;
        match AreaCode::parse(&area) {
            Ok(area) => break area.to_string(),
            Err(error) if may_ask => println!("  {error}"),
            Err(error) => return Err(error.into()),
        }
    };
    write(&path, &name, &area)?;
    let config = Config::load(&path, std::iter::empty())?;
    let db = match office::open_database(&config.database_url, config.sealer).await {
        Ok(db) => db,
        Err(error) => {
            // Keys that open nothing must not lie about as if they were the office's.
            std::fs::remove_file(&path)?;
            return Err(error);
        }
    };
    let password = first_officer(&db, &config.office_area).await?;
    db.close().await;
    println!("Wrote {}", path.display());
    println!(
        "Keep a copy of its [keys] apart from the database's backups: without them nothing can be read."
    );
    if let Some(password) = password {
        println!("First officer: {LOGIN}   password: {password}   (shown this once)");
    } else {
        println!("The database has its officers already; none was added.");
    }
    println!(
        "Next: add an [[account]], then `kabar check -c {0}` and `kabar serve -c {0}`",
        path.display()
    );
    Ok(())
}

fn answer(may_ask: bool, question: &str, default: &str) -> anyhow::Result<String> {
    if !may_ask {
        return Ok(default.to_owned());
    }
    print!("{question} [{default}]: ");
    super::output::flush();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let line = line.trim();
    Ok(if line.is_empty() { default.to_owned() } else { line.to_owned() })
}

/// Writes a configuration only its owner may read: it holds the keys.
pub(super) fn write(path: &Path, name: &str, area: &str) -> anyhow::Result<()> {
    let (seal, index) = (Key::generate()?, Key::generate()?);
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let text = format!(
        "# Kabar's configuration. Keys that are not here have their defaults; the README lists all.\n\n\
         [server]\nlisten = \"127.0.0.1:8080\"\n# public_url = \"https://kabar.example.go.id\"\n\n\
         [database]\nurl = \"sqlite://kabar.db\"\n\n\
         [office]\nname = {}\narea = {}\n\n\
         [keys]\n# Without these the personal data in the database cannot be read. Keep a copy elsewhere.\n\
         seal = \"{}\"\nindex = \"{}\"\n\n\
         [announce]\nquiet_hours = \"20:00-07:00\"\n\n\
         # [[account]]\n# id = \"wa-kantor\"\n# channel = \"whatsapp\"\n# area = {}\n\
         # api_url = \"https://graph.facebook.com/v25.0\"\n# phone_number_id = \"…\"\n# waba_id = \"…\"\n\
         # access_token_file = \"meta.token\"\n# app_secret_file = \"meta.secret\"\n# verify_token = \"…\"\n",
        quoted(name),
        quoted(area),
        *seal.to_base64(),
        *index.to_base64(),
        quoted(area),
    );
    write_private(path, &text)
}

/// Writes a new file only its owner may read.
pub(super) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

async fn first_officer(db: &Db, area: &AreaCode) -> anyhow::Result<Option<String>> {
    let password = secret(16)?;
    let hash = argon2::Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))?
        .to_string();
    let now = SystemClock.now();
    let new = NewOfficer {
        id: IdSource::default().next(now),
        login: LOGIN,
        name: "Administrator",
        role: OfficerRole::Admin,
        area,
        password_hash: &hash,
        must_change: false,
    };
    let mut tx = db.begin().await?;
    let is_new = officer::insert_officer(&mut tx, &new, now).await?;
    tx.commit().await?;
    Ok(is_new.then_some(password))
}

/// A random word of that many characters, without look-alikes.
pub(super) fn secret(length: usize) -> anyhow::Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect())
}
