//! Samples with which every line of the conversation is tried before anything starts.
//!
//! Made-up facts and nothing else; no citizen ever reads them.

use super::home_fact::HomeHoles;
use super::input::{CardFact, KeptFact, KeptPerson, KeptTicket, OutageFact};
use super::line::Holes;
use super::visit_fact::VisitHoles;
use crate::domain::card::AnnouncementKind;
use crate::domain::outage::OutageKind;
use crate::domain::ticket::{TicketKind, TicketState};

/// A sample filling: no, one or two cards, with everything and with nothing optional, and every
/// word that a line may ask for.
pub(super) struct Sample {
    cards: Vec<CardFact>,
    is_full: bool,
    kind: AnnouncementKind,
    state: TicketState,
    kept: KeptFact,
    outages: Vec<OutageFact>,
    visit: VisitHoles,
    home: HomeHoles,
}

impl Sample {
    pub(super) fn all() -> Vec<Self> {
        let card = |status: &str, is_full: bool| CardFact {
            id: "crd_1".into(),
            who: "Siti A.".into(),
            document: "KTP-el".into(),
            status: status.into(),
            as_of: "21 November".into(),
            place: is_full.then(|| "Kantor Kecamatan Jombang, Senin-Kamis 08.00-15.00".into()),
            appointment: is_full.then(|| "Selasa, 24 November, pukul 09.00-12.00 WIB".into()),
            bring: is_full.then(|| "KTP lama atau surat kehilangan".into()),
            is_ready: is_full,
            kept_by: if is_full { Vec::new() } else { vec!["no_blanko".into()] },
            ahead: (!is_full).then(|| "1.200".into()),
        };
        let (short, full) = (card("sudah dicetak", false), card("sudah bisa diambil", true));
        let cards = [vec![], vec![short.clone()], vec![full, short]];
        let outage = |kind: OutageKind| OutageFact {
            kind: kind.as_str().to_owned(),
            reason: "blangko dari pusat belum datang".to_owned(),
            since: "21 November".to_owned(),
        };
        let outages: Vec<OutageFact> = OutageKind::ALL.iter().copied().map(outage).collect();
        let mut all = Vec::new();
        for (at, &kind) in AnnouncementKind::ALL.iter().enumerate() {
            all.push(Self {
                cards: cards[at % 3].clone(),
                is_full: at % 3 == 2,
                kind,
                state: TicketState::ALL[at % TicketState::ALL.len()],
                kept: Self::kept(at % 3),
                outages: outages.get(at % 3..).unwrap_or_default().to_vec(),
                visit: VisitHoles::sample(at % 3),
                home: HomeHoles::sample(at % 3),
            });
        }
        all
    }

    /// Kept of a stranger, of one person, and of several.
    fn kept(people: usize) -> KeptFact {
        let ticket = |kind: TicketKind, number: Option<&str>, state: TicketState| KeptTicket {
            kind: kind.as_str().to_owned(),
            number: number.map(str::to_owned),
            state: state.as_str().to_owned(),
        };
        let tickets = vec![
            ticket(TicketKind::Complaint, Some("P-7KQ4"), TicketState::Open),
            ticket(TicketKind::Human, None, TicketState::Closed),
            ticket(TicketKind::Deletion, None, TicketState::Taken),
        ];
        let own = KeptPerson {
            who: Some("Siti A.".to_owned()),
            phone: Some("+62 812-****-**90".to_owned()),
            since: "21 November 2026".to_owned(),
            has_area: true,
            has_address: true,
            channel: Some("whatsapp".to_owned()),
            updates: [("crd_1".to_owned(), 7)].into(),
        };
        KeptFact {
            since: "21 November 2026".to_owned(),
            received: 120,
            sent: 340,
            questions: 2,
            consent_since: (people > 0).then(|| "21 November 2026".to_owned()),
            is_stranger: people == 0,
            tickets: if people == 0 { Vec::new() } else { tickets },
            appointments: vec!["J-7KQ4".to_owned(); people],
            home_visits: vec!["R-7KQ4".to_owned(); people],
            people,
            own: (people == 1).then_some(own),
        }
    }

    pub(super) fn holes(&self) -> Holes<'_> {
        Holes {
            office: "Disdukcapil Kabupaten Contoh",
            is_opted_out: self.is_full,
            cards: &self.cards,
            more: self.is_full,
            choices: "1 KTP hilang, 2 KTP rusak",
            reference: "K7QX-3M",
            sent_on: "21 November 2026",
            who: "Siti A.",
            channel: if self.is_full { "sms" } else { "whatsapp" },
            kind: self.kind.as_str(),
            document: if self.is_full { "ktp-el" } else { "kia" },
            is_registered: !self.cards.is_empty(),
            place: 12,
            opens: if self.is_full { "Senin, 23 November, mulai pukul 08.00 WIB" } else { "" },
            number: "P-7KQ4",
            state: self.state.as_str(),
            kept: Some(&self.kept),
            shown: 1,
            rated: if self.is_full { 4 } else { 0 },
            day: "Selasa, 24 November, pukul 09.00-12.00 WIB",
            receiver: "istri Siti",
            outages: &self.outages,
            visit: Some(&self.visit),
            home: Some(&self.home),
        }
    }
}
