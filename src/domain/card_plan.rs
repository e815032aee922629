//! What an update does to a card: whether it is news, whether it becomes the card's state, and which
//! announcement it causes. Pure rules; where rows go is the store's business.

use chrono::NaiveTime;

use super::card::{AnnouncementKind, CardStatus, CardUpdate, HomeDelivery};
use super::clock::Timestamp;
use crate::words;

/// What is on file of the card an update speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardOnFile {
    /// Its status.
    pub status: CardStatus,
    /// Since when, according to the source.
    pub status_at: Timestamp,
    /// What was last announced of it, as [`Announcement::fingerprint`].
    pub last_announced: Option<String>,
}

/// Which announcement an update causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Which text.
    pub kind: AnnouncementKind,
    /// After this moment it would be untrue, and is not sent.
    pub expires_at: Option<Timestamp>,
    /// Tells two announcements of one kind apart: another day, another place.
    pub fingerprint: String,
}

words! {
    /// What became of an accepted update.
    pub enum UpdateOutcome {
        /// It was news and an announcement was planned.
        Announced = "announced",
        /// It was news that this office does not announce.
        NotAnnounced = "not_announced",
        /// It was recorded silently, as asked.
        Silent = "silent",
        /// An older state than the one on file: kept for the history.
        Older = "older",
        /// The state was on file already.
        Unchanged = "unchanged",
        /// The card went back a step: recorded, not announced.
        StepBack = "step_back",
        /// News of something that has already passed.
        Expired = "expired",
        /// News among so many that the office is asked first.
        Held = "held",
        /// News of somebody who died or moved away; nobody is told.
        HolderAbsent = "holder_absent",
    }
}

/// What is to be done with an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardPlan {
    /// The update opens a new card of the same person: their first, or a reprint.
    pub is_new_card: bool,
    /// The update becomes the card's state; otherwise it only joins its history.
    pub becomes_current: bool,
    /// What to tell the holder.
    pub announcement: Option<Announcement>,
    /// Why, in one word.
    pub outcome: UpdateOutcome,
}

/// Which statuses an office announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncePolicy {
    /// The kinds that are switched on.
    pub enabled: Vec<AnnouncementKind>,
}

impl Default for AnnouncePolicy {
    fn default() -> Self {
        Self {
            enabled: AnnouncementKind::ALL
                .iter()
                .copied()
                .filter(|kind| {
                    !matches!(
                        kind,
                        AnnouncementKind::RecordingReceived | AnnouncementKind::ReadyToPrint
                    )
                })
                .collect(),
        }
    }
}

impl AnnouncePolicy {
    /// Whether a card's coming to this status is told, as a rule.
    #[must_use]
    pub fn speaks_of(&self, status: CardStatus) -> bool {
        usual_kind(status).is_some_and(|kind| self.enabled.contains(&kind))
    }
}

/// The announcement of a status that comes without an appointment; none where there is nothing to
/// tell.
const fn usual_kind(status: CardStatus) -> Option<AnnouncementKind> {
    use AnnouncementKind as K;
    use CardStatus as S;
    Some(match status {
        S::Recorded => K::RecordingReceived,
        S::EnrollmentFailed => K::EnrollmentFailed,
        S::Adjudicated | S::Duplicate => K::ContactOffice,
        S::ReadyToPrint => K::ReadyToPrint,
        S::WaitingForBlank => K::WaitingForBlank,
        S::Printed => K::CardPrinted,
        // A home delivery without a day is no appointment one could keep; the card is on its way.
        S::Shipped | S::HomeDeliveryScheduled => K::CardShipped,
        S::ReadyToCollect => K::ReadyToCollect,
        S::Issued => K::CardIssued,
        S::NotRequired
        | S::Unregistered
        | S::Processing
        | S::NeedsOperator
        | S::SentForPrinting => {
            return None;
        }
    })
}

/// Decides what an update does to the card on file. `zone` is the recipient's, for appointments.
///
/// Rules: an older update never becomes the state and never speaks; after a card was issued a new
/// step of the process is a reprint, a new card; a step back is recorded in silence, because a
/// status that jumps back is more often a slip of the source than news; the same thing is not
/// said twice in a row.
#[must_use]
pub fn plan(
    on_file: Option<&CardOnFile>,
    update: &CardUpdate,
    policy: &AnnouncePolicy,
    zone: chrono::FixedOffset,
    now: Timestamp,
) -> CardPlan {
    let quiet = |is_new_card, becomes_current, outcome| CardPlan {
        is_new_card,
        becomes_current,
        announcement: None,
        outcome,
    };
    let mut is_new_card = true;
    let mut last_announced = None;
    if let Some(card) = on_file {
        let order = (update.occurred_at, update.status.stage());
        if order < (card.status_at, card.status.stage()) {
            return quiet(false, false, UpdateOutcome::Older);
        }
        // In a register a card that was handed over and is printed again is a slip of the hand.
        let is_slip = update.is_state && update.status.is_printed();
        is_new_card = card.status.is_final() && starts_again(update.status) && !is_slip;
        if !is_new_card {
            last_announced = card.last_announced.as_deref();
            let is_appointment = update.home_delivery.is_some() || update.service_point.is_some();
            if update.status.stage() < card.status.stage() && !is_appointment {
                return quiet(false, true, UpdateOutcome::StepBack);
            }
        }
    }
    if update.is_silent {
        return quiet(is_new_card, true, UpdateOutcome::Silent);
    }
    match announcement(update, zone, now) {
        None => quiet(is_new_card, true, UpdateOutcome::NotAnnounced),
        Some(found) if !policy.enabled.contains(&found.kind) => {
            quiet(is_new_card, true, UpdateOutcome::NotAnnounced)
        }
        Some(found) if last_announced == Some(found.fingerprint.as_str()) => {
            quiet(is_new_card, true, UpdateOutcome::Unchanged)
        }
        Some(found) if found.expires_at.is_some_and(|at| at <= now) => {
            quiet(is_new_card, true, UpdateOutcome::Expired)
        }
        Some(found) => CardPlan {
            is_new_card,
            becomes_current: true,
            announcement: Some(found),
            outcome: UpdateOutcome::Announced,
        },
    }
}

/// Whether this step, coming after a hand-over, means that another card is being made. Biodata
/// states after it (a NIK that is required again, an operator's note) do not.
const fn starts_again(status: CardStatus) -> bool {
    !matches!(
        status,
        CardStatus::NotRequired
            | CardStatus::Unregistered
            | CardStatus::NeedsOperator
            | CardStatus::Issued
    )
}

/// The announcement that belongs to an update's status, if there is one.
fn announcement(
    update: &CardUpdate,
    zone: chrono::FixedOffset,
    now: Timestamp,
) -> Option<Announcement> {
    use AnnouncementKind as K;
    use CardStatus as S;
    let appointment = update.home_delivery.as_ref().map(|h| (h, h.ends_at(zone)));
    let (kind, expires_at, detail) = match (update.status, appointment) {
        (S::HomeDeliveryScheduled, Some((home, ends_at))) => {
            (K::HomeDeliveryScheduled, Some(ends_at), appointment_words(home))
        }
        // A printed card with an appointment still ahead: the appointment is the news. One that
        // has passed says nothing any more, the card is still printed.
        (S::Printed | S::Shipped, Some((home, ends_at))) if ends_at > now => {
            (K::HomeDeliveryScheduled, Some(ends_at), appointment_words(home))
        }
        (S::ReadyToCollect, _) => {
            (K::ReadyToCollect, None, update.service_point.clone().unwrap_or_default())
        }
        (status, _) => (usual_kind(status)?, None, String::new()),
    };
    let fingerprint =
        if detail.is_empty() { kind.as_str().to_owned() } else { format!("{kind}:{detail}") };
    Some(Announcement { kind, expires_at, fingerprint })
}

fn appointment_words(home: &HomeDelivery) -> String {
    let time = |t: Option<NaiveTime>| t.map(|t| t.format("%H:%M").to_string()).unwrap_or_default();
    format!("{} {}-{}", home.date, time(home.from), time(home.to))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{FixedOffset, NaiveDate};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::card::PhoneGiven;
    use crate::domain::document::Document;
    use crate::domain::nik::Nik;

    const NOW: Timestamp = Timestamp::from_ms(1_795_300_000_000);

    fn wib() -> FixedOffset {
        FixedOffset::east_opt(7 * 3600).unwrap()
    }

    fn update(status: CardStatus, occurred_at: Timestamp) -> CardUpdate {
        CardUpdate {
            external_id: "u".to_owned(),
            occurred_at,
            nik: Nik::parse("3517091204560001").unwrap(),
            document: Document::KtpEl,
            status,
            name: None,
            phone: PhoneGiven::NotGiven,
            area: None,
            rt: None,
            rw: None,
            dusun: None,
            address: None,
            service_point: None,
            home_delivery: None,
            is_silent: false,
            is_state: false,
        }
    }

    fn on_file(status: CardStatus, status_at: Timestamp, last: Option<&str>) -> CardOnFile {
        CardOnFile { status, status_at, last_announced: last.map(str::to_owned) }
    }

    fn decide(card: Option<&CardOnFile>, update: &CardUpdate) -> CardPlan {
        plan(card, update, &AnnouncePolicy::default(), wib(), NOW)
    }

    fn days_ahead(days: u64) -> NaiveDate {
        NOW.in_zone(wib()).date_naive() + chrono::Days::new(days)
    }

    #[test]
    fn the_first_word_of_a_printed_card_opens_it_and_is_announced() {
        let plan = decide(None, &update(CardStatus::Printed, NOW));
        assert!(plan.is_new_card && plan.becomes_current);
        assert_eq!(plan.announcement.unwrap().kind, AnnouncementKind::CardPrinted);
    }

    #[test]
    fn an_older_word_joins_the_history_and_says_nothing() {
        let card = on_file(CardStatus::ReadyToCollect, NOW, Some("ready_to_collect"));
        let earlier = NOW.before(Duration::from_secs(60));
        let plan = decide(Some(&card), &update(CardStatus::Printed, earlier));
        assert_eq!(plan.outcome, UpdateOutcome::Older);
        assert!(!plan.becomes_current && plan.announcement.is_none());
    }

    #[test]
    fn of_two_words_of_the_same_moment_the_later_step_wins() {
        let card = on_file(CardStatus::ReadyToCollect, NOW, None);
        assert_eq!(
            decide(Some(&card), &update(CardStatus::Printed, NOW)).outcome,
            UpdateOutcome::Older
        );
        let card = on_file(CardStatus::Printed, NOW, Some("card_printed"));
        assert!(
            decide(Some(&card), &update(CardStatus::ReadyToCollect, NOW)).announcement.is_some()
        );
    }

    #[test]
    fn a_step_of_the_process_after_the_hand_over_is_a_reprint() {
        let card =
            on_file(CardStatus::Issued, NOW.before(Duration::from_secs(60)), Some("card_issued"));
        let plan = decide(Some(&card), &update(CardStatus::Printed, NOW));
        assert!(plan.is_new_card);
        assert_eq!(plan.outcome, UpdateOutcome::Announced);
        let plan = decide(Some(&card), &update(CardStatus::Issued, NOW));
        assert!(!plan.is_new_card);
        assert_eq!(plan.outcome, UpdateOutcome::Unchanged);
    }

    #[test]
    fn in_a_register_a_card_handed_over_is_not_printed_again_but_may_be_made_again() {
        let before = NOW.before(Duration::from_secs(60));
        let card = on_file(CardStatus::Issued, before, Some("card_issued"));
        let shown = |status| CardUpdate { is_state: true, ..update(status, NOW) };
        let slip = decide(Some(&card), &shown(CardStatus::Printed));
        assert_eq!((slip.outcome, slip.is_new_card), (UpdateOutcome::StepBack, false));
        assert!(decide(Some(&card), &shown(CardStatus::ReadyToPrint)).is_new_card);
    }

    #[test]
    fn a_step_back_is_recorded_in_silence_and_the_way_forward_again_too() {
        let before = NOW.before(Duration::from_secs(60));
        let card = on_file(CardStatus::Printed, before, Some("card_printed"));
        let plan = decide(Some(&card), &update(CardStatus::ReadyToPrint, NOW));
        assert_eq!((plan.outcome, plan.becomes_current), (UpdateOutcome::StepBack, true));
        let card = on_file(CardStatus::ReadyToPrint, before, Some("card_printed"));
        let plan = decide(Some(&card), &update(CardStatus::Printed, NOW));
        assert_eq!(plan.outcome, UpdateOutcome::Unchanged);
    }

    #[test]
    fn an_appointment_is_the_news_until_it_has_passed() {
        let home =
            |date| Some(HomeDelivery { date, from: None, to: NaiveTime::from_hms_opt(12, 0, 0) });
        let mut printed = update(CardStatus::Printed, NOW);
        printed.home_delivery = home(days_ahead(1));
        let found = decide(None, &printed).announcement.unwrap();
        assert_eq!(found.kind, AnnouncementKind::HomeDeliveryScheduled);
        assert!(found.expires_at.unwrap() > NOW);
        printed.home_delivery = home(NOW.in_zone(wib()).date_naive() - chrono::Days::new(1));
        assert_eq!(
            decide(None, &printed).announcement.unwrap().kind,
            AnnouncementKind::CardPrinted
        );
        printed.status = CardStatus::HomeDeliveryScheduled;
        assert_eq!(decide(None, &printed).outcome, UpdateOutcome::Expired);
    }

    #[test]
    fn another_day_of_home_delivery_is_said_again_and_the_same_day_is_not() {
        let mut first = update(CardStatus::HomeDeliveryScheduled, NOW);
        first.home_delivery = Some(HomeDelivery { date: days_ahead(1), from: None, to: None });
        let said = decide(None, &first).announcement.unwrap().fingerprint;
        let card = on_file(CardStatus::HomeDeliveryScheduled, NOW, Some(&said));
        assert_eq!(decide(Some(&card), &first).outcome, UpdateOutcome::Unchanged);
        first.home_delivery = Some(HomeDelivery { date: days_ahead(2), from: None, to: None });
        assert_eq!(decide(Some(&card), &first).outcome, UpdateOutcome::Announced);
    }

    #[test]
    fn a_window_ends_in_the_recipients_own_zone() {
        let home = HomeDelivery {
            date: NaiveDate::from_ymd_opt(2026, 11, 24).unwrap(),
            from: None,
            to: NaiveTime::from_hms_opt(12, 0, 0),
        };
        let wit = FixedOffset::east_opt(9 * 3600).unwrap();
        assert_eq!(home.ends_at(wib()).since(home.ends_at(wit)), Duration::from_secs(2 * 3600));
        let whole_day = HomeDelivery { to: None, ..home.clone() };
        assert_eq!(
            whole_day.ends_at(wib()).since(home.ends_at(wib())),
            Duration::from_secs(12 * 3600)
        );
    }

    #[test]
    fn silent_and_switched_off_news_is_recorded_only() {
        let mut silent = update(CardStatus::Printed, NOW);
        silent.is_silent = true;
        let plan = decide(None, &silent);
        assert_eq!((plan.outcome, plan.becomes_current), (UpdateOutcome::Silent, true));
        let recorded = decide(None, &update(CardStatus::Recorded, NOW));
        assert_eq!(recorded.outcome, UpdateOutcome::NotAnnounced);
    }

    fn any_status() -> impl Strategy<Value = CardStatus> {
        prop::sample::select(CardStatus::ALL)
    }

    proptest! {
        /// In whatever order updates arrive, the state ends as the newest one says, and nothing
        /// older than what is on file is ever announced.
        #[test]
        fn the_newest_word_wins_in_any_order(mut updates in prop::collection::vec((any_status(), 0_i64..50), 1..12)) {
            updates.dedup_by_key(|(_, at)| *at);
            let mut card: Option<CardOnFile> = None;
            for (status, at) in &updates {
                let update = update(*status, Timestamp::from_ms(NOW.as_ms() - 1000 + at));
                let plan = decide(card.as_ref(), &update);
                if let Some(card) = &card
                    && (update.occurred_at, status.stage()) < (card.status_at, card.status.stage())
                {
                    prop_assert!(plan.announcement.is_none() && !plan.becomes_current);
                }
                if plan.becomes_current {
                    let said = plan.announcement.map(|a| a.fingerprint);
                    let last = card.and_then(|c| c.last_announced);
                    card = Some(CardOnFile { status: *status, status_at: update.occurred_at, last_announced: said.or(last) });
                }
            }
            let newest = updates.iter().map(|(status, at)| (*at, status.stage())).max().unwrap();
            let card = card.unwrap();
            prop_assert_eq!((card.status_at.as_ms() - NOW.as_ms() + 1000, card.status.stage()), newest);
        }
    }
}
