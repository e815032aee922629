//! What goes into the audit log: one word for everything that somebody may do to, or see of, a citizen or the
//! system.
//!
//! Words only; the log is written by the services and never changed.

use crate::words;

words! {
    /// What was done.
    pub enum Action {
        /// Logged in.
        LoggedIn = "logged_in",
        /// Was refused at the door.
        LoginFailed = "login_failed",
        /// Logged out.
        LoggedOut = "logged_out",
        /// Searched for people.
        Searched = "searched",
        /// Looked at a card and its story.
        LookedAtCard = "looked_at_card",
        /// Looked at a round: names and streets of all its cards.
        LookedAtRound = "looked_at_round",
        /// Read a conversation.
        ReadConversation = "read_conversation",
        /// Took a conversation over.
        TookOver = "took_over",
        /// Answered a citizen.
        Answered = "answered",
        /// Handed a conversation back.
        HandedBack = "handed_back",
        /// Took a list out of Kabar.
        Exported = "exported",
        /// Settled a rejected update.
        Resolved = "resolved",
        /// Decided what becomes of held updates.
        DecidedHold = "decided_hold",
        /// Took a number off the list of those not written to.
        ReleasedNumber = "released_number",
        /// Registered a citizen's consent.
        RegisteredConsent = "registered_consent",
        /// Sent a failed message once more.
        SentAgain = "sent_again",
        /// Wrote or changed a broadcast.
        WroteBroadcast = "wrote_broadcast",
        /// Asked for a second person's word on it.
        SubmittedBroadcast = "submitted_broadcast",
        /// Approved somebody's broadcast.
        ApprovedBroadcast = "approved_broadcast",
        /// Sent it back.
        RejectedBroadcast = "rejected_broadcast",
        /// Let it go out.
        SentBroadcast = "sent_broadcast",
        /// Sent it to themselves.
        TestedBroadcast = "tested_broadcast",
        /// Paused it.
        PausedBroadcast = "paused_broadcast",
        /// Let it go on.
        ResumedBroadcast = "resumed_broadcast",
        /// Cancelled it.
        CancelledBroadcast = "cancelled_broadcast",
        /// Let it try its failures again.
        RetriedBroadcast = "retried_broadcast",
        /// Changed a service point.
        ChangedPoint = "changed_point",
        /// Said who works at a service point.
        ChangedStaff = "changed_staff",
        /// Changed the calendar.
        ChangedCalendar = "changed_calendar",
        /// Taught an example.
        Taught = "taught",
        /// Set a question aside.
        SetAside = "set_aside",
        /// Changed an answer.
        ChangedAnswer = "changed_answer",
        /// Added an officer.
        AddedOfficer = "added_officer",
        /// Changed an officer.
        ChangedOfficer = "changed_officer",
        /// Locked an officer out.
        DisabledOfficer = "disabled_officer",
        /// Changed their own password.
        ChangedPassword = "changed_password",
        /// Set up a second factor.
        SetUpTotp = "set_up_totp",
        /// Asked for a code to tie a chat.
        MadeChatCode = "made_chat_code",
        /// Tied a chat: commands come from there.
        TiedChat = "tied_chat",
        /// Let go of it.
        UntiedChat = "untied_chat",
        /// Made an API token.
        MadeToken = "made_token",
        /// Revoked an API token.
        RevokedToken = "revoked_token",
        /// Planned a courier's round.
        PlannedRound = "planned_round",
        /// Told the citizens of a round when it comes.
        AnnouncedRound = "announced_round",
        /// Moved a round to another day.
        MovedRound = "moved_round",
        /// Gave a round to another courier.
        ReassignedRound = "reassigned_round",
        /// Cancelled a round.
        CancelledRound = "cancelled_round",
        /// Gave a courier the cards of a round.
        StartedRound = "started_round",
        /// Took back what was not handed over.
        ClosedRound = "closed_round",
        /// Handed a card over without its code.
        OverrodeCode = "overrode_code",
        /// Settled what a courier reported or a desa was asked.
        SettledItem = "settled_item",
        /// Handed a card that lay ready to its holder.
        HandedOutCard = "handed_out_card",
        /// Said that a card lies here, whatever its holder says.
        DeniedCollection = "denied_collection",
        /// Handed cards to a desa.
        HandedToDesa = "handed_to_desa",
        /// Wrote into the ledger of blank cards.
        EnteredBlanko = "entered_blanko",
        /// Declared that the office cannot work.
        DeclaredOutage = "declared_outage",
        /// Said that it works again.
        LiftedOutage = "lifted_outage",
        /// Wrote down the weekly hours of a counter.
        PlannedSessions = "planned_sessions",
        /// Ended them.
        EndedPlan = "ended_plan",
        /// Put down a session.
        AddedSession = "added_session",
        /// Changed how many may come to it.
        ChangedQuota = "changed_quota",
        /// Called it off.
        CalledOffSession = "called_off_session",
        /// Made a session shorter, as its place is open for a part of it.
        ShortenedSession = "shortened_session",
        /// Looked at who comes to it.
        LookedAtSession = "looked_at_session",
        /// Gave somebody a place of it.
        BookedAppointment = "booked_appointment",
        /// Opened a case by its code.
        OpenedAppointment = "opened_appointment",
        /// Noted that somebody came, or did not.
        SettledAppointment = "settled_appointment",
        /// Took somebody's place back.
        CancelledAppointment = "cancelled_appointment",
        /// Asked for a home visit.
        RequestedHomeVisit = "requested_home_visit",
        /// Looked at the unclaimed cards of a desa.
        LookedAtUnclaimed = "looked_at_unclaimed",
        /// Looked where one goes to.
        LookedAtHomeVisit = "looked_at_home_visit",
        /// Said when it is.
        ScheduledHomeVisit = "scheduled_home_visit",
        /// Said that it was, is not, or is not wanted.
        SettledHomeVisit = "settled_home_visit",
    }
}
