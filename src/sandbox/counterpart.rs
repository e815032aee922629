//! The providers besides Meta that the sandbox plays, and what they have in common. The one place
//! that lists them.

use axum::Router;

use super::android::{self, AndroidPhone};
use super::kannel::{self, KannelUser};
use super::smpp::{self, SmppAccount};
use super::telegram::{self, Bot};
use super::twilio::{self, TwilioAccount};
use super::zenziva::{self, ZenzivaAccount};
use super::{Input, Sandbox, WriteError};

/// One account at a provider that is played here.
#[derive(Clone)]
pub enum Counterpart {
    /// A Telegram bot.
    Telegram(Bot),
    /// A phone with a SIM behind its server.
    Android(AndroidPhone),
    /// An account at Twilio.
    Twilio(TwilioAccount),
    /// An account at Zenziva.
    Zenziva(ZenzivaAccount),
    /// A user of Kannel.
    Kannel(KannelUser),
    /// An account at the message centre.
    Smpp(SmppAccount),
}

impl Counterpart {
    /// Its name among all accounts, by which a citizen's message is addressed to it.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Telegram(account) => &account.id,
            Self::Android(account) => &account.id,
            Self::Twilio(account) => &account.id,
            Self::Zenziva(account) => &account.id,
            Self::Kannel(account) => &account.id,
            Self::Smpp(account) => &account.id,
        }
    }

    /// What stands above a chat with it.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Telegram(account) => &account.label,
            Self::Android(account) => &account.label,
            Self::Twilio(account) => &account.label,
            Self::Zenziva(account) => &account.label,
            Self::Kannel(account) => &account.label,
            Self::Smpp(account) => &account.label,
        }
    }

    /// How its messages travel: `sms` or `telegram`.
    #[must_use]
    pub const fn channel(&self) -> &'static str {
        match self {
            Self::Telegram(_) => "telegram",
            _ => "sms",
        }
    }

    /// Writes to it as the citizen whose phone has that number.
    pub(super) fn write(
        &self,
        sandbox: &Sandbox,
        number: &str,
        input: Input,
    ) -> Result<String, WriteError> {
        match self {
            Self::Telegram(account) => telegram::write(sandbox, account, number, input),
            Self::Android(account) => android::write(sandbox, account, number, input),
            Self::Twilio(account) => twilio::write(sandbox, account, number, input),
            Self::Zenziva(account) => zenziva::write(sandbox, account, number, input),
            Self::Kannel(account) => kannel::write(sandbox, account, number, input),
            Self::Smpp(account) => smpp::write(sandbox, account, number, input),
        }
    }
}

/// The routes of all of them.
pub(super) fn routes() -> Router<Sandbox> {
    Router::new()
        .merge(telegram::routes())
        .merge(android::routes())
        .merge(twilio::routes())
        .merge(zenziva::routes())
        .merge(kannel::routes())
        .merge(smpp::routes())
}
