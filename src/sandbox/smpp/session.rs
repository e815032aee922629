//! One link of a sender to the message centre: binding, answering, and bringing deliveries.

use std::collections::HashMap;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{
    BindReceiverResp, BindTransceiverResp, BindTransmitterResp, SubmitSm, SubmitSmResp,
};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::{AnyOctetString, COctetString};
use rusmpp::values::InterfaceVersion;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use subtle::ConstantTimeEq as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use super::centre::Order;
use super::submit::{self, Reply};
use super::{SmppAccount, accounts};
use crate::sandbox::Sandbox;

/// What the centre calls itself.
const NAME: &[u8] = b"KABAR-SMSC\0";
/// The longest PDU that is read.
const MAX_PDU: usize = 70_000;
/// Deliveries without an answer at once on one link.
const MAX_DELIVERIES: usize = 10;
/// Submissions without an answer at once on one link.
const MAX_SUBMISSIONS: usize = 1_000;

/// Command statuses (SMPP 3.4, 5.1.3).
const UNKNOWN_COMMAND: u32 = 0x03;
const BIND_STATE: u32 = 0x04;
const ALREADY_BOUND: u32 = 0x05;
const PASSWORD: u32 = 0x0e;
const SYSTEM_ID: u32 = 0x0f;
const THROTTLED: u32 = 0x58;

/// What a link may do.
#[derive(Clone)]
struct Bound {
    account: SmppAccount,
    submits: bool,
}

/// What comes next.
enum Next {
    /// Go on.
    On,
    /// Hang up after what is written.
    End,
}

struct Session {
    sandbox: Sandbox,
    link: u64,
    framed: Framed<TcpStream, CommandCodec>,
    bound: Option<Bound>,
    orders: mpsc::Receiver<Order>,
    brings: mpsc::Sender<Order>,
    /// Deliveries that wait for their answers.
    brought: HashMap<u32, oneshot::Sender<u32>>,
    sequence: u32,
    /// Submissions whose answers are still to come.
    under_way: FuturesUnordered<BoxFuture<'static, (u32, Reply)>>,
}

/// Ends what the centre knows of a link, however that ends.
struct Leaving(Sandbox, u64);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.0.centre.unbind(self.1);
    }
}

/// Speaks with a sender until either hangs up.
pub(super) async fn converse(sandbox: Sandbox, stream: TcpStream, ending: CancellationToken) {
    // Answers are small and waited for.
    let _ = stream.set_nodelay(true);
    let link = sandbox.serial();
    let _leaving = Leaving(sandbox.clone(), link);
    let (brings, orders) = mpsc::channel(MAX_DELIVERIES);
    let mut session = Session {
        sandbox,
        link,
        framed: Framed::new(stream, CommandCodec::new().with_max_length(MAX_PDU)),
        bound: None,
        orders,
        brings,
        brought: HashMap::new(),
        sequence: 0,
        under_way: FuturesUnordered::new(),
    };
    tokio::select! {
        () = session.run() => {}
        () = ending.cancelled() => {}
    }
}

impl Session {
    async fn run(&mut self) {
        loop {
            // Answers that nobody waits for any more.
            self.brought.retain(|_, answer| !answer.is_closed());
            let may_bring = self.brought.len() < MAX_DELIVERIES;
            let next = tokio::select! {
                command = self.framed.next() => match command {
                    Some(Ok(command)) => self.hear(command).await,
                    _ => return,
                },
                Some(order) = self.orders.recv(), if may_bring => self.bring(order).await,
                Some((sequence, reply)) = self.under_way.next(), if !self.under_way.is_empty() => {
                    match reply {
                        Reply::Answer(status, id) => self.answer(sequence, status, id).await,
                        Reply::HangUp => return,
                        Reply::Nonsense => {
                            // As if something else had got hold of the port.
                            let nonsense = b"HTTP/1.1 502 Bad Gateway\r\n\r\n";
                            let _ = self.framed.get_mut().write_all(nonsense).await;
                            return;
                        }
                    }
                }
            };
            if matches!(next, Next::End) {
                return;
            }
        }
    }

    async fn say(&mut self, command: Command) -> Next {
        match self.framed.send(command).await {
            Ok(()) => Next::On,
            Err(_) => Next::End,
        }
    }

    /// An answer without a body, as real centres give it with a status.
    async fn bare(&mut self, id: CommandId, sequence: u32, status: u32) -> Next {
        let pdu = Pdu::Other { command_id: id, body: AnyOctetString::from_static_slice(b"") };
        self.say(Command::new(CommandStatus::from(status), sequence, pdu)).await
    }

    async fn hear(&mut self, command: Command) -> Next {
        let (id, sequence) = (command.id(), command.sequence_number());
        let status = u32::from(command.status());
        let ok = |pdu: Pdu| Command::new(CommandStatus::EsmeRok, sequence, pdu);
        match (id, command.pdu().cloned()) {
            (CommandId::EnquireLink, _) => self.say(ok(Pdu::EnquireLinkResp)).await,
            (CommandId::Unbind, _) => {
                self.say(ok(Pdu::UnbindResp)).await;
                Next::End
            }
            (_, Some(Pdu::BindTransceiver(bind))) => {
                let name = (bind.system_id.as_str(), bind.password.as_str());
                self.bind(id, sequence, name, true, true).await
            }
            (_, Some(Pdu::BindTransmitter(bind))) => {
                let name = (bind.system_id.as_str(), bind.password.as_str());
                self.bind(id, sequence, name, true, false).await
            }
            (_, Some(Pdu::BindReceiver(bind))) => {
                let name = (bind.system_id.as_str(), bind.password.as_str());
                self.bind(id, sequence, name, false, true).await
            }
            (_, Some(Pdu::SubmitSm(submit))) => self.submit(sequence, &submit).await,
            (CommandId::DeliverSmResp | CommandId::GenericNack, _) => {
                if let Some(answer) = self.brought.remove(&sequence) {
                    let is_nack = id == CommandId::GenericNack;
                    // Who brings it may have given up waiting.
                    let _ = answer.send(if is_nack { status.max(1) } else { status });
                }
                Next::On
            }
            _ if id.is_response() => Next::On,
            _ => {
                let status = CommandStatus::from(UNKNOWN_COMMAND);
                self.say(Command::new(status, sequence, Pdu::GenericNack)).await
            }
        }
    }

    async fn bind(
        &mut self,
        id: CommandId,
        sequence: u32,
        (system_id, password): (&str, &str),
        submits: bool,
        receives: bool,
    ) -> Next {
        let answer_id = id.matching_response();
        if self.bound.is_some() {
            return self.bare(answer_id, sequence, ALREADY_BOUND).await;
        }
        let known = accounts(&self.sandbox).find(|account| account.system_id == system_id);
        let Some(account) = known.cloned() else {
            self.bare(answer_id, sequence, SYSTEM_ID).await;
            return Next::End;
        };
        if !bool::from(account.password.as_bytes().ct_eq(password.as_bytes())) {
            self.bare(answer_id, sequence, PASSWORD).await;
            return Next::End;
        }
        if receives {
            self.sandbox.0.centre.bind(self.link, &account.id, self.brings.clone());
        }
        self.bound = Some(Bound { account, submits });
        let name = COctetString::from_static_slice(NAME).unwrap_or_default();
        let version = Some(InterfaceVersion::Smpp3_4);
        let pdu: Pdu = match id {
            CommandId::BindTransmitter => BindTransmitterResp::new(name, version).into(),
            CommandId::BindReceiver => BindReceiverResp::new(name, version).into(),
            _ => BindTransceiverResp::new(name, version).into(),
        };
        self.say(Command::new(CommandStatus::EsmeRok, sequence, pdu)).await
    }

    async fn submit(&mut self, sequence: u32, submit: &SubmitSm) -> Next {
        let Some(bound) = self.bound.clone().filter(|bound| bound.submits) else {
            return self.answer(sequence, BIND_STATE, String::new()).await;
        };
        if self.under_way.len() >= MAX_SUBMISSIONS {
            return self.answer(sequence, THROTTLED, String::new()).await;
        }
        let rest = submit::judge(&self.sandbox, &bound.account, submit);
        let sandbox = self.sandbox.clone();
        self.under_way.push(Box::pin(async move { (sequence, rest.reply(&sandbox).await) }));
        Next::On
    }

    async fn answer(&mut self, sequence: u32, status: u32, id: String) -> Next {
        if status != 0 {
            return self.bare(CommandId::SubmitSmResp, sequence, status).await;
        }
        let id = COctetString::from_string(id).unwrap_or_default();
        let pdu = SubmitSmResp::builder().message_id(id).build();
        self.say(Command::new(CommandStatus::EsmeRok, sequence, pdu)).await
    }

    async fn bring(&mut self, order: Order) -> Next {
        self.sequence = self.sequence % 0x7fff_ffff + 1;
        self.brought.insert(self.sequence, order.answer);
        self.say(Command::new(CommandStatus::EsmeRok, self.sequence, order.delivery)).await
    }
}
