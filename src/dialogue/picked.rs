//! What can be pressed or picked: the conversation's own buttons, and every choice as it comes back from a phone.

use crate::domain::outbound::SHARE_PHONE;
use crate::words;

words! {
    /// A button of the conversation itself; the word is its key in `buttons.toml`.
    pub enum Button {
        /// Where is my card?
        Status = "status",
        /// Which requirements?
        Requirements = "requirements",
        /// What can be asked?
        Menu = "menu",
        /// Stop.
        Stop = "stop",
        /// Start again.
        Start = "start",
        /// Do not stop after all.
        Keep = "keep",
        /// Hand over the number this chat belongs to.
        SharePhone = "share_phone",
        /// Talk to an officer.
        Human = "human",
        /// Answer in Indonesian.
        Indonesian = "indonesian",
        /// Answer in English.
        English = "english",
        /// Report that money was asked for.
        Report = "report",
        /// Not what was offered.
        No = "no",
        /// Complain of slowness.
        CategoryDelay = "category_delay",
        /// Complain of an officer.
        CategoryOfficer = "category_officer",
        /// Complain of obstruction.
        CategoryObstruction = "category_obstruction",
        /// Complain that money was asked for.
        CategoryPungli = "category_pungli",
        /// Complain of something else.
        CategoryOther = "category_other",
        /// Yes, delete.
        DeleteYes = "delete_yes",
        /// Go on with the survey.
        Continue = "continue",
        /// Somebody will be home.
        DeliveryHome = "delivery_home",
        /// Another day for the delivery.
        DeliveryDay = "delivery_day",
        /// Family receives it.
        DeliveryFamily = "delivery_family",
        /// The address is wrong.
        DeliveryAddress = "delivery_address",
        /// They collect it themselves.
        DeliveryCollect = "delivery_collect",
        /// The lowest rating.
        Rate1 = "rate_1",
        /// Below the middle.
        Rate2 = "rate_2",
        /// Above the middle.
        Rate3 = "rate_3",
        /// The highest rating.
        Rate4 = "rate_4",
        /// Make an appointment.
        Book = "book",
        /// They have the paper.
        PaperYes = "paper_yes",
        /// They do not have it yet.
        PaperNo = "paper_no",
        /// Another day for the appointment.
        OtherDay = "other_day",
        /// Another place for it.
        OtherPlace = "other_place",
        /// Wait for a place.
        Wait = "wait",
        /// Cancel an appointment; its code follows.
        Unbook = "unbook",
        /// Cancel none.
        KeepAppointment = "keep_appointment",
        /// Take no request for a visit back.
        KeepVisit = "keep_visit",
        /// Ask for officers to come.
        AskVisit = "ask_visit",
        /// To somebody old.
        VisitElderly = "visit_elderly",
        /// To somebody ill.
        VisitIll = "visit_ill",
        /// To somebody with a disability.
        VisitDisabled = "visit_disabled",
        /// To somebody with a mental disorder.
        VisitMental = "visit_mental",
        /// To somebody in a prison or a hospital.
        VisitConfined = "visit_confined",
        /// They come to record somebody.
        WorkRecording = "work_recording",
        /// They bring a card.
        WorkHandOver = "work_hand_over",
        /// They come for the family's card.
        WorkFamilyCard = "work_family_card",
        /// The request is right.
        SendVisit = "send_visit",
        /// It is not: from the beginning.
        RefillVisit = "refill_visit",
        /// It is not to be sent at all.
        DropVisit = "drop_visit",
    }
}

impl Button {
    /// Whether it answers a question of something that was begun, and means nothing without it.
    const fn belongs_to_flow(self) -> bool {
        matches!(
            self,
            Self::Report
                | Self::No
                | Self::CategoryDelay
                | Self::CategoryOfficer
                | Self::CategoryObstruction
                | Self::CategoryPungli
                | Self::CategoryOther
                | Self::DeleteYes
                | Self::Continue
                | Self::Rate1
                | Self::Rate2
                | Self::Rate3
                | Self::Rate4
                | Self::PaperYes
                | Self::PaperNo
                | Self::OtherDay
                | Self::OtherPlace
                | Self::VisitElderly
                | Self::VisitIll
                | Self::VisitDisabled
                | Self::VisitMental
                | Self::VisitConfined
                | Self::WorkRecording
                | Self::WorkHandOver
                | Self::WorkFamilyCard
                | Self::SendVisit
                | Self::RefillVisit
                | Self::DropVisit
        )
    }
}

/// What a choice stands for; its text form is the id that comes back from a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picked<'a> {
    Button(Button),
    Answer(&'a str),
    Card(&'a str),
    Day(&'a str),
    /// An answer to the visit of one item.
    Delivery(Button, &'a str),
    /// A card that was collected.
    Taken(&'a str),
    /// An appointment for a label.
    Visit(&'a str),
    /// A place in a session, and the label it is for.
    Slot(&'a str),
    /// The same in the line for one.
    Wait(&'a str),
    /// The place of a session.
    Place(&'a str),
    /// An appointment to be cancelled.
    Unbook(&'a str),
    /// The area officers are to come to.
    Area(&'a str),
    /// A request for them to come that is taken back.
    Withdraw(&'a str),
}

impl<'a> Picked<'a> {
    pub(super) fn parse(id: &'a str) -> Option<Self> {
        if id == SHARE_PHONE {
            return Some(Self::Button(Button::SharePhone));
        }
        let (kind, what) = id.split_once(':')?;
        match kind {
            "do" => what.parse().ok().map(Self::Button),
            "ask" => Some(Self::Answer(what)),
            "card" => Some(Self::Card(what)),
            "day" => Some(Self::Day(what)),
            "delivery" => {
                let (button, item) = what.split_once(':')?;
                Some(Self::Delivery(button.parse().ok()?, item))
            }
            "taken" => Some(Self::Taken(what)),
            "visit" => Some(Self::Visit(what)),
            "slot" => Some(Self::Slot(what)),
            "wait" => Some(Self::Wait(what)),
            "place" => Some(Self::Place(what)),
            "unbook" => Some(Self::Unbook(what)),
            "area" => Some(Self::Area(what)),
            "withdraw" => Some(Self::Withdraw(what)),
            _ => None,
        }
    }

    /// Whether it answers a question of something that was begun.
    pub(super) const fn belongs_to_flow(self) -> bool {
        match self {
            Self::Button(button) => button.belongs_to_flow(),
            Self::Place(_) | Self::Area(_) => true,
            _ => false,
        }
    }

    pub(super) fn id(self) -> String {
        match self {
            // Telegram's adapter knows this one by its id.
            Self::Button(Button::SharePhone) => SHARE_PHONE.to_owned(),
            Self::Button(button) => format!("do:{button}"),
            Self::Answer(label) => format!("ask:{label}"),
            Self::Card(card) => format!("card:{card}"),
            Self::Day(day) => format!("day:{day}"),
            Self::Delivery(button, item) => format!("delivery:{button}:{item}"),
            Self::Taken(card) => format!("taken:{card}"),
            Self::Visit(label) => format!("visit:{label}"),
            Self::Slot(slot) => format!("slot:{slot}"),
            Self::Wait(slot) => format!("wait:{slot}"),
            Self::Place(session) => format!("place:{session}"),
            Self::Unbook(appointment) => format!("unbook:{appointment}"),
            Self::Area(code) => format!("area:{code}"),
            Self::Withdraw(visit) => format!("withdraw:{visit}"),
        }
    }
}
