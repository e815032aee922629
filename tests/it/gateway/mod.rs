//! One suite that every SMS gateway passes, on both engines: the whole service on our side, the
//! sandbox in the provider's place, the real wire between them, and one clock for both.
//!
//! A gateway joins with a file of its own beside this one, which says in a [`Gateway`] what the
//! provider can do and how both sides are configured and ends with `gateway_suite!(GATEWAY);`, and
//! with its `mod` line below. No test is left out for a gateway: where a provider cannot do a
//! thing, the test expects what then happens instead.

mod desk;
mod inbound;
mod outcome;
mod proof;
mod receipt;
mod send;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use kabar::sandbox::{Counterpart, Sandbox};
use tokio::net::TcpListener;

pub use proof::Proof;

/// Makes all tests of the suite for one gateway, `name::sqlite` and `name::postgres` of each.
macro_rules! gateway_suite {
    ($gateway:ident) => {
        $crate::gateway::gateway_suite! { $gateway:
            send::an_announcement_reaches_the_phone_once_and_is_sent,
            send::a_long_text_arrives_whole_and_in_one_piece,
            send::letters_outside_the_sms_alphabet_arrive_unchanged,
            send::a_throttled_account_pauses_and_burns_no_message,
            send::a_refused_message_fails_with_a_code_and_a_reason_without_personal_data,
            send::a_gateway_that_refuses_connections_delays_no_other_account,
            send::a_gateway_that_never_answers_delays_no_other_account,
            outcome::a_connection_cut_after_the_message_was_taken_is_settled_by_the_receipt,
            outcome::a_connection_cut_without_a_receipt_is_tried_again_after_its_wait,
            outcome::an_answer_that_comes_too_late_is_settled_by_the_receipt,
            outcome::an_error_after_the_message_was_taken_is_settled_by_the_receipt,
            outcome::an_answer_nobody_can_read_misses_nobody,
            outcome::a_crash_after_the_message_was_taken_is_settled_by_the_receipt,
            receipt::a_receipt_says_that_the_message_was_delivered,
            receipt::receipts_in_the_wrong_order_end_at_delivered,
            receipt::a_receipt_before_the_answer_to_its_own_call_is_not_lost,
            receipt::receipts_that_come_twice_change_nothing,
            receipt::a_receipt_of_failure_ends_the_message_with_its_reason,
            inbound::who_asks_by_sms_gets_one_answer,
            inbound::a_webhook_that_comes_twice_is_answered_once,
            inbound::who_writes_stop_hears_nothing_more,
            inbound::a_webhook_without_its_proof_is_refused_and_stores_nothing,
            inbound::a_receipt_without_its_proof_is_refused_and_stores_nothing,
        }
    };
    ($gateway:ident: $($part:ident::$name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test]
            async fn sqlite() {
                let test = async |start| {
                    $crate::gateway::$part::$name(start, &super::$gateway).await;
                };
                $crate::support::run(kabar::store::Engine::Sqlite, test).await;
            }

            #[tokio::test]
            async fn postgres() {
                let test = async |start| {
                    $crate::gateway::$part::$name(start, &super::$gateway).await;
                };
                $crate::support::run(kabar::store::Engine::Postgres, test).await;
            }
        }
    )+};
}
pub(crate) use gateway_suite;

mod android;
mod kannel;
mod smpp;
mod twilio;
mod zenziva;

/// Something of a gateway that runs as long as a test.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A gateway, as far as the suite must know it.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each says one thing that a provider can or cannot do"
)]
pub struct Gateway {
    /// Its name in the configuration, in faults, and as the account of the tests.
    pub name: &'static str,
    /// It says later what became of a message.
    pub has_receipts: bool,
    /// Citizens can answer.
    pub is_two_way: bool,
    /// Its receipts name our own id, so that one settles a call whose answer was lost.
    pub has_echo: bool,
    /// An answer that comes too late for its call still settles the message.
    pub hears_late_answers: bool,
    /// It takes an id once only, so that a call may be repeated without doubling the message.
    pub repeat_is_safe: bool,
    /// Its answer names the message by an id of its own, which stands on the phone as well.
    pub names_message: bool,
    /// A message leaves on a link that is kept, not with a request of its own.
    pub has_link: bool,
    /// What proves that a request at our webhook is its own.
    pub proof: Proof,
    /// The account's keys in the configuration.
    pub keys: fn(&Place) -> toml::Table,
    /// The provider's side of the same account.
    pub counterpart: fn(&Place) -> Counterpart,
    /// Starts what the provider needs besides the sandbox's HTTP routes, on a port of its own.
    pub start: fn(Sandbox, TcpListener) -> Option<Running>,
}

impl Gateway {
    /// A provider over HTTP that says nothing later and takes no answers.
    pub const PLAIN: Self = Self {
        name: "",
        has_receipts: false,
        is_two_way: false,
        has_echo: false,
        hears_late_answers: false,
        repeat_is_safe: false,
        names_message: true,
        has_link: false,
        proof: Proof::NoWebhook,
        keys: |_| toml::Table::new(),
        counterpart: |_| panic!("the gateway says who plays its provider"),
        start: |_, _| None,
    };
}

/// Where both sides of an account meet.
#[derive(Clone, Debug)]
pub struct Place {
    /// The account, by the same name on both sides.
    pub id: String,
    /// Where the provider listens for HTTP, without a path and a slash at the end.
    pub api_url: String,
    /// Where it listens for whatever else it speaks.
    pub link: SocketAddr,
    /// Where it calls us.
    pub hook_url: String,
}

/// The number from which the office writes.
pub const SENDER: &str = "+6281100000001";
