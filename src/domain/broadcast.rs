//! A notice to many (sosialisasi): what it says, its way from a draft to its end, who must agree to it,
//! and why somebody does not get it.
//!
//! Pure rules: whom it reaches is `audience`'s, when it goes out `timetable`'s business.

use std::time::Duration;

use super::area::{AreaCode, AreaLevel};
use super::clock::Timestamp;
use super::officer::OfficerRole;
use super::redact::redact;
use super::timetable::Timetable;
use crate::words;

words! {
    /// Where a broadcast is in its life.
    pub enum BroadcastState {
        /// Being written.
        Draft = "draft",
        /// Waits for a second person's word.
        Submitted = "submitted",
        /// May go out.
        Approved = "approved",
        /// Goes out when its time has come.
        Scheduled = "scheduled",
        /// Going out.
        Sending = "sending",
        /// Held by somebody.
        Paused = "paused",
        /// Held by itself: something is wrong.
        Stopped = "stopped",
        /// Every recipient has a final state.
        Finished = "finished",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
}

words! {
    /// What happens to a broadcast.
    pub enum Move {
        /// Somebody changes what it says or whom it is for: an approval is withdrawn.
        Change = "change",
        /// Somebody says that it is ready.
        Submit = "submit",
        /// A second person agrees, or none is needed.
        Approve = "approve",
        /// It goes back to be changed.
        Reject = "reject",
        /// It waits for its time.
        Schedule = "schedule",
        /// A run begins.
        Send = "send",
        /// Somebody holds it.
        Pause = "pause",
        /// Somebody lets it go on.
        Resume = "resume",
        /// Something is wrong: it holds itself.
        Stop = "stop",
        /// Somebody withdraws it for good.
        Cancel = "cancel",
        /// Its last run has ended.
        Finish = "finish",
        /// Those it did not reach are tried again.
        Retry = "retry",
    }
}

impl BroadcastState {
    /// The state after a move; none when it cannot be made from here.
    #[must_use]
    pub const fn after(self, happens: Move) -> Option<Self> {
        use BroadcastState as S;
        match (self, happens) {
            (S::Draft | S::Submitted | S::Approved | S::Scheduled, Move::Change)
            | (S::Submitted | S::Approved, Move::Reject) => Some(S::Draft),
            (S::Draft, Move::Submit) => Some(S::Submitted),
            (S::Submitted, Move::Approve) => Some(S::Approved),
            // Between two dates of a timetable it waits again.
            (S::Approved | S::Sending, Move::Schedule) => Some(S::Scheduled),
            (S::Approved | S::Scheduled | S::Sending, Move::Send)
            | (S::Paused | S::Stopped, Move::Resume)
            | (S::Scheduled | S::Finished, Move::Retry) => Some(S::Sending),
            (S::Scheduled | S::Sending, Move::Pause) => Some(S::Paused),
            // What is wrong may be heard of after somebody has paused it.
            (S::Sending | S::Paused, Move::Stop) => Some(S::Stopped),
            (S::Sending, Move::Finish) => Some(S::Finished),
            (
                S::Draft
                | S::Submitted
                | S::Approved
                | S::Scheduled
                | S::Sending
                | S::Paused
                | S::Stopped,
                Move::Cancel,
            ) => Some(S::Cancelled),
            _ => None,
        }
    }

    /// Whether a second person's word, or that none was needed, still holds.
    #[must_use]
    pub const fn is_approved(self) -> bool {
        !matches!(self, Self::Draft | Self::Submitted)
    }
}

words! {
    /// Where one run of a broadcast is.
    pub enum RunState {
        /// Its messages leave.
        Sending = "sending",
        /// Held by somebody.
        Paused = "paused",
        /// Held by itself.
        Stopped = "stopped",
        /// Every recipient has a final state.
        Finished = "finished",
        /// Withdrawn.
        Cancelled = "cancelled",
    }
}

impl RunState {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled)
    }
}

words! {
    /// Why somebody who is meant does not get a broadcast.
    pub enum LeftOut {
        /// Asked to stop.
        OptedOut = "opted_out",
        /// Asked for no sosialisasi.
        NoMarketing = "no_marketing",
        /// The address is somebody else's, or nobody is there.
        Suppressed = "suppressed",
        /// There is no number that can be written to.
        NoPhone = "no_phone",
        /// No account of the office serves them.
        NoAccount = "no_account",
        /// Under age, with a number that belongs to no grown-up on file.
        Minor = "minor",
        /// Lives outside the area of whoever wrote it.
        OutsideArea = "outside_area",
        /// Somebody else at the same number gets it.
        Shared = "shared",
    }
}

words! {
    /// Why a broadcast holds itself.
    pub enum Alarm {
        /// The provider limits the account because too many complained.
        Quality = "quality",
        /// The template is paused because too many complained.
        TemplatePaused = "template_paused",
        /// The template may not be used any more.
        TemplateDisabled = "template_disabled",
        /// The provider lets the account begin to write to nobody more for now: it waits, and goes on by itself.
        TierReached = "tier_reached",
        /// More recipients than may be written to without a second person's word.
        NeedsApproval = "needs_approval",
        /// The area of whoever wrote it no longer covers it.
        AreaLost = "area_lost",
    }
}

/// What a broadcast says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// What it is about, in a few words.
    pub title: String,
    /// The notice.
    pub text: String,
    /// Where.
    pub place: Option<String>,
    /// When, in words.
    pub time: Option<String>,
}

/// Why a notice cannot go out as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Nothing, or too much, stands in a part.
    #[error("the {part} has {chars} characters; 1 to {most} fit")]
    Length {
        /// Which part.
        part: &'static str,
        /// How many it has.
        chars: usize,
        /// How many fit.
        most: usize,
    },
    /// Somebody's number stands in it.
    #[error("the {part} holds what looks like somebody's NIK; leave it out, many read this")]
    Personal {
        /// Which part.
        part: &'static str,
    },
}

impl Notice {
    /// Longest title, text, place and time in characters. Together with the words around them they stay within
    /// the 1,024 of a WhatsApp body.
    pub const LONGEST: [usize; 4] = [60, 500, 120, 80];

    /// A notice with white space made plain: a parameter of a template takes neither line breaks nor tabs nor
    /// rows of blanks.
    ///
    /// # Errors
    /// [`NoticeError`] says which part cannot go out.
    pub fn parse(title: &str, text: &str, place: &str, time: &str) -> Result<Self, NoticeError> {
        let [title_max, text_max, place_max, time_max] = Self::LONGEST;
        Ok(Self {
            title: required("title", title, title_max)?,
            text: required("text", text, text_max)?,
            place: optional("place", place, place_max)?,
            time: optional("time", time, time_max)?,
        })
    }
}

fn required(part: &'static str, raw: &str, most: usize) -> Result<String, NoticeError> {
    let plain = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    let chars = plain.chars().count();
    if chars == 0 || chars > most {
        return Err(NoticeError::Length { part, chars, most });
    }
    if redact(&plain).had_nik {
        return Err(NoticeError::Personal { part });
    }
    Ok(plain)
}

fn optional(part: &'static str, raw: &str, most: usize) -> Result<Option<String>, NoticeError> {
    if raw.trim().is_empty() { Ok(None) } else { required(part, raw, most).map(Some) }
}

/// When a broadcast goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// As soon as somebody says so.
    Now,
    /// Once.
    At(Timestamp),
    /// Again and again.
    Timetable(Timetable),
}

impl Schedule {
    /// When it goes out next after a moment; none where that has passed, or is up to somebody.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp, zone: super::area::Zone) -> Option<Timestamp> {
        match self {
            Self::Now => None,
            Self::At(at) => (*at > moment).then_some(*at),
            Self::Timetable(timetable) => timetable.next_after(moment, zone),
        }
    }
}

/// Whether a second person must agree: an officer of a desa needs one beyond so many recipients or beyond one
/// desa, everybody else beyond one kecamatan.
#[must_use]
pub fn needs_second(
    role: OfficerRole,
    recipients: u64,
    reach: Option<&AreaCode>,
    approve_over: u64,
) -> bool {
    let within =
        |level| reach.is_some_and(|area| area.level() >= level && !area.plain().is_empty());
    match role {
        OfficerRole::Desa => {
            recipients > approve_over || (recipients > 0 && !within(AreaLevel::Desa))
        }
        _ => recipients > 0 && !within(AreaLevel::Kecamatan),
    }
}

/// How many messages may wait in the outbox ahead of the provider: enough that it is never idle, and no more
/// than that, so that a million recipients take as little room as a thousand.
#[must_use]
pub fn ahead(per_second: f64, every: Duration) -> u64 {
    const LEAST: f64 = 50.0;
    const MOST: f64 = 2_000.0;
    let needed = (2.0 * per_second * every.as_secs_f64()).clamp(LEAST, MOST);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
    let needed = needed as u64;
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    #[test]
    fn nothing_goes_out_that_was_not_approved_and_nothing_after_it_ended() {
        for &state in BroadcastState::ALL {
            let may_start = [Move::Send, Move::Schedule, Move::Resume, Move::Retry]
                .into_iter()
                .any(|happens| state.after(happens).is_some());
            assert!(!may_start || state.is_approved(), "{state}");
        }
        for &happens in Move::ALL {
            assert_eq!(BroadcastState::Cancelled.after(happens), None, "{happens}");
            let ended = BroadcastState::Finished.after(happens);
            assert!(ended.is_none() || happens == Move::Retry, "{happens}");
        }
    }

    #[test]
    fn any_change_before_it_goes_out_makes_it_a_draft_again() {
        use BroadcastState as S;
        for state in [S::Draft, S::Submitted, S::Approved, S::Scheduled] {
            assert_eq!(state.after(Move::Change), Some(S::Draft));
        }
        for state in [S::Sending, S::Paused, S::Stopped, S::Finished] {
            assert_eq!(state.after(Move::Change), None, "what has begun stays as it was approved");
        }
    }

    #[test]
    fn a_second_person_is_needed_beyond_the_threshold_and_beyond_one_area() {
        let second = |role, count, reach: Option<&str>| {
            needs_second(role, count, reach.map(area).as_ref(), 200)
        };
        let desa = Some("35.17.09.2018");
        assert!(!second(OfficerRole::Desa, 200, desa));
        assert!(second(OfficerRole::Desa, 201, desa));
        assert!(second(OfficerRole::Desa, 2, Some("35.17.09")));
        assert!(!second(OfficerRole::Kecamatan, 90_000, Some("35.17.09")));
        assert!(second(OfficerRole::Dinas, 2, Some("35.17")));
        assert!(second(OfficerRole::Admin, 2, None), "where somebody lives is not known");
    }

    #[test]
    fn a_notice_is_one_line_that_a_template_takes_and_holds_nobodys_number() {
        let notice =
            Notice::parse(" Rekam\tKTP ", "Ayo  datang.\n\nGratis.", " ", "Senin").unwrap();
        assert_eq!(
            (notice.title.as_str(), notice.text.as_str()),
            ("Rekam KTP", "Ayo datang. Gratis.")
        );
        assert_eq!((notice.place, notice.time.as_deref()), (None, Some("Senin")));
        assert!(matches!(
            Notice::parse("", "x", "", ""),
            Err(NoticeError::Length { part: "title", chars: 0, .. })
        ));
        assert!(matches!(
            Notice::parse("x", &"y".repeat(501), "", ""),
            Err(NoticeError::Length { part: "text", chars: 501, most: 500 })
        ));
        assert!(matches!(
            Notice::parse("x", "NIK 3517091208560001 silakan datang", "", ""),
            Err(NoticeError::Personal { part: "text" })
        ));
    }

    #[test]
    fn a_slow_account_has_few_messages_waiting_and_a_fast_one_never_too_many() {
        let second = Duration::from_secs(1);
        assert_eq!(ahead(100.0 / 3600.0, second), 50);
        assert_eq!(ahead(80.0, second), 160);
        assert_eq!(ahead(1e9, second), 2_000);
    }
}
