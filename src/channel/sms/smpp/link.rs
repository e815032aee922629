//! One bound connection to a message centre: what is submitted over it and waits for its answer,
//! and the loops that read, write, keep it alive and have deliveries stored.
//!
//! Knows for each submission whether it was written, because only then its outcome can be unknown.
//! Everything that waits is bounded; nothing is decided here about messages.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::SubmitSm;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, FramedWrite};
use tokio_util::sync::CancellationToken;

use super::desk::{Delivery, Desk};
use super::pdu::{self, Codec, Frame, c_string, command};
use crate::domain::id::MessageId;

/// How often the centre is asked whether it is still there.
const ENQUIRE_EVERY: Duration = Duration::from_secs(30);
/// So many questions without any sign of life end the link.
const MAX_UNANSWERED: u32 = 2;
/// PDUs that wait to be written.
const MAX_OUTGOING: usize = 64;
/// Deliveries that wait to be stored; one more is refused for now.
const MAX_DELIVERIES: usize = 500;
/// Deliveries stored at once.
const BATCH: usize = 100;
/// How often texts are looked for whose parts do not come.
const PASS_ON_EVERY: Duration = Duration::from_secs(5);
/// Submissions given up whose answer may still come.
const MAX_LATE: usize = 1_000;
/// How long the end of a link may take.
const PARTING: Duration = Duration::from_secs(5);
/// The centre shall bring it again.
const AGAIN: u32 = 0x64;
/// The centre does not know such a command, and neither do we.
const UNKNOWN_COMMAND: u32 = 0x03;
/// Sequence numbers go from 1 to this (SMPP 3.4, 5.1.4).
const MAX_SEQUENCE: u32 = 0x7fff_ffff;

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The centre answered; the id is as it wrote it.
    Answered { status: u32, id: String },
    /// It was never written.
    NotWritten,
    /// The link broke after it was written.
    Lost,
    /// It was written, and no answer came in time.
    Overdue,
}

/// A submission that waits for its answer.
#[derive(Debug)]
struct Waiting {
    reply: oneshot::Sender<Outcome>,
    is_written: bool,
    /// Whose fate its answer settles, should it come too late.
    settles: Option<MessageId>,
}

#[derive(Debug, Default)]
struct Book {
    waiting: HashMap<u32, Waiting>,
    late: VecDeque<(u32, MessageId)>,
}

/// A link, as those see it who submit.
#[derive(Debug)]
pub(super) struct Link {
    /// What the centre calls itself.
    pub(super) centre: String,
    outgoing: mpsc::Sender<Command>,
    book: Mutex<Book>,
    sequence: AtomicU32,
    unanswered: AtomicU32,
    settled: Notify,
}

/// The other half: what the loops need.
pub(super) struct Ends {
    reader: FramedRead<OwnedReadHalf, Codec>,
    writer: FramedWrite<OwnedWriteHalf, Codec>,
    queue: mpsc::Receiver<Command>,
}

/// Why there is no link.
#[derive(Debug)]
pub(super) enum BindError {
    /// The centre refused with that status.
    Refused(u32),
    /// It cannot be reached, or does not behave like a message centre.
    Unreachable(&'static str),
}

/// Connects and binds.
pub(super) async fn open(
    host: &str,
    port: u16,
    bind: rusmpp::pdus::BindTransceiver,
    timeout: Duration,
) -> Result<(Link, Ends), BindError> {
    let attempt = async {
        let stream = TcpStream::connect((host, port))
            .await
            .map_err(|_| BindError::Unreachable("the message centre could not be reached"))?;
        // Answers are a few octets each and awaited by somebody.
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        let mut reader = FramedRead::new(read, Codec::new());
        let mut writer = FramedWrite::new(write, Codec::new());
        let lost = || BindError::Unreachable("the message centre hung up");
        let command = Command::new(CommandStatus::EsmeRok, 1, bind);
        writer.send(command).await.map_err(|_| lost())?;
        let answer = loop {
            let frame = reader.next().await.and_then(Result::ok).ok_or_else(lost)?;
            let is_answer =
                matches!(frame.command, command::BIND_TRANSCEIVER_RESP | command::GENERIC_NACK);
            if is_answer {
                break frame;
            }
        };
        if answer.status != 0 || answer.command == command::GENERIC_NACK {
            return Err(BindError::Refused(answer.status));
        }
        let (outgoing, queue) = mpsc::channel(MAX_OUTGOING);
        let centre: String =
            c_string(&answer.body).chars().filter(|c| !c.is_control()).take(40).collect();
        let link = Link {
            centre,
            outgoing,
            book: Mutex::default(),
            sequence: AtomicU32::new(1),
            unanswered: AtomicU32::new(0),
            settled: Notify::new(),
        };
        Ok((link, Ends { reader, writer, queue }))
    };
    let too_late = BindError::Unreachable("the message centre did not answer in time");
    tokio::time::timeout(timeout, attempt).await.unwrap_or(Err(too_late))
}

/// Gives a submission up when its sender does, so that nothing waits for nobody.
struct GiveUp<'a> {
    link: &'a Link,
    sequence: u32,
}

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        self.link.give_up(self.sequence);
    }
}

/// Lets go of those who wait, however the loops end.
struct Closing<'a>(&'a Link);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Link {
    /// Submits, and waits for the answer until `deadline`. An answer after that is still noted if
    /// it `settles` a message.
    pub(super) async fn submit(
        &self,
        submit: SubmitSm,
        settles: Option<MessageId>,
        deadline: Instant,
    ) -> Outcome {
        let sequence = self.next();
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { reply, is_written: false, settles };
        self.book().waiting.insert(sequence, waiting);
        let _guard = GiveUp { link: self, sequence };
        let command = Command::new(CommandStatus::EsmeRok, sequence, submit);
        let exchange = async {
            if self.outgoing.send(command).await.is_err() {
                return Outcome::NotWritten;
            }
            answer.await.unwrap_or(Outcome::Lost)
        };
        match tokio::time::timeout_at(deadline, exchange).await {
            Ok(outcome) => outcome,
            Err(_) if self.give_up(sequence) => Outcome::Overdue,
            Err(_) => Outcome::NotWritten,
        }
    }

    /// Stops waiting; tells whether it was written.
    fn give_up(&self, sequence: u32) -> bool {
        let mut book = self.book();
        let Some(waiting) = book.waiting.remove(&sequence) else { return true };
        if let Some(message) = waiting.settles.filter(|_| waiting.is_written) {
            book.late.push_back((sequence, message));
            if book.late.len() > MAX_LATE {
                book.late.pop_front();
            }
        }
        drop(book);
        self.settled.notify_waiters();
        waiting.is_written
    }

    fn next(&self) -> u32 {
        // 1 was the bind; after the last number comes 2 again.
        let step = |last: u32| Some(if last >= MAX_SEQUENCE { 2 } else { last + 1 });
        let last = self.sequence.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
        step(last.unwrap_or_default()).unwrap_or(2)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more comes over this link.
    fn close(&self) {
        let waiting = std::mem::take(&mut self.book().waiting);
        for waiting in waiting.into_values() {
            let outcome = if waiting.is_written { Outcome::Lost } else { Outcome::NotWritten };
            // Nobody may be waiting any more.
            let _ = waiting.reply.send(outcome);
        }
    }

    /// Serves the link until it breaks or `stop`; then it is unbound in good order.
    pub(super) async fn serve(&self, ends: Ends, desk: &mut Desk, stop: &CancellationToken) {
        let Ends { reader, writer, queue } = ends;
        let (deliveries, waiting) = mpsc::channel(MAX_DELIVERIES);
        let (late, late_answers) = mpsc::channel(BATCH);
        // Declared first, so that it is dropped after the loops and their queue.
        let closing = Closing(self);
        let loops = async {
            tokio::select! {
                () = self.read(reader, deliveries, late) => {}
                () = self.write(writer, queue) => {}
                () = self.keep_alive() => {}
                () = self.keep(desk, waiting, late_answers) => {}
                () = self.part(stop) => {}
            }
        };
        loops.await;
        drop(closing);
    }

    /// Reads until the connection ends or the centre unbinds.
    async fn read(
        &self,
        mut reader: FramedRead<OwnedReadHalf, Codec>,
        deliveries: mpsc::Sender<Delivery>,
        late: mpsc::Sender<(MessageId, String, u32)>,
    ) {
        while let Some(Ok(frame)) = reader.next().await {
            self.unanswered.store(0, Ordering::Relaxed);
            let Frame { command, sequence, status, body } = frame;
            let answer = match command {
                command::DELIVER_SM => match deliveries.try_send(Delivery { sequence, body }) {
                    Ok(()) => continue,
                    Err(_) => pdu::deliver_resp(sequence, AGAIN),
                },
                command::ENQUIRE_LINK => ok(sequence, Pdu::EnquireLinkResp),
                command::UNBIND => {
                    let _ = self.outgoing.send(ok(sequence, Pdu::UnbindResp)).await;
                    // The answer is on its way; the centre closes the connection.
                    let _ = tokio::time::timeout(PARTING, reader.next()).await;
                    return;
                }
                command::UNBIND_RESP => return,
                command::OUTBIND | command::ALERT_NOTIFICATION => continue,
                command::SUBMIT_SM_RESP | command::GENERIC_NACK => {
                    let id = c_string(&body);
                    // A refusal of the whole PDU is one even if it says "ok".
                    let is_nack = command == command::GENERIC_NACK;
                    let status = if is_nack && status == 0 { UNKNOWN_COMMAND } else { status };
                    if let Some(message) = self.answered(sequence, status, &id) {
                        // More of them at once than that are not worth holding up the link.
                        let _ = late.try_send((message, id, status));
                    }
                    continue;
                }
                _ if command & command::ANSWER != 0 => continue,
                _ => Command::new(CommandStatus::from(UNKNOWN_COMMAND), sequence, Pdu::GenericNack),
            };
            if self.outgoing.send(answer).await.is_err() {
                return;
            }
        }
    }

    /// Hands an answer to who waits for it; tells whose fate it settles if nobody does any more.
    fn answered(&self, sequence: u32, status: u32, id: &str) -> Option<MessageId> {
        let mut book = self.book();
        if let Some(waiting) = book.waiting.remove(&sequence) {
            let settles = waiting.settles;
            let outcome = Outcome::Answered { status, id: id.to_owned() };
            let is_heard = waiting.reply.send(outcome).is_ok();
            drop(book);
            self.settled.notify_waiters();
            return settles.filter(|_| !is_heard);
        }
        let at = book.late.iter().position(|(late, _)| *late == sequence)?;
        book.late.remove(at).map(|(_, message)| message)
    }

    /// Writes until the connection ends.
    async fn write(
        &self,
        mut writer: FramedWrite<OwnedWriteHalf, Codec>,
        mut queue: mpsc::Receiver<Command>,
    ) {
        while let Some(command) = queue.recv().await {
            if matches!(command.pdu(), Some(Pdu::SubmitSm(_))) {
                match self.book().waiting.get_mut(&command.sequence_number()) {
                    Some(waiting) => waiting.is_written = true,
                    // Given up before it was written, so it never is.
                    None => continue,
                }
            }
            if writer.send(command).await.is_err() {
                return;
            }
        }
    }

    /// Asks the centre whether it is there, until it is not.
    async fn keep_alive(&self) {
        let mut ticks = tokio::time::interval(ENQUIRE_EVERY);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if self.unanswered.fetch_add(1, Ordering::Relaxed) >= MAX_UNANSWERED {
                return;
            }
            let question = Command::new(CommandStatus::EsmeRok, self.next(), Pdu::EnquireLink);
            // A queue that is full has not been written for long: that tells as much.
            let _ = self.outgoing.try_send(question);
        }
    }

    /// Has deliveries stored, as many at once as wait, and answers them.
    async fn keep(
        &self,
        desk: &mut Desk,
        mut waiting: mpsc::Receiver<Delivery>,
        mut late: mpsc::Receiver<(MessageId, String, u32)>,
    ) {
        let mut ticks = tokio::time::interval(PASS_ON_EVERY);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = waiting.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    for answer in desk.take(&batch).await {
                        let resp = pdu::deliver_resp(answer.sequence, answer.status);
                        if self.outgoing.send(resp).await.is_err() {
                            return;
                        }
                    }
                    batch.clear();
                }
                Some((message, id, status)) = late.recv() => {
                    desk.note_late(message, &id, status).await;
                }
                _ = ticks.tick() => desk.pass_on(false).await,
            }
        }
    }

    /// At `stop`, waits for the answers still to come and unbinds. The centre's answer to that, or
    /// its hanging up, ends the reading.
    async fn part(&self, stop: &CancellationToken) {
        stop.cancelled().await;
        let all_settled = async {
            loop {
                let settled = self.settled.notified();
                if self.book().waiting.is_empty() {
                    return;
                }
                settled.await;
            }
        };
        let _ = tokio::time::timeout(PARTING, all_settled).await;
        let unbind = Command::new(CommandStatus::EsmeRok, self.next(), Pdu::Unbind);
        let _ = self.outgoing.send(unbind).await;
        tokio::time::sleep(PARTING).await;
    }
}

fn ok(sequence: u32, pdu: Pdu) -> Command {
    Command::new(CommandStatus::EsmeRok, sequence, pdu)
}

/// Takes leave of a centre that was only asked whether it would bind.
pub(super) async fn leave(ends: Ends) {
    let Ends { mut reader, mut writer, .. } = ends;
    let parting = async {
        let unbind = Command::new(CommandStatus::EsmeRok, 2, Pdu::Unbind);
        if writer.send(unbind).await.is_ok() {
            while let Some(Ok(frame)) = reader.next().await {
                if frame.command == command::UNBIND_RESP {
                    return;
                }
            }
        }
    };
    let _ = tokio::time::timeout(PARTING, parting).await;
}
