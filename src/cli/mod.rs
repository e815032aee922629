//! The commands, one file each. What fails says what, why, and a hint.

#[macro_use]
mod output;

mod answers;
mod ask;
mod broadcast;
mod chat;
mod check;
mod database;
mod demo;
mod import;
mod init;
mod office;
mod officer;
mod outage;
mod point;
mod sandbox;
mod serve;
mod session;
mod source;
mod suppression;
mod survey;
mod template;
mod ticket;
mod token;
mod visit;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kabar::config::ConfigError;
use kabar::domain::clock::Timestamp;

/// Rows read from the database at once.
const PAGE: i64 = 500;
/// Who did something, when nobody says.
const COMMAND_LINE: &str = "command line";

/// Tells citizens what happens to their e-KTP, on WhatsApp, SMS and Telegram.
#[derive(Debug, Parser)]
#[command(name = "kabar", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A sample office with phones to try everything on; needs nothing else
    Demo(demo::Args),
    /// Write a configuration with fresh keys and the first officer
    Init(init::Args),
    /// Run the service
    Serve(serve::Args),
    /// Say what is wrong with configuration, database, texts and accounts
    Check(check::Args),
    /// Answer questions from standard input, one a line; no database, no network
    Ask(ask::Args),
    /// The whole conversation in a terminal
    Chat(chat::Args),
    /// What was not understood, and teaching the answer
    #[command(subcommand)]
    Answers(answers::Command),
    /// Take in a spreadsheet: CSV, XLSX, XLS or ODS
    #[command(subcommand)]
    Import(import::Command),
    /// Check and show the texts citizens read
    #[command(subcommand)]
    Templates(template::Command),
    /// People who work with the console
    #[command(subcommand)]
    Officer(officer::Command),
    /// Notices to many: write, preview, approve, send, hold, tell
    #[command(subcommand)]
    Broadcast(broadcast::Command),
    /// Tokens for the API
    #[command(subcommand)]
    Token(token::Command),
    /// The places that serve citizens, and how they are just now
    #[command(subcommand)]
    Point(point::Command),
    /// An office that cannot work: declare it, lift it
    #[command(subcommand)]
    Outage(outage::Command),
    /// Hours of counters, days of recording, stops of the van: to come to by appointment
    #[command(subcommand)]
    Session(session::Command),
    /// News that no channel brought, to be told in person
    #[command(subcommand)]
    Visit(visit::Command),
    /// What is watched, what would come of it, and what waits for a word of the office
    #[command(subcommand)]
    Source(source::Command),
    /// Addresses that are not written to
    #[command(subcommand)]
    Suppression(suppression::Command),
    /// Talks, complaints and requests that citizens put before an officer
    #[command(subcommand)]
    Ticket(ticket::Command),
    /// What citizens think of the service
    Survey(survey::Args),
    /// Move the office to another database
    #[command(subcommand)]
    Database(database::Command),
    /// Local stand-ins for every provider, with a page of phones
    Sandbox(sandbox::Args),
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct ConfigArg {
    /// Configuration file [default: kabar.toml, then /etc/kabar/kabar.toml]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// An error with what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct Hinted {
    what: String,
    hint: String,
}

fn hinted(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Hinted { what: what.into(), hint: hint.into() }.into()
}

/// Runs the command the arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    // One provider for every TLS client of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(code) if output::is_whole() => code,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args).await.map(|()| ExitCode::SUCCESS),
        Command::Init(args) => init::run(args).await.map(|()| ExitCode::SUCCESS),
        Command::Serve(args) => serve::run(args).await.map(|()| ExitCode::SUCCESS),
        Command::Check(args) => check::run(args).await,
        Command::Ask(args) => ask::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Chat(args) => Box::pin(chat::run(args)).await.map(|()| ExitCode::SUCCESS),
        Command::Answers(command) => answers::run(command).await,
        Command::Import(command) => import::run(command).await,
        Command::Templates(command) => template::run(command),
        Command::Officer(command) => officer::run(command).await.map(|()| ExitCode::SUCCESS),
        Command::Broadcast(command) => broadcast::run(command).await,
        Command::Token(command) => token::run(command).await.map(|()| ExitCode::SUCCESS),
        Command::Point(command) => point::run(command).await,
        Command::Outage(command) => outage::run(command).await,
        Command::Session(command) => session::run(command).await,
        Command::Visit(command) => visit::run(command).await,
        Command::Source(command) => source::run(command).await,
        Command::Suppression(command) => suppression::run(command).await,
        Command::Ticket(command) => ticket::run(command).await,
        Command::Survey(args) => survey::run(args).await.map(|()| ExitCode::SUCCESS),
        Command::Database(command) => database::run(command).await,
        Command::Sandbox(args) => sandbox::run(args).await.map(|()| ExitCode::SUCCESS),
    }
}

fn report(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        if !said.ends_with(&text) {
            eprintln!("  because: {text}");
        }
        said = text;
    }
    let hint = error
        .chain()
        .find_map(|cause| {
            cause
                .downcast_ref::<Hinted>()
                .map(|hinted| hinted.hint.as_str())
                .or_else(|| cause.downcast_ref::<ConfigError>().map(|error| error.hint.as_str()))
        })
        .filter(|hint| !hint.is_empty());
    if let Some(hint) = hint {
        eprintln!("hint: {hint}");
    }
}

/// A moment, as the API writes it.
fn shown(at: Timestamp) -> String {
    at.rfc3339()
}

/// A text on one line, without what a terminal would obey.
fn one_line(text: &str) -> String {
    let visible = text.replace(char::is_control, " ");
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ends when the terminal or the system asks the program to.
async fn asked_to_stop() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
