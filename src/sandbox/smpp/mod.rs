//! A message centre speaking SMPP 3.4, played locally.
//!
//! Listens on a port of its own ([`Sandbox::serve_smpp`]), lets accounts bind as often as they
//! like, takes their messages to the phones, and brings receipts and citizens' messages to
//! whichever link of the account receives. Refuses what a strict centre refuses.

mod centre;
mod session;
mod submit;
mod text;

use std::future::Future;

use axum::Router;
use rusmpp::pdus::DeliverSm;
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, Npi, Ton};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fault::FaultKind;
use super::{Bubble, Input, Mark, Sandbox, Side, WriteError};

pub(super) use centre::Centre;

/// The longest text of a citizen, in characters.
const MAX_TEXT: usize = 4_096;
/// Links that may be open at once.
const MAX_LINKS: usize = 100;

/// An account at the message centre.
#[derive(Clone)]
pub struct SmppAccount {
    /// Its name among all accounts of the sandbox.
    pub id: String,
    /// What stands above a chat with it.
    pub label: String,
    /// The account.
    pub system_id: String,
    /// Its password.
    pub password: String,
    /// The number or name it sends from.
    pub sender: String,
}

/// SMPP has a port of its own, and no routes.
pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
}

impl Sandbox {
    /// Plays the message centre on `listener` until `shutdown` is done or the sandbox ends. Receipts
    /// and citizens' messages are brought by [`Sandbox::run`] beside it.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve_smpp(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        // Links end with this, however it ends.
        let mut links = JoinSet::new();
        let ending = CancellationToken::new();
        let mut shutdown = std::pin::pin!(shutdown);
        let result = loop {
            tokio::select! {
                () = &mut shutdown => break Ok(()),
                () = self.0.closing.cancelled() => break Ok(()),
                Some(_) = links.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if links.len() < MAX_LINKS => {
                        links.spawn(session::converse(self.clone(), stream, ending.clone()));
                    }
                    Ok(_) => {}
                    Err(error) => break Err(error),
                },
            }
        };
        ending.cancel();
        while links.join_next().await.is_some() {}
        result
    }
}

/// The account of that id.
fn account<'a>(sandbox: &'a Sandbox, id: &str) -> Option<&'a SmppAccount> {
    accounts(sandbox).find(|account| account.id == id)
}

fn accounts(sandbox: &Sandbox) -> impl Iterator<Item = &SmppAccount> {
    sandbox.0.settings.others.iter().filter_map(|other| match other {
        super::Counterpart::Smpp(account) => Some(account),
        _ => None,
    })
}

/// A message id of this centre: eight hexadecimal digits.
fn message_id(sandbox: &Sandbox) -> String {
    let serial = sandbox.0.seed.wrapping_add(sandbox.serial());
    format!("{:08X}", serial & 0xffff_ffff)
}

/// A number or name as it stands in an address, with its kind.
fn address(text: &str) -> (Ton, Npi, COctetString<1, 21>) {
    let plain = text.trim_start_matches('+');
    let (ton, npi) = match plain {
        _ if plain.is_empty() || !plain.bytes().all(|octet| octet.is_ascii_digit()) => {
            (Ton::Alphanumeric, Npi::Unknown)
        }
        _ if plain.len() < 8 => (Ton::NetworkSpecific, Npi::Unknown),
        _ => (Ton::International, Npi::Isdn),
    };
    (ton, npi, COctetString::from_string(plain.to_owned()).unwrap_or_default())
}

/// A `deliver_sm` from a phone to an account.
fn delivery(
    from: &str,
    account: &SmppAccount,
    esm_class: u8,
    data_coding: u8,
    message: Vec<u8>,
) -> DeliverSm {
    let (source_ton, source_npi, source) = address(from);
    let (ton, npi, destination) = address(&account.sender);
    DeliverSm::builder()
        .source_addr_ton(source_ton)
        .source_addr_npi(source_npi)
        .source_addr(source)
        .dest_addr_ton(ton)
        .dest_addr_npi(npi)
        .destination_addr(destination)
        .esm_class(EsmClass::from(esm_class))
        .data_coding(DataCoding::from(data_coding))
        .short_message(OctetString::from_vec(message).unwrap_or_default())
        .build()
}

/// Writes to it as the citizen whose phone has that number.
pub(super) fn write(
    sandbox: &Sandbox,
    account: &SmppAccount,
    number: &str,
    input: Input,
) -> Result<String, WriteError> {
    if sandbox.is_full() {
        return Err(WriteError::Busy);
    }
    let text = match input {
        Input::Text(text) if !text.is_empty() && text.chars().count() <= MAX_TEXT => text,
        Input::Text(_) | Input::Raw(_) => return Err(WriteError::BadText),
        // A phone shows an SMS without anything to press.
        Input::Press { .. } => return Err(WriteError::NoSuchButton),
    };
    let (now, id) = (sandbox.now(), message_id(sandbox));
    let bubble = Bubble {
        id: id.clone(),
        at_ms: now.as_ms(),
        side: Side::Citizen,
        channel: "sms",
        account: account.id.clone(),
        kind: "text".to_owned(),
        header: None,
        text: text.clone(),
        footer: None,
        buttons: Vec::new(),
        menu: None,
        file: None,
        mark: Mark::Accepted,
        error_code: None,
        echo: None,
        is_by_number: true,
    };
    let (line, is_double) = sandbox.change(|memory| {
        memory.phones.show(number, bubble, now);
        let line = memory.phones.get(number).map(|phone| phone.line.clone());
        let double = memory.faults.strike(FaultKind::DuplicateWebhook, "smpp", &[number], now);
        (line.unwrap_or_default(), double.is_some())
    });
    let (data_coding, parts) = text::parts(&text);
    let reference = u8::try_from(sandbox.serial() % 256).unwrap_or_default();
    let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
    let deliveries: Vec<DeliverSm> = (1..=total)
        .zip(parts)
        .map(|(at, part)| {
            if total == 1 {
                return delivery(number, account, 0, data_coding, part);
            }
            let header = [5, 0, 3, reference, total, at];
            delivery(number, account, 0x40, data_coding, [&header[..], &part].concat())
        })
        .collect();
    let (own, account, number, sent_id) =
        (sandbox.clone(), account.id.clone(), number.to_owned(), id.clone());
    sandbox.later(async move {
        let _in_order = line.lock().await;
        own.change(|memory| memory.phones.mark(&number, &sent_id, Mark::Sent, None));
        for delivery in deliveries {
            centre::bring(&own, &account, &delivery, is_double).await;
        }
        own.change(|memory| memory.phones.mark(&number, &sent_id, Mark::Delivered, None));
    });
    Ok(id)
}
