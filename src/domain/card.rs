//! A card's way from recording to the hand, and what a source says of it.
//!
//! What an update means is decided in `card_plan`; how offices' words become these is
//! `status_word`'s business.

use std::fmt;

use chrono::{NaiveDate, NaiveTime};

use super::area::AreaCode;
use super::clock::Timestamp;
use super::document::Document;
use super::nik::Nik;
use super::person::PersonName;
use super::phone::PhoneNumber;
use crate::words;

words! {
    /// Where a card is. Declared in the order of the process, which is neither the order of
    /// OpenSID's numbers nor, everywhere, that of SIAK's words.
    pub enum CardStatus {
        /// Too young for a card (BELUM WAJIB).
        NotRequired = "not_required",
        /// Has a NIK and was never recorded (UNREGISTERED, BELUM REKAM).
        Unregistered = "unregistered",
        /// Photo, prints, iris and signature were taken (`BIO_CAPTURED`, SUDAH REKAM).
        Recorded = "recorded",
        /// On the way to or at the centre (PROCESSING, `SENT_FOR_ENROLLMENT`, `RECEIVED_AT_CENTRAL`).
        Processing = "processing",
        /// The biometrics could not be used; the citizen must come back.
        EnrollmentFailed = "enrollment_failed",
        /// An operator must look (`SEARCH_FAILURE_AT_CENTRAL`, `REQUEST_VALIDATION`).
        NeedsOperator = "needs_operator",
        /// Similar to another record (`ADJUDICATE_RECORD`); never told to the citizen in detail.
        Adjudicated = "adjudicated",
        /// Recorded twice (`DUPLICATE_RECORD`); no card can be issued until it is resolved.
        Duplicate = "duplicate",
        /// Unique and ready to print (`PRINT_READY_RECORD`), waiting for its turn.
        ReadyToPrint = "ready_to_print",
        /// Ready to print, and the office has no blank cards.
        WaitingForBlank = "waiting_for_blank",
        /// The print job has been started (`SENT_FOR_CARD_PRINTING`).
        SentForPrinting = "sent_for_printing",
        /// Printed (`CARD_PRINTED`).
        Printed = "printed",
        /// Sent on to where it will be handed over (`CARD_SHIPPED`).
        Shipped = "shipped",
        /// A day has been set on which it is brought home.
        HomeDeliveryScheduled = "home_delivery_scheduled",
        /// Waits at a service point.
        ReadyToCollect = "ready_to_collect",
        /// In the citizen's hand (`CARD_ISSUED`).
        Issued = "issued",
    }
}

impl CardStatus {
    /// How far along the process; used only to order two updates of the very same moment.
    #[must_use]
    pub const fn stage(self) -> u8 {
        self as u8
    }

    /// Whether the card's way ends here, so that a later step of the process is a new card.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Issued)
    }

    /// Whether a card exists in plastic at this stage.
    #[must_use]
    pub const fn is_printed(self) -> bool {
        matches!(
            self,
            Self::Printed
                | Self::Shipped
                | Self::HomeDeliveryScheduled
                | Self::ReadyToCollect
                | Self::Issued
        )
    }
}

words! {
    /// The announcements that exist; each is a folder of `message_templates/announcements`.
    pub enum AnnouncementKind {
        /// The recording was received.
        RecordingReceived = "recording_received",
        /// The recording failed; please come back.
        EnrollmentFailed = "enrollment_failed",
        /// Please contact the office, without saying why.
        ContactOffice = "contact_office",
        /// Ready to print, waiting for its turn.
        ReadyToPrint = "ready_to_print",
        /// Ready to print, no blank cards; no need to come.
        WaitingForBlank = "waiting_for_blank",
        /// Printed.
        CardPrinted = "card_printed",
        /// Sent on to the place of hand-over.
        CardShipped = "card_shipped",
        /// Will be brought home on a day.
        HomeDeliveryScheduled = "home_delivery_scheduled",
        /// Will be brought home on another day than the one that was said.
        HomeDeliveryMoved = "home_delivery_moved",
        /// Can be collected at a place.
        ReadyToCollect = "ready_to_collect",
        /// The code to be said to the courier, on the morning of the day.
        HomeDeliveryCode = "home_delivery_code",
        /// Will not be brought home on that day after all.
        HomeDeliveryCancelled = "home_delivery_cancelled",
        /// Somebody stood at the door in vain, and comes once more.
        HomeDeliveryMissed = "home_delivery_missed",
        /// Has been handed over.
        CardIssued = "card_issued",
        /// How was it? Comes a day after a card was handed over.
        SurveyInvitation = "survey_invitation",
        /// Still waits to be collected.
        CollectionReminder = "collection_reminder",
        /// The office cannot print, or has no blank cards; no need to come.
        OutageBegun = "outage_begun",
        /// It works again.
        OutageOver = "outage_over",
        /// Tomorrow is the day of an appointment at a counter.
        AppointmentReminder = "appointment_reminder",
        /// Who waited for a place in a session has one now.
        AppointmentMovedUp = "appointment_moved_up",
        /// The office called the session of an appointment off.
        AppointmentCancelled = "appointment_cancelled",
        /// An outage is over and an appointment stands.
        AppointmentResumed = "appointment_resumed",
        /// Officers come to somebody at home: when.
        HomeVisitScheduled = "home_visit_scheduled",
        /// They come at another time.
        HomeVisitMoved = "home_visit_moved",
        /// They come tomorrow.
        HomeVisitReminder = "home_visit_reminder",
        /// They do not come, and why.
        HomeVisitDeclined = "home_visit_declined",
    }
}

impl AnnouncementKind {
    /// Whether it names the day on which a card is brought home.
    #[must_use]
    pub const fn is_of_delivery_day(self) -> bool {
        matches!(self, Self::HomeDeliveryScheduled | Self::HomeDeliveryMoved)
    }

    /// Whether it speaks of an appointment at a counter, and of no card.
    #[must_use]
    pub const fn is_of_appointment(self) -> bool {
        matches!(
            self,
            Self::AppointmentReminder
                | Self::AppointmentMovedUp
                | Self::AppointmentCancelled
                | Self::AppointmentResumed
        )
    }

    /// Whether it tells of officers who come to somebody.
    #[must_use]
    pub const fn is_of_home_visit(self) -> bool {
        matches!(
            self,
            Self::HomeVisitScheduled
                | Self::HomeVisitMoved
                | Self::HomeVisitReminder
                | Self::HomeVisitDeclined
        )
    }

    /// Whether it tells of somebody's card or paper, who is known by name.
    #[must_use]
    pub const fn is_of_card(self) -> bool {
        !self.is_of_appointment() && !self.is_of_home_visit()
    }

    /// Whether it goes on to the next channel when nobody is known to have got it: news, the code without which no card
    /// changes hands, and the word that a card still lies there.
    #[must_use]
    pub const fn may_fall_back(self) -> bool {
        self.is_news() || matches!(self, Self::HomeDeliveryCode | Self::CollectionReminder)
    }

    /// Whether it tells where a card is. For what does not, nobody goes to the door.
    #[must_use]
    pub const fn is_news(self) -> bool {
        !matches!(
            self,
            Self::SurveyInvitation
                | Self::HomeDeliveryCode
                | Self::HomeDeliveryMissed
                | Self::CollectionReminder
                | Self::OutageBegun
                | Self::OutageOver
                | Self::AppointmentReminder
                | Self::AppointmentMovedUp
                | Self::AppointmentCancelled
                | Self::AppointmentResumed
                | Self::HomeVisitScheduled
                | Self::HomeVisitMoved
                | Self::HomeVisitReminder
                | Self::HomeVisitDeclined
        )
    }
}

/// A promised home delivery: a day and a window, in the recipient's own zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeDelivery {
    /// The day.
    pub date: NaiveDate,
    /// Start of the window, when one was given.
    pub from: Option<NaiveTime>,
    /// End of the window, when one was given.
    pub to: Option<NaiveTime>,
}

impl HomeDelivery {
    /// When the appointment is over: the end of its window, or of its day.
    #[must_use]
    pub fn ends_at(&self, zone: chrono::FixedOffset) -> Timestamp {
        let local = match self.to {
            Some(to) => self.date.and_time(to),
            None => self.date.and_time(NaiveTime::MIN) + chrono::TimeDelta::days(1),
        };
        // A fixed offset maps every local time to exactly one moment.
        local
            .and_local_timezone(zone)
            .single()
            .map_or(Timestamp::from_ms(i64::MAX), Timestamp::from)
    }
}

/// What a source said about a card, with every part checked.
#[derive(Clone, PartialEq, Eq)]
pub struct CardUpdate {
    /// The source's own name of the update; its repetition is no news.
    pub external_id: String,
    /// When it happened, according to the source.
    pub occurred_at: Timestamp,
    /// Whose card.
    pub nik: Nik,
    /// Which paper.
    pub document: Document,
    /// Where the card is now.
    pub status: CardStatus,
    /// The holder's name, if told.
    pub name: Option<PersonName>,
    /// Where the holder is reached; see [`PhoneGiven`].
    pub phone: PhoneGiven,
    /// Where the holder lives.
    pub area: Option<AreaCode>,
    /// The holder's RT.
    pub rt: Option<String>,
    /// The holder's RW.
    pub rw: Option<String>,
    /// The holder's dusun, the part of a desa above the RW.
    pub dusun: Option<String>,
    /// Street and number, where the holder lives.
    pub address: Option<String>,
    /// Code of the service point that has or will have the card.
    pub service_point: Option<String>,
    /// The appointment of a home delivery.
    pub home_delivery: Option<HomeDelivery>,
    /// Record without announcing.
    pub is_silent: bool,
    /// A register shows this state; nobody said that something happened.
    pub is_state: bool,
}

impl fmt::Debug for CardUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardUpdate")
            .field("status", &self.status)
            .field("document", &self.document)
            .field("occurred_at", &self.occurred_at)
            .finish_non_exhaustive()
    }
}

/// What an update said about the holder's phone. A number that cannot receive messages does not
/// spoil the update: the card is recorded and the person is listed as not reachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneGiven {
    /// The update says nothing; what is on file stays.
    NotGiven,
    /// A mobile number.
    Mobile(PhoneNumber),
    /// Something that is no reachable number, with the reason: landline, foreign, damaged.
    Unusable(&'static str),
}
