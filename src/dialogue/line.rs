//! The lines of the conversation: their names, what may stand in them, and how they are checked.
//!
//! A line's words stand in `message_templates/dialogue`; here is only what a line is for. Every
//! line is rendered with samples when it is loaded, so a hole without a filling stops the start.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

use super::home_fact::HomeHoles;
use super::input::{CardFact, KeptFact, OutageFact};
use super::sample::Sample;
use super::visit_fact::VisitHoles;
use crate::domain::language::Language;
use crate::domain::survey::Element;
use crate::words;

words! {
    /// Something the conversation says.
    pub enum Line {
        /// What can be asked.
        Menu = "menu",
        /// Answer to a greeting.
        Greeting = "greeting",
        /// Answer to thanks.
        Thanks = "thanks",
        /// Answer to a bare yes, no or ok.
        Ack = "ack",
        /// For which service are requirements wanted?
        Requirements = "requirements",
        /// The choices of a reply, numbered, as they stand in an SMS.
        ChoicesSms = "choices_sms",
        /// Where one person's cards are.
        Status = "status",
        /// Whose card is meant?
        StatusChoose = "status_choose",
        /// What keeps the office from working; stands below an answer.
        OutageRunning = "outage_running",
        /// They say that they have a card: noted.
        TakenNoted = "taken_noted",
        /// Whose card do they have?
        TakenChoose = "taken_choose",
        /// On file, but no card is known.
        StatusNone = "status_none",
        /// Not on file.
        Unregistered = "unregistered",
        /// In a chat that knows nobody's number.
        UnregisteredChat = "unregistered_chat",
        /// A code of the counter tied this chat to somebody.
        Connected = "connected",
        /// A code that ties this chat to nobody.
        CodeUnknown = "code_unknown",
        /// The number handed over is on file.
        PhoneConnected = "phone_connected",
        /// Told by another channel from now on.
        Preferred = "preferred",
        /// The office has that channel, but knows nobody there.
        NotConnected = "not_connected",
        /// The office does not have that channel.
        NotServed = "not_served",
        /// A NIK was typed.
        NikWarning = "nik_warning",
        /// Did you mean …?
        AskBack = "ask_back",
        /// No answer is known.
        Unknown = "unknown",
        /// Stopped.
        Stopped = "stopped",
        /// It sounded like stopping: sure?
        StopQuestion = "stop_question",
        /// Not stopped after all.
        Kept = "kept",
        /// Started again.
        Started = "started",
        /// Started, but nobody is on file for the phone.
        StartedUnregistered = "started_unregistered",
        /// The phone was released from the data.
        WrongPerson = "wrong_person",
        /// Asked to be told: already so.
        SubscribeActive = "subscribe_active",
        /// Asked to be told, but stopped earlier.
        SubscribeStopped = "subscribe_stopped",
        /// Asked to be told, and not on file.
        SubscribeUnregistered = "subscribe_unregistered",
        /// The reference is ours.
        ReferenceKnown = "reference_known",
        /// The reference is not ours.
        ReferenceUnknown = "reference_unknown",
        /// What was going on is over.
        Cancelled = "cancelled",
        /// Nothing is going on.
        NothingToCancel = "nothing_to_cancel",
        /// An answer came too late for its question.
        Expired = "expired",
        /// The long form of which answer?
        FullNone = "full_none",
        /// The language of the answers, in that language.
        LanguageSet = "language_set",
        /// Regional languages are understood, not spoken.
        LanguageRegional = "language_regional",
        /// In which language?
        LanguageAsk = "language_ask",
        /// An officer will answer.
        HumanOpened = "human_opened",
        /// That was asked for already.
        HumanWaiting = "human_waiting",
        /// An officer is in the conversation.
        HumanHere = "human_here",
        /// The citizen ended the talk.
        HumanDone = "human_done",
        /// The officer ended the talk.
        HumanClosed = "human_closed",
        /// What is the complaint about?
        ComplaintCategory = "complaint_category",
        /// What happened?
        ComplaintText = "complaint_text",
        /// The complaint is kept, under a number.
        ComplaintKept = "complaint_kept",
        /// The same where money was asked for.
        ComplaintPungli = "complaint_pungli",
        /// Where a complaint is.
        ComplaintState = "complaint_state",
        /// This chat made no such complaint.
        ComplaintUnknown = "complaint_unknown",
        /// An officer is done with a complaint.
        ComplaintClosed = "complaint_closed",
        /// Somebody asked for money: is it to be reported?
        PungliOffer = "pungli_offer",
        /// It is not.
        PungliLeft = "pungli_left",
        /// What is kept about this chat.
        DataMine = "data_mine",
        /// The same in full: the person and their papers.
        DataPerson = "data_person",
        /// The conversation, and what came of it.
        DataTalk = "data_talk",
        /// What can be done about it.
        DataRights = "data_rights",
        /// What deletion means; sure?
        DeletionAsk = "deletion_ask",
        /// The request is noted.
        DeletionNoted = "deletion_noted",
        /// Not deleted after all.
        DeletionLeft = "deletion_left",
        /// The office has dealt with the request.
        DeletionClosed = "deletion_closed",
        /// Somebody will be home.
        DeliveryHome = "delivery_home",
        /// Which other day suits?
        DeliveryDayAsk = "delivery_day_ask",
        /// Not on that day; these are possible.
        DeliveryDayOther = "delivery_day_other",
        /// Another day is noted.
        DeliveryDayNoted = "delivery_day_noted",
        /// Who of the family receives it?
        DeliveryFamilyAsk = "delivery_family_ask",
        /// That is noted.
        DeliveryFamilyNoted = "delivery_family_noted",
        /// The desa is asked for the address.
        DeliveryAddress = "delivery_address",
        /// They collect it themselves.
        DeliveryCollect = "delivery_collect",
        /// Nothing is on its way that could be changed.
        DeliveryGone = "delivery_gone",
        /// What is the appointment for?
        AppointmentService = "appointment_service",
        /// No appointment in the chat, but the office has a portal.
        AppointmentPortal = "appointment_portal",
        /// Is this paper there?
        AppointmentAsk = "appointment_ask",
        /// Not understood in the middle of it.
        AppointmentAgain = "appointment_again",
        /// What is missing, and when somebody may come.
        AppointmentSlots = "appointment_slots",
        /// No place is free anywhere.
        AppointmentAllFull = "appointment_all_full",
        /// Where?
        AppointmentPlace = "appointment_place",
        /// No session serves it.
        AppointmentNone = "appointment_none",
        /// The last place was taken meanwhile.
        AppointmentFull = "appointment_full",
        /// The session was called off meanwhile, or is over.
        AppointmentGone = "appointment_gone",
        /// Booked.
        AppointmentBooked = "appointment_booked",
        /// In the line for a place.
        AppointmentWaiting = "appointment_waiting",
        /// They have one for it already.
        AppointmentTwice = "appointment_twice",
        /// They have as many as one chat may have.
        AppointmentMost = "appointment_most",
        /// They did not come too often.
        AppointmentBlocked = "appointment_blocked",
        /// What they have.
        AppointmentOwn = "appointment_own",
        /// They have none.
        AppointmentOwnNone = "appointment_own_none",
        /// Which is to be cancelled?
        AppointmentUnbookAsk = "appointment_unbook_ask",
        /// Cancelled.
        AppointmentUnbooked = "appointment_unbooked",
        /// The next stops of the van, or days of recording; stands below an answer.
        AppointmentStops = "appointment_stops",
        /// Officers can be asked to come; stands below an answer.
        HomeVisitOffer = "home_visit_offer",
        /// To whom are they to come?
        HomeVisitWhom = "home_visit_whom",
        /// What for?
        HomeVisitWork = "home_visit_work",
        /// To which desa?
        HomeVisitArea = "home_visit_area",
        /// No such desa is on file.
        HomeVisitAreaAgain = "home_visit_area_again",
        /// Several share that name.
        HomeVisitAreaWhich = "home_visit_area_which",
        /// A kecamatan was named: which desa of it?
        HomeVisitAreaWithin = "home_visit_area_within",
        /// What is the way there?
        HomeVisitPlace = "home_visit_place",
        /// The way there once more.
        HomeVisitPlaceAgain = "home_visit_place_again",
        /// Not understood in the middle of it.
        HomeVisitAgain = "home_visit_again",
        /// Is the request right?
        HomeVisitConfirm = "home_visit_confirm",
        /// It was passed on.
        HomeVisitSent = "home_visit_sent",
        /// They have as many requests as one chat may have.
        HomeVisitMost = "home_visit_most",
        /// Where their requests are.
        HomeVisitOwn = "home_visit_own",
        /// They have none.
        HomeVisitOwnNone = "home_visit_own_none",
        /// Which is to be taken back?
        HomeVisitWithdrawAsk = "home_visit_withdraw_ask",
        /// Taken back.
        HomeVisitWithdrawn = "home_visit_withdrawn",
        /// Before the first question of the survey.
        SurveyIntro = "survey_intro",
        /// Element of the survey.
        SurveyRequirements = "survey_persyaratan",
        /// Element of the survey.
        SurveyProcedure = "survey_prosedur",
        /// Element of the survey.
        SurveyTime = "survey_waktu",
        /// Element of the survey.
        SurveyCost = "survey_biaya",
        /// Element of the survey.
        SurveyProduct = "survey_produk",
        /// Element of the survey.
        SurveyCompetence = "survey_kompetensi",
        /// Element of the survey.
        SurveyBehaviour = "survey_perilaku",
        /// Element of the survey.
        SurveyComplaints = "survey_pengaduan",
        /// Element of the survey.
        SurveyFacilities = "survey_sarana",
        /// Enough; who likes goes on.
        SurveyEnough = "survey_enough",
        /// All is rated.
        SurveyEnd = "survey_end",
    }
}

impl Line {
    /// The question about an element.
    pub(super) const fn of_element(element: Element) -> Self {
        match element {
            Element::Requirements => Self::SurveyRequirements,
            Element::Procedure => Self::SurveyProcedure,
            Element::Time => Self::SurveyTime,
            Element::Cost => Self::SurveyCost,
            Element::Product => Self::SurveyProduct,
            Element::Competence => Self::SurveyCompetence,
            Element::Behaviour => Self::SurveyBehaviour,
            Element::Complaints => Self::SurveyComplaints,
            Element::Facilities => Self::SurveyFacilities,
        }
    }
}

/// A line as its file holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineText {
    pub(super) text: String,
    pub(super) sms: Option<String>,
    /// The same in English.
    pub(super) en: Option<String>,
    /// And for SMS.
    pub(super) en_sms: Option<String>,
    /// Names of buttons of `buttons.toml`.
    #[serde(default)]
    pub(super) choices: Vec<String>,
}

/// What may stand in a line. Every line may use all of it.
#[derive(Clone, Default, Serialize)]
pub(super) struct Holes<'a> {
    pub(super) office: &'a str,
    pub(super) is_opted_out: bool,
    pub(super) cards: &'a [CardFact],
    pub(super) more: bool,
    pub(super) choices: &'a str,
    pub(super) reference: &'a str,
    pub(super) sent_on: &'a str,
    pub(super) who: &'a str,
    pub(super) channel: &'a str,
    /// Kind of the announcement that a reference belongs to, and its paper.
    pub(super) kind: &'a str,
    pub(super) document: &'a str,
    pub(super) is_registered: bool,
    /// Place in the queue.
    pub(super) place: i64,
    /// When the office opens; empty while it is open.
    pub(super) opens: &'a str,
    /// Number and state of a complaint.
    pub(super) number: &'a str,
    pub(super) state: &'a str,
    /// What is kept; of long lists only so many are shown.
    pub(super) kept: Option<&'a KeptFact>,
    pub(super) shown: usize,
    /// Elements rated lately.
    pub(super) rated: usize,
    /// Day of a home delivery, and who receives it.
    pub(super) day: &'a str,
    pub(super) receiver: &'a str,
    /// What keeps the office from working.
    pub(super) outages: &'a [OutageFact],
    /// An appointment and what belongs to it.
    pub(super) visit: Option<&'a VisitHoles>,
    /// Officers who come to somebody.
    pub(super) home: Option<&'a HomeHoles>,
}

/// The longest reply, as WhatsApp takes it beside buttons.
pub(super) const MAX_CHARS: usize = 1_024;
/// Three parts of an SMS in GSM letters.
pub(super) const MAX_SMS_UNITS: usize = 3 * 153;
/// Bounds what a faulty template may cost.
const FUEL: u64 = 20_000;

/// Fills the holes of a text.
pub(super) fn render<T: Serialize>(source: &str, holes: T) -> Result<String, minijinja::Error> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    Ok(env.render_str(source.trim(), Serde(holes))?.trim().to_owned())
}

/// What is wrong with a rendered text that citizens read, if anything.
pub(super) fn fault(text: &str, is_sms: bool) -> Option<String> {
    let lower = text.to_lowercase();
    if text.trim().is_empty() {
        return Some("is empty".into());
    }
    if text.chars().count() > MAX_CHARS {
        return Some(format!("is longer than {MAX_CHARS} characters: shorten it"));
    }
    if text.contains('!') {
        return Some("has an exclamation mark: leave it out".into());
    }
    if ["http", "www.", "wa.me"].iter().any(|link| lower.contains(link)) {
        return Some("has a link, and citizens are told that we send none: leave it out".into());
    }
    if super::state::words(text).iter().any(|word| word == "otp") {
        return Some("has the word OTP: write \"kode\"".into());
    }
    if is_sms {
        return sms_fault(text);
    }
    None
}

/// Letters that a text takes of an SMS.
pub(super) fn sms_units(text: &str) -> usize {
    text.chars().map(|c| if "^{}\\[~]|".contains(c) { 2 } else { 1 }).sum()
}

fn sms_fault(text: &str) -> Option<String> {
    let is_gsm = |c: char| c == '\n' || (c.is_ascii_graphic() && c != '`') || c == ' ';
    if let Some(other) = text.chars().find(|c| !is_gsm(*c)) {
        return Some(format!("has `{other}`, which makes an SMS cost double: give an `sms` text"));
    }
    let units = sms_units(text);
    (units > MAX_SMS_UNITS)
        .then(|| format!("takes {units} letters as SMS, three parts hold {MAX_SMS_UNITS}: give a shorter `sms` text"))
}

impl LineText {
    /// The words for a channel, in a language as far as there is that.
    pub(super) fn source(&self, is_sms: bool, language: Language) -> &str {
        let (text, sms) = match (language, &self.en) {
            (Language::English, Some(en)) => (en, &self.en_sms),
            _ => (&self.text, &self.sms),
        };
        sms.as_deref().filter(|_| is_sms).unwrap_or(text)
    }

    /// Everything that is wrong with the line.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.en.is_none() {
            faults.push("has no `en`: whoever is answered in English would read Indonesian".into());
        }
        for &language in Language::ALL {
            for is_sms in [false, true] {
                for holes in Sample::all().iter().map(Sample::holes) {
                    let fault = match render(self.source(is_sms, language), holes) {
                        Ok(text) => fault(&text, is_sms),
                        Err(error) => {
                            Some(format!("cannot be rendered ({error:#}): check its holes"))
                        }
                    };
                    faults.extend(fault);
                }
            }
        }
        faults.dedup();
        faults
    }
}

/// A line as it may look, filled with a sample.
#[derive(Clone, Debug)]
pub struct LineSample {
    /// Its name in the files.
    pub name: &'static str,
    /// In a chat.
    pub chat: String,
    /// As SMS.
    pub sms: String,
    /// What stands on the buttons below it.
    pub buttons: Vec<String>,
}

impl LineText {
    /// The line filled with a sample that has most to say.
    pub(super) fn sample(
        &self,
        line: Line,
        language: Language,
        buttons: Vec<String>,
    ) -> LineSample {
        let samples = Sample::all();
        let fullest = |is_sms| {
            let filled = samples
                .iter()
                .filter_map(|sample| render(self.source(is_sms, language), sample.holes()).ok());
            filled.max_by_key(String::len).unwrap_or_default()
        };
        LineSample { name: line.as_str(), chat: fullest(false), sms: fullest(true), buttons }
    }
}
