//! People who work with Kabar, and what each may do: a role times an area.
//!
//! Pure rules; who somebody is and whether their password is right is decided elsewhere. Nobody sees,
//! changes or messages anything beyond their area, whatever their role.

use super::area::AreaCode;
use crate::words;

words! {
    /// What somebody is in the office.
    pub enum OfficerRole {
        /// An officer of a desa or kelurahan.
        Desa = "desa",
        /// An officer of a kecamatan.
        Kecamatan = "kecamatan",
        /// An officer of the Dinas (Dukcapil of a kabupaten or kota).
        Dinas = "dinas",
        /// Carries cards to their holders.
        Courier = "courier",
        /// Helps from outside the office: RT, kader or NGO. Registers consent and carries lists of names.
        Partner = "partner",
        /// Reads, and changes nothing.
        Auditor = "auditor",
        /// Keeps the system itself.
        Admin = "admin",
    }
}

words! {
    /// Something that can be done with Kabar.
    pub enum Right {
        /// See what needs a hand this morning.
        SeeWork = "see_work",
        /// Look up cards and their story.
        SeeCards = "see_cards",
        /// Read what citizens wrote.
        SeeConversations = "see_conversations",
        /// Take a conversation over and answer.
        Answer = "answer",
        /// Mend rejected updates, decide held ones, release numbers.
        Mend = "mend",
        /// See broadcasts and how they went.
        SeeBroadcasts = "see_broadcasts",
        /// Write, schedule and send sosialisasi.
        Broadcast = "broadcast",
        /// Approve what somebody else wrote.
        Approve = "approve",
        /// See service points and the calendar.
        SeePoints = "see_points",
        /// Change them.
        ChangePoints = "change_points",
        /// See answers, unknown questions and message templates.
        SeeAnswers = "see_answers",
        /// Teach and change answers.
        Teach = "teach",
        /// See reports and charts: counts without names.
        SeeReports = "see_reports",
        /// Take lists of people out of Kabar.
        Export = "export",
        /// Register that a citizen agrees to be messaged.
        RegisterConsent = "register_consent",
        /// See the list of cards one carries.
        CarryCards = "carry_cards",
        /// Plan rounds of couriers, announce, move and cancel them.
        PlanRounds = "plan_rounds",
        /// Let a card be handed over without its code, and settle what couriers report.
        OverrideHandOver = "override_hand_over",
        /// See who comes to a session, open a case by its code, give out the places kept for those who walk in.
        RunCounter = "run_counter",
        /// Add, change and lock officers of one's own area and below.
        ManageOfficers = "manage_officers",
        /// Make and revoke API tokens.
        ManageTokens = "manage_tokens",
        /// Read the audit log.
        SeeAudit = "see_audit",
    }
}

impl OfficerRole {
    /// Whether the role has the right.
    #[must_use]
    pub fn may(self, right: Right) -> bool {
        use OfficerRole as Role;
        match right {
            Right::SeeWork
            | Right::SeeCards
            | Right::SeeBroadcasts
            | Right::SeePoints
            | Right::SeeAnswers
            | Right::SeeReports => !matches!(self, Role::Courier | Role::Partner),
            Right::SeeConversations
            | Right::Answer
            | Right::Mend
            | Right::ChangePoints
            | Right::Export => matches!(self, Role::Kecamatan | Role::Dinas | Role::Admin),
            Right::Broadcast => {
                matches!(self, Role::Desa | Role::Kecamatan | Role::Dinas | Role::Admin)
            }
            Right::Approve => matches!(self, Role::Kecamatan | Role::Dinas | Role::Admin),
            Right::Teach => matches!(self, Role::Dinas | Role::Admin),
            Right::RegisterConsent => !matches!(self, Role::Courier | Role::Auditor),
            Right::CarryCards => matches!(
                self,
                Role::Courier | Role::Desa | Role::Kecamatan | Role::Dinas | Role::Admin
            ),
            Right::PlanRounds | Right::RunCounter => {
                matches!(self, Role::Desa | Role::Kecamatan | Role::Dinas | Role::Admin)
            }
            Right::OverrideHandOver => {
                matches!(self, Role::Kecamatan | Role::Dinas | Role::Admin)
            }
            Right::ManageOfficers => matches!(self, Role::Dinas | Role::Admin),
            Right::ManageTokens => matches!(self, Role::Admin),
            Right::SeeAudit => matches!(self, Role::Auditor | Role::Dinas | Role::Admin),
        }
    }

    /// Whether somebody of this role may add, change or lock officers of the other.
    #[must_use]
    pub fn may_manage(self, other: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Dinas => !matches!(other, Self::Admin | Self::Auditor),
            _ => false,
        }
    }
}

/// Who does something, from the console, the API, the command line or a chat: everything a rule about
/// rights needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Under which name it goes into the audit log: `off_…`, `tok_…` or `cli`.
    pub id: String,
    /// What they are.
    pub role: OfficerRole,
    /// Where.
    pub area: AreaCode,
}

impl Actor {
    /// Whoever has the machine itself may everything.
    #[must_use]
    pub fn cli() -> Self {
        Self { id: "cli".to_owned(), role: OfficerRole::Admin, area: AreaCode::nationwide() }
    }

    /// Whether they have a right at all, wherever.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.role.may(right)
    }

    /// Whether what lies in that area is theirs to see. What has no area is seen by those only whose area is the
    /// whole office's.
    #[must_use]
    pub fn covers(&self, area: Option<&AreaCode>, office: &AreaCode) -> bool {
        area.map_or_else(|| office.is_within(&self.area), |area| area.is_within(&self.area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    #[test]
    fn a_courier_and_a_partner_see_nothing_but_their_own_lists() {
        for role in [OfficerRole::Courier, OfficerRole::Partner] {
            let rights: Vec<Right> =
                Right::ALL.iter().copied().filter(|right| role.may(*right)).collect();
            assert_eq!(rights.len(), 1, "{role}: {rights:?}");
        }
        assert!(OfficerRole::Courier.may(Right::CarryCards));
        assert!(OfficerRole::Partner.may(Right::RegisterConsent));
    }

    #[test]
    fn an_auditor_changes_nothing_and_reads_no_conversation() {
        for right in [
            Right::Answer,
            Right::Mend,
            Right::Broadcast,
            Right::Approve,
            Right::Teach,
            Right::ChangePoints,
            Right::ManageOfficers,
            Right::ManageTokens,
            Right::SeeConversations,
            Right::Export,
        ] {
            assert!(!OfficerRole::Auditor.may(right), "{right}");
        }
        assert!(OfficerRole::Auditor.may(Right::SeeAudit));
    }

    #[test]
    fn an_admin_may_everything() {
        assert!(Right::ALL.iter().all(|right| OfficerRole::Admin.may(*right)));
    }

    #[test]
    fn an_area_covers_what_lies_within_it_and_never_its_neighbour_or_its_parent() {
        let office = area("35.17");
        let kecamatan =
            Actor { id: "off_1".into(), role: OfficerRole::Kecamatan, area: area("35.17.09") };
        assert!(kecamatan.covers(Some(&area("35.17.09.2018")), &office));
        assert!(!kecamatan.covers(Some(&area("35.17.10")), &office));
        assert!(!kecamatan.covers(Some(&office), &office));
        assert!(!kecamatan.covers(None, &office));
        let dinas = Actor { area: office.clone(), ..kecamatan };
        assert!(dinas.covers(None, &office));
    }

    #[test]
    fn nobody_makes_somebody_mightier_than_themselves() {
        assert!(!OfficerRole::Dinas.may_manage(OfficerRole::Admin));
        assert!(!OfficerRole::Kecamatan.may_manage(OfficerRole::Desa));
        assert!(OfficerRole::Admin.may_manage(OfficerRole::Admin));
    }
}
