//! The office's accounts at providers, one `[[account]]` each: the keys every account has, and those
//! its provider reads.

use std::time::Duration;

use toml::{Table, Value};

use super::{ConfigError, wrong};
use crate::channel::Provider;
use crate::domain::area::AreaCode;
use crate::domain::message::ChannelKind;

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name, which stands in webhook addresses.
    pub id: String,
    /// Its channel.
    pub channel: ChannelKind,
    /// Whose citizens it serves; none for all.
    pub area: Option<AreaCode>,
    /// Messages that may leave in a time.
    pub rate: (u32, Duration),
    /// Requests at the same time.
    pub in_flight: usize,
    /// Price of one SMS segment.
    pub rupiah_per_segment: Option<u32>,
    /// Price of one message of a broadcast on a channel without segments.
    pub rupiah_per_message: Option<u32>,
    /// Recipients of broadcasts within a day.
    pub daily_limit: Option<u32>,
    /// What its provider needs.
    pub provider: Provider,
}

/// Reads the `[[account]]` tables.
pub(super) fn read(name: &str, tables: Vec<Table>) -> Result<Vec<Account>, ConfigError> {
    let mut accounts: Vec<Account> = Vec::new();
    for (n, table) in tables.into_iter().enumerate() {
        let account = read_one(name, n, table)?;
        if accounts.iter().any(|other| other.id == account.id) {
            return Err(wrong(
                format!("{name}: two accounts have the id {}", account.id),
                "give each its own",
            ));
        }
        accounts.push(account);
    }
    Ok(accounts)
}

fn read_one(name: &str, n: usize, mut table: Table) -> Result<Account, ConfigError> {
    let word = |table: &mut Table, key: &str| match table.remove(key) {
        None => Ok(String::new()),
        Some(Value::String(word)) => Ok(word),
        Some(_) => {
            Err(wrong(format!("{name}: account {}: {key} is no text", n + 1), "write it in quotes"))
        }
    };
    let id = word(&mut table, "id")?;
    if !super::is_name(&id) {
        return Err(wrong(
            format!("{name}: account {}: id is missing or not usable", n + 1),
            "small letters, digits and dashes, like \"wa-jombang\"",
        ));
    }
    let at = |key: &str, what: &str, hint: &str| {
        wrong(format!("{name}: account {id}: {key} {what}"), hint)
    };
    let channel: ChannelKind = word(&mut table, "channel")?
        .parse()
        .map_err(|_| at("channel", "is missing or unknown", "whatsapp, telegram or sms"))?;
    let area = word(&mut table, "area")?;
    let area = (!area.is_empty())
        .then(|| AreaCode::parse(&area))
        .transpose()
        .map_err(|_| at("area", "is not usable", "an area code is written like 35.17"))?;
    let number = |table: &mut Table, key: &str| match table.remove(key) {
        None => Ok(None),
        Some(Value::Integer(number)) if (1..=1_000_000).contains(&number) => {
            Ok(u32::try_from(number).ok())
        }
        Some(_) => Err(at(key, "is not usable", "a whole number from 1 to 1000000")),
    };
    let per_second = number(&mut table, "messages_per_second")?;
    let per_hour = number(&mut table, "messages_per_hour")?;
    let in_flight = number(&mut table, "in_flight")?;
    let rupiah_per_segment = number(&mut table, "rupiah_per_segment")?;
    let rupiah_per_message = number(&mut table, "rupiah_per_message")?;
    let daily_limit = number(&mut table, "daily_limit")?;
    if per_second.is_some() && per_hour.is_some() {
        let hint = "give one of messages_per_second and messages_per_hour";
        return Err(at("messages_per_hour", "stands beside messages_per_second", hint));
    }
    let gateway = word(&mut table, "gateway")?;
    let provider = Provider::read(channel, &gateway, table)
        .map_err(|error| at(&format!("{}:", error.key), &error.what, &error.hint))?;
    let (messages, per, places) = provider.pace();
    let rate = match (per_second, per_hour) {
        (Some(messages), _) => (messages, Duration::from_secs(1)),
        (_, Some(messages)) => (messages, Duration::from_secs(3600)),
        _ => (messages, per),
    };
    Ok(Account {
        channel,
        area,
        rate,
        in_flight: in_flight.map_or(places, |n| n as usize),
        rupiah_per_segment,
        rupiah_per_message,
        daily_limit,
        provider,
        id,
    })
}
