//! What can be said to `kabar broadcast`.

use std::path::PathBuf;

use kabar::domain::area::AreaCode;
use kabar::domain::document::Document;
use kabar::domain::id::BroadcastId;
use kabar::domain::language::Language;
use kabar::domain::message::ChannelKind;

use super::super::ConfigArg;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Command {
    /// Write one; prints its id
    Draft(Box<Write>),
    /// What it would come to: how many on each channel, who is left out, what it costs, how long it takes
    Preview(One),
    /// Send it to one phone, to see it there
    Test(Test),
    /// Say that it is ready; a second person may have to agree
    Submit(One),
    /// Agree to what somebody else wrote
    Approve(One),
    /// Send it back with a reason
    Reject(Reject),
    /// Let it go, at once or when its time comes
    Send(One),
    /// Hold it
    Pause(One),
    /// Let it go on where it was held
    Resume(One),
    /// Withdraw it for good
    Cancel(One),
    /// Try those again whom its last run did not reach
    Retry(One),
    /// What became of it
    Report(One),
    /// Those there are, newest first
    List(List),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Who {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    /// The officer who does it, by the name they log in with [default: the command line]
    #[arg(long = "as", value_name = "LOGIN")]
    pub(super) login: Option<String>,
    /// Print JSON, as the API has it
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct One {
    /// Its id, as it stands on the list: bro_…
    #[arg(value_name = "ID")]
    pub(super) id: BroadcastId,
    #[command(flatten)]
    pub(super) who: Who,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    pub(super) one: One,
    /// whatsapp, telegram or sms
    #[arg(long, value_name = "CHANNEL")]
    pub(super) channel: ChannelKind,
    /// The number
    #[arg(long, value_name = "NUMBER")]
    pub(super) phone: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Reject {
    #[command(flatten)]
    pub(super) one: One,
    /// What is to be changed
    #[arg(value_name = "REASON")]
    pub(super) reason: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    pub(super) who: Who,
    /// So many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
    pub(super) limit: i64,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Write {
    #[command(flatten)]
    pub(super) who: Who,
    /// What it is about, in a few words
    #[arg(long)]
    pub(super) title: String,
    /// The notice
    #[arg(long)]
    pub(super) text: String,
    /// Where
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) place: String,
    /// When, in words
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) time: String,
    /// Only who lives in this area, by its code; may be repeated [default: one's own area]
    #[arg(long = "area", value_name = "CODE")]
    pub(super) areas: Vec<AreaCode>,
    /// Only who lives in this dusun
    #[arg(long)]
    pub(super) dusun: Option<String>,
    /// Only who lives in this RW
    #[arg(long)]
    pub(super) rw: Option<String>,
    /// Only who lives in this RT
    #[arg(long)]
    pub(super) rt: Option<String>,
    /// Only who was never recorded
    #[arg(long, group = "card")]
    pub(super) not_recorded: bool,
    /// Only who turns 17 within so many months
    #[arg(long, value_name = "MONTHS", group = "card", value_parser = clap::value_parser!(u32).range(1..=24))]
    pub(super) turning_17: Option<u32>,
    /// Only whose card lies ready for so many days
    #[arg(long, value_name = "DAYS", group = "card", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(super) uncollected: Option<u32>,
    /// Only who has this paper: ktp-el, kia, kk, …
    #[arg(long, value_name = "PAPER")]
    pub(super) document: Option<Document>,
    /// Only who is answered in this language: id or en
    #[arg(long)]
    pub(super) language: Option<Language>,
    /// Only whom this spreadsheet names, by number or by the reference of a message
    #[arg(long, value_name = "FILE")]
    pub(super) list: Option<PathBuf>,
    /// A picture (JPEG, PNG up to 5 MB) or a PDF (up to 10 MB) that goes with it, but not by SMS
    #[arg(long, value_name = "FILE")]
    pub(super) attach: Option<PathBuf>,
    /// Once, at this moment: 2026-11-24T08:00:00+07:00
    #[arg(long, value_name = "MOMENT", conflicts_with = "cron")]
    pub(super) at: Option<String>,
    /// Again and again: minute, hour, day, month, weekday by name, like "0 8 * * MON"
    #[arg(long, value_name = "FIELDS")]
    pub(super) cron: Option<String>,
}
