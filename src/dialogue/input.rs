//! What the conversation is told about one message, and what it gives back.
//!
//! Plain data, filled by the service. The texts in it mask themselves in `Debug`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::domain::area::AreaCode;
use crate::domain::clock::Timestamp;
use crate::domain::home_visit::{HomeVisitWork, VisitFor};
use crate::domain::id::{AppointmentId, HomeVisitId, ServiceSessionId};
use crate::domain::message::ChannelKind;
use crate::domain::outbound::{Choice, Pin};
use crate::domain::round::Answer;
use crate::domain::service_point::PointService;
use crate::domain::survey::{Element, Score};
use crate::domain::ticket::{ComplaintCategory, TicketState};

use super::home_fact::HomeFact;
use super::mention::AreaFact;
use super::place::PointFact;
use super::state::State;
use super::visit_fact::{BookingFact, SessionFact, SlotNow};

/// What a message is remembered as that held a code nobody issued.
pub const CODE_UNKNOWN: &str = "code_unknown";

/// An attempt to tie a chat to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// By a code of the counter.
    Code {
        /// The masked name of whom it belongs to.
        who: String,
    },
    /// By a code that is unknown, used or too old.
    UnknownCode,
    /// By the number its owner handed over.
    Phone,
}

/// What was understood of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meaning {
    /// A label, `clarify` or `out_of_scope`.
    pub intent: String,
    /// From 0 to 1.
    pub confidence: f32,
    /// Labels to offer when asking back, otherwise the next nearest.
    pub alternatives: Vec<String>,
    /// The label of a second question in the same text.
    pub also: Option<String>,
    /// The label of what may be a second question: worth a button.
    pub perhaps: Option<String>,
}

/// One card registered to the phone that writes, in words a citizen reads.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CardFact {
    /// The card's id; comes back in the choice of a card.
    pub id: String,
    /// The holder, masked: `Siti A.`.
    pub who: String,
    /// The paper: `KTP-el`.
    pub document: String,
    /// Where it is, as the vocabulary says it.
    pub status: String,
    /// Since when: `21 November`.
    pub as_of: String,
    /// Where it can be collected, with the hours; only when it can.
    pub place: Option<String>,
    /// Day and window of a home delivery still to come.
    pub appointment: Option<String>,
    /// What to bring or have ready; only together with a place or an appointment.
    pub bring: Option<String>,
    /// It lies ready to be collected.
    pub is_ready: bool,
    /// What would keep it waiting where it is: words of [`OutageKind`](crate::domain::outage::OutageKind).
    pub kept_by: Vec<String>,
    /// Roughly how many cards are before it, as a number in words; "0" for very few.
    pub ahead: Option<String>,
}

/// Something that keeps an office from working where somebody lives.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct OutageFact {
    /// Word of its kind: `no_blanko`, server, printer.
    pub kind: String,
    /// Why, as an officer wrote it.
    pub reason: String,
    /// Since which day, in words.
    pub since: String,
}

/// A card whose delivery was announced and is still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFact {
    /// Its item's id; comes back in the effect.
    pub item: String,
    /// Cards of one visit have the same.
    pub visit: String,
    /// Day and window, as citizens read them.
    pub day: String,
    /// Days on which it may be brought instead, each with its words.
    pub days: Vec<(chrono::NaiveDate, String)>,
}

/// A message reference that stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceFact {
    /// As printed: `K7QX-3M`.
    pub reference: String,
    /// When a message with it was sent; nothing when none was.
    pub sent_on: Option<String>,
    /// Which announcement it was, its kind's word.
    pub kind: String,
    /// About which paper, its word.
    pub document: String,
}

/// A talk with an officer that this chat asked for and that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketFact {
    /// Its place among those that wait, from 1.
    pub place: i64,
    /// An officer has it: the bot keeps silent.
    pub is_taken: bool,
}

/// A number of a complaint that stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComplaintFact {
    /// As printed: `P-7KQ4`.
    pub number: String,
    /// Where it is; nothing when this chat made no complaint with that number.
    pub state: Option<TicketState>,
}

/// What is kept of a chat and of whoever it belongs to, besides the cards themselves.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeptFact {
    /// Since when, in words.
    pub since: String,
    /// Messages that came from it.
    pub received: i64,
    /// Messages that went to it.
    pub sent: i64,
    /// Questions that wait for an answer to be written.
    pub questions: i64,
    /// Since when news is wanted, or is not any more; nothing when nobody said either.
    pub consent_since: Option<String>,
    /// Its owner said that they are somebody else.
    pub is_stranger: bool,
    /// What it put before an officer, the newest first.
    pub tickets: Vec<KeptTicket>,
    /// Codes of its appointments that are open.
    pub appointments: Vec<String>,
    /// Numbers of its requests for officers to come that are open.
    pub home_visits: Vec<String>,
    /// How many people are on file for it.
    pub people: usize,
    /// The one who is, when it is only one: nobody else of a family reads about them.
    pub own: Option<KeptPerson>,
}

/// Something put before an officer.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct KeptTicket {
    /// Word of its kind: human, complaint, deletion.
    pub kind: String,
    /// The number of a complaint.
    pub number: Option<String>,
    /// Word of its state: open, taken, closed.
    pub state: String,
}

/// What is kept of a person.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct KeptPerson {
    /// Masked: `Siti A.`; nothing when no name is kept.
    pub who: Option<String>,
    /// Masked: `+62 812-****-**90`.
    pub phone: Option<String>,
    /// Since when they are on file, in words.
    pub since: String,
    /// Where they live is kept.
    pub has_area: bool,
    /// RT, RW or dusun is kept.
    pub has_address: bool,
    /// Word of the channel they asked to be told on.
    pub channel: Option<String>,
    /// How many states are kept of each card, by its id.
    pub updates: BTreeMap<String, i64>,
}

/// A fact that an answer turned out to need. It costs a look into the database, so it is fetched
/// only then, and the step is taken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// [`Input::number`].
    Number,
    /// [`Input::waiting`] and [`Input::office_opens`].
    Queue,
    /// [`Input::kept`].
    Kept,
    /// [`Input::survey`].
    Survey,
    /// [`Input::points`] and [`Input::areas`].
    Points,
    /// [`Input::deliveries`].
    Deliveries,
    /// [`Input::sessions`].
    Sessions,
    /// [`Input::served_by_visit`].
    Served,
    /// [`Input::booking`].
    Booking,
    /// [`Input::slot`] of that session.
    Slot(ServiceSessionId),
    /// [`Input::home`].
    Home,
    /// [`Input::desas`].
    Desas,
}

/// A citizen's message and the facts it is answered from.
#[derive(Clone)]
pub struct Input {
    /// The text, redacted.
    pub text: String,
    /// A NIK was in it before redaction.
    pub had_nik: bool,
    /// The id of the button or list row that was pressed.
    pub choice: Option<String>,
    /// What was understood of the text.
    pub meaning: Meaning,
    /// The phone is on file for somebody.
    pub is_registered: bool,
    /// The phone asked to stop.
    pub is_opted_out: bool,
    /// The cards registered to the phone.
    pub cards: Vec<CardFact>,
    /// What keeps the office from working just now where they live.
    pub outages: Vec<OutageFact>,
    /// A reference in the text, when there is one.
    pub reference: Option<ReferenceFact>,
    /// What tied this chat to somebody just now, or failed to.
    pub connection: Option<Connection>,
    /// The channels by which the office can tell people.
    pub served: Vec<ChannelKind>,
    /// Those by which it can tell whoever writes.
    pub reachable: Vec<ChannelKind>,
    /// The name of the office.
    pub office: String,
    /// The channel the message came by.
    pub channel: ChannelKind,
    /// Where whoever writes lives, as far as that is known; else where the office is.
    pub area: AreaCode,
    /// Places that serve citizens, the nearest first.
    pub points: Option<Vec<PointFact>>,
    /// What the areas round about are called; comes together with the points.
    pub areas: Vec<AreaFact>,
    /// The talk with an officer that this chat waits for, or has.
    pub ticket: Option<TicketFact>,
    /// The number of a complaint in the text.
    pub complaint: Option<ComplaintFact>,
    /// A number for a new complaint.
    pub number: Option<String>,
    /// How many wait for an officer.
    pub waiting: Option<i64>,
    /// When the office opens next, in words; nothing while it is open.
    pub office_opens: Option<String>,
    /// What is kept of this chat.
    pub kept: Option<KeptFact>,
    /// The elements of the survey, those with the fewest answers first.
    pub survey: Option<Vec<Element>>,
    /// Cards that are on their way home, those of the next visit first.
    pub deliveries: Option<Vec<DeliveryFact>>,
    /// Sessions ahead in the kabupaten of whoever writes, the nearest places first.
    pub sessions: Option<Vec<SessionFact>>,
    /// What is done at them.
    pub served_by_visit: Option<Vec<PointService>>,
    /// The appointments of whoever writes.
    pub booking: Option<BookingFact>,
    /// The session that was picked, as it is at this moment.
    pub slot: Option<SlotNow>,
    /// Requests of whoever writes for officers to come.
    pub home: Option<HomeFact>,
    /// Where officers may be asked to come to: the kecamatan and desa of the office round about.
    pub desas: Option<Vec<AreaFact>>,
    /// The present moment.
    pub now: Timestamp,
}

/// One message to the citizen.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// Up to three are buttons, up to ten a list. Empty on SMS, where they stand in the text.
    pub choices: Vec<Choice>,
    /// A place on the map; the text then says the same for whoever reads it later.
    pub pin: Option<Pin>,
}

impl Reply {
    /// Words without choices.
    pub(super) const fn words(text: String) -> Self {
        Self { text, choices: Vec::new(), pin: None }
    }

    /// A place on the map.
    pub(super) fn place(pin: Pin) -> Self {
        let text = format!("{}, {}", pin.name, pin.address);
        Self { pin: Some(pin), ..Self::words(text) }
    }
}

/// What the office has to do besides answering.
#[derive(Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send nothing more unasked.
    OptOut,
    /// Messages are welcome again.
    OptIn,
    /// Told by this channel first, from now on.
    Prefer(ChannelKind),
    /// The phone does not belong to the people it is on file for: suppress and flag it.
    WrongPerson,
    /// A question without an answer: count it, so that the answer can be written.
    UnknownQuestion,
    /// Somebody wants to talk to an officer.
    OpenTicket,
    /// The talk with an officer is over.
    CloseTicket,
    /// A complaint to be kept.
    Complain {
        /// Its number.
        number: String,
        /// What it is about.
        category: ComplaintCategory,
        /// In the citizen's own words, redacted.
        text: String,
    },
    /// The data of this chat is to be deleted.
    RequestDeletion,
    /// An answer to an announced home delivery.
    AnswerDelivery {
        /// Ids of the items.
        items: Vec<String>,
        /// The answer.
        answer: Answer,
        /// The day wished for instead.
        day: Option<chrono::NaiveDate>,
        /// Who receives it.
        receiver: Option<String>,
    },
    /// They have this card, they say.
    Taken(String),
    /// A rating.
    Rate {
        /// Of what.
        element: Element,
        /// How.
        score: Score,
    },
    /// A place in a session, or in the line for it.
    Book {
        /// Which session.
        session: ServiceSessionId,
        /// What for: a label.
        service: String,
        /// The code that was told.
        code: String,
        /// The papers that they do not have yet, by their names in the files.
        lacks: Vec<String>,
    },
    /// An appointment is cancelled.
    Unbook(AppointmentId),
    /// Officers are asked to come.
    AskVisit {
        /// The number that was told.
        number: String,
        /// To whom.
        whom: VisitFor,
        /// What for.
        work: HomeVisitWork,
        /// To which desa.
        area: AreaCode,
        /// The way there, redacted.
        place: String,
    },
    /// A request for them to come is taken back.
    Withdraw(HomeVisitId),
}

impl Effect {
    /// Its name, without anything a citizen wrote.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::OptIn => "opt_in",
            Self::WrongPerson => "wrong_person",
            Self::Prefer(ChannelKind::Whatsapp) => "prefer_whatsapp",
            Self::Prefer(ChannelKind::Telegram) => "prefer_telegram",
            Self::Prefer(ChannelKind::Sms) => "prefer_sms",
            Self::UnknownQuestion => "unknown_question",
            Self::OpenTicket => "open_ticket",
            Self::CloseTicket => "close_ticket",
            Self::Complain { .. } => "complain",
            Self::RequestDeletion => "request_deletion",
            Self::AnswerDelivery { .. } => "answer_delivery",
            Self::Taken(_) => "taken",
            Self::Rate { .. } => "rate",
            Self::Book { .. } => "book",
            Self::Unbook(_) => "unbook",
            Self::AskVisit { .. } => "ask_visit",
            Self::Withdraw(_) => "withdraw",
        }
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What one message led to.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// To be kept for the next message.
    pub state: State,
    /// What to send, in this order: one message, or none; a long answer may take up to three, and a place
    /// on the map follows its words.
    pub replies: Vec<Reply>,
    /// What to do.
    pub effects: Vec<Effect>,
    /// The label that was answered, `clarify`, `out_of_scope`, or `wrong_person`.
    pub intent: String,
    /// Facts that were missing. With any of them the step is to be taken again before it counts.
    pub needs: Vec<Need>,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("intent", &self.meaning.intent)
            .field("cards", &self.cards.len())
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for KeptFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptFact").field("people", &self.people).finish_non_exhaustive()
    }
}

impl fmt::Debug for CardFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardFact").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} characters, {} choices)", self.text.len(), self.choices.len())
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("intent", &self.intent)
            .field("replies", &self.replies)
            .field("effects", &self.effects)
            .finish_non_exhaustive()
    }
}
