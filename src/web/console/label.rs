//! What things are called on a page: states of cards and messages, papers, channels, and why a message failed with
//! what to do about it.
//!
//! Words for officers only, each in both languages; what citizens read stands in `message_templates`.

use super::page::Page;
use crate::domain::card::{AnnouncementKind, CardStatus};
use crate::domain::card_plan::UpdateOutcome;
use crate::domain::document::Document;
use crate::domain::message::{ChannelKind, MessageStatus, ReceiptKind};

/// Where a card is.
pub(super) fn card_status(page: &Page, status: CardStatus) -> &'static str {
    use CardStatus as S;
    let (id, en) = match status {
        S::NotRequired => ("Belum wajib KTP", "Too young for a card"),
        S::Unregistered => ("Belum rekam", "Not recorded yet"),
        S::Recorded => ("Sudah rekam", "Recorded"),
        S::Processing => ("Diproses di pusat", "In process at the centre"),
        S::EnrollmentFailed => ("Perekaman gagal", "Recording failed"),
        S::NeedsOperator => ("Perlu operator", "Needs an operator"),
        S::Adjudicated => ("Diperiksa pusat", "Examined at the centre"),
        S::Duplicate => ("Data ganda", "Recorded twice"),
        S::ReadyToPrint => ("Siap cetak", "Ready to print"),
        S::WaitingForBlank => ("Menunggu blanko", "Waiting for blank cards"),
        S::SentForPrinting => ("Sedang dicetak", "Being printed"),
        S::Printed => ("Sudah dicetak", "Printed"),
        S::Shipped => ("Dikirim ke tempat ambil", "Sent to where it is collected"),
        S::HomeDeliveryScheduled => ("Akan diantar", "Will be brought home"),
        S::ReadyToCollect => ("Siap diambil", "Ready to collect"),
        S::Issued => ("Sudah diterima warga", "Handed over"),
    };
    page.t(id, en)
}

/// Which paper.
pub(super) fn document(page: &Page, document: Document) -> &'static str {
    let (id, en) = match document {
        Document::KtpEl => ("KTP-el", "e-KTP"),
        Document::Kia => ("KIA", "Child's card (KIA)"),
        Document::Kk => ("Kartu keluarga", "Family card"),
        Document::AktaLahir => ("Akta kelahiran", "Birth certificate"),
        Document::AktaKematian => ("Akta kematian", "Death certificate"),
        Document::AktaKawin => ("Akta perkawinan", "Marriage certificate"),
        Document::AktaCerai => ("Akta perceraian", "Divorce certificate"),
        Document::Skpwni => ("Surat pindah (SKPWNI)", "Letter of moving"),
        Document::Biodata => ("Biodata", "Biodata"),
        Document::Suket => ("Surat keterangan", "Temporary letter"),
    };
    page.t(id, en)
}

/// A channel's name is the same in both languages.
pub(super) fn channel(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Whatsapp => "WhatsApp",
        ChannelKind::Telegram => "Telegram",
        ChannelKind::Sms => "SMS",
    }
}

/// Where a message is in its life.
pub(super) fn message_status(page: &Page, status: MessageStatus) -> &'static str {
    use MessageStatus as S;
    let (id, en) = match status {
        S::Queued => ("menunggu giliran", "waiting"),
        S::Sending => ("sedang dikirim", "being sent"),
        S::Unknown => ("menunggu kepastian", "outcome not known yet"),
        S::Sent => ("terkirim", "sent"),
        S::Delivered => ("sampai di HP", "on the phone"),
        S::Read => ("sudah dibaca", "read"),
        S::Failed => ("gagal", "failed"),
        S::Expired => ("lewat waktunya", "its time has passed"),
        S::Cancelled => ("tidak dikirim", "not sent"),
    };
    page.t(id, en)
}

/// A provider's later word.
pub(super) fn receipt(page: &Page, kind: ReceiptKind) -> &'static str {
    let (id, en) = match kind {
        ReceiptKind::Sent => ("Terkirim dari penyedia", "Left the provider"),
        ReceiptKind::Delivered => ("Sampai di HP", "On the phone"),
        ReceiptKind::Read => ("Dibaca", "Read"),
        ReceiptKind::Failed => ("Gagal disampaikan", "Could not be brought"),
    };
    page.t(id, en)
}

/// What became of an update.
pub(super) fn outcome(page: &Page, outcome: UpdateOutcome) -> &'static str {
    use UpdateOutcome as O;
    let (id, en) = match outcome {
        O::Announced => ("warga diberi tahu", "the citizen is told"),
        O::NotAnnounced => ("tidak diumumkan kantor ini", "not announced by this office"),
        O::Silent => ("dicatat tanpa pesan", "recorded without a message"),
        O::Older => ("lebih lama dari yang tercatat", "older than what is on file"),
        O::Unchanged => ("tidak ada yang baru", "nothing new"),
        O::StepBack => ("mundur satu tahap, tanpa pesan", "a step back, without a message"),
        O::Expired => ("sudah lewat waktunya", "its time has passed"),
        O::Held => ("ditahan sampai kantor memutuskan", "held until the office decides"),
        O::HolderAbsent => {
            ("pemilik meninggal atau pindah, tanpa pesan", "the holder died or moved: no message")
        }
    };
    page.t(id, en)
}

/// What a message was about: an announcement's kind, or an answer.
pub(super) fn subject(page: &Page, template: &str) -> &'static str {
    let Ok(kind) = template.parse() else { return page.t("Balasan", "Answer") };
    announcement(page, kind)
}

/// What an announcement tells, in two or three words.
pub(super) fn announcement(page: &Page, kind: AnnouncementKind) -> &'static str {
    use AnnouncementKind as A;
    let (id, en) = match kind {
        A::RecordingReceived => ("Perekaman diterima", "Recording received"),
        A::EnrollmentFailed => ("Perekaman gagal", "Recording failed"),
        A::ContactOffice => ("Diminta hubungi kantor", "Asked to contact the office"),
        A::ReadyToPrint => ("Siap cetak", "Ready to print"),
        A::WaitingForBlank => ("Menunggu blanko", "Waiting for blank cards"),
        A::CardPrinted => ("Kartu dicetak", "Card printed"),
        A::CardShipped => ("Kartu dikirim", "Card sent on"),
        A::HomeDeliveryScheduled => ("Jadwal antar", "Home delivery"),
        A::HomeDeliveryMoved => ("Jadwal antar berubah", "Home delivery moved"),
        A::ReadyToCollect => ("Siap diambil", "Ready to collect"),
        A::HomeDeliveryCode => ("Kode antar", "Hand-over code"),
        A::HomeDeliveryCancelled => ("Antar dibatalkan", "Home delivery cancelled"),
        A::HomeDeliveryMissed => ("Antar belum berhasil", "Brought in vain"),
        A::CardIssued => ("Sudah diterima", "Handed over"),
        A::SurveyInvitation => ("Undangan survei", "Survey invitation"),
        A::CollectionReminder => ("Pengingat ambil", "Reminder to collect"),
        A::OutageBegun => ("Gangguan layanan", "Outage"),
        A::OutageOver => ("Gangguan selesai", "Outage over"),
        A::AppointmentReminder => ("Pengingat janji", "Reminder of an appointment"),
        A::AppointmentMovedUp => ("Naik dari daftar tunggu", "Moved up from the waiting list"),
        A::AppointmentCancelled => ("Janji dibatalkan kantor", "Appointment called off"),
        A::AppointmentResumed => ("Janji tetap berlaku", "Appointment stands"),
        A::HomeVisitScheduled => ("Jadwal kunjungan rumah", "Home visit scheduled"),
        A::HomeVisitMoved => ("Kunjungan rumah dipindah", "Home visit moved"),
        A::HomeVisitReminder => ("Pengingat kunjungan rumah", "Reminder of a home visit"),
        A::HomeVisitDeclined => ("Kunjungan rumah ditolak", "Home visit declined"),
    };
    page.t(id, en)
}

/// Why something did not reach anybody, and what to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reason {
    /// Why.
    pub(super) why: &'static str,
    /// What to do next.
    pub(super) next: &'static str,
}

/// What failures have in common, whatever provider's code stands for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    NotThere,
    NoPhone,
    Unreachable,
    Blocked,
    OptedOut,
    Limited,
    Restricted,
    Window,
    Text,
    Account,
    Gateway,
    Unclear,
    NoReceipt,
    WrongPerson,
    Other,
}

/// The trouble behind a code. Codes of different providers do not overlap, but for Telegram's, which are HTTP's.
fn trouble(channel: Option<ChannelKind>, code: &str) -> Trouble {
    use Trouble as T;
    match code {
        "403" if channel == Some(ChannelKind::Telegram) => T::Blocked,
        "400" if channel == Some(ChannelKind::Telegram) => T::NotThere,
        // Not there; or no such number, no mobile number, or one that nobody has any more.
        "131026" | "suppressed" | "not_reachable" | "no_chat" | "21211" | "21614" | "30005"
        | "30006" | "1" | "0x0b" | "missing_receiver" | "empty_receiver" => T::NotThere,
        "no_phone" | "not_given" | "landline" | "foreign" | "no_account" => T::NoPhone,
        "30003" | "30008" | "30036" | "30410" | "EXPIRED" | "UNDELIV" | "0xfe" | "0x64"
        | "undelivered" => T::Unreachable,
        "130403" | "130497" | "131021" | "131030" => T::Blocked,
        "131050" | "21610" | "opted_out" | "no_marketing" => T::OptedOut,
        "130472" | "131049" | "131056" | "89" => T::Limited,
        "131048" | "368" | "131031" | "131064" => T::Restricted,
        "131047" | "window_closed" => T::Window,
        "100"
        | "33"
        | "131008"
        | "131009"
        | "131051"
        | "6"
        | "21617"
        | "30007"
        | "30004"
        | "REJECTD"
        | "template_not_supported"
        | "does_not_fit" => T::Text,
        "0" | "3" | "10" | "190" | "131005" | "131037" | "131042" | "131045" | "131055"
        | "131063" | "5" | "99" | "20003" | "20005" | "30002" | "401" => T::Account,
        "unknown_outcome" | "process_ended" | "timeout" => T::Unclear,
        "no_receipt" | "not_sent" => T::NoReceipt,
        "wrong_person" => T::WrongPerson,
        _ if code.starts_with("132") => T::Text,
        _ if code.starts_with("RESULT_") || code.starts_with("RIL_") => T::Gateway,
        _ => T::Other,
    }
}

/// Why, and what to do next, each in both languages.
const REASONS: &[(Trouble, [&str; 2], [&str; 2])] = &[
    (
        Trouble::NotThere,
        [
            "Nomor ini tidak terdaftar di sana atau tidak dipakai lagi.",
            "This number is not there, or no longer in use.",
        ],
        [
            "Minta nomor baru kepada warga, perbarui di SIAK, lalu kirim lagi; atau sampaikan langsung.",
            "Ask the citizen for a new number, update SIAK and send again; or tell them in person.",
        ],
    ),
    (
        Trouble::NoPhone,
        ["Belum ada nomor HP yang bisa dipakai.", "There is no usable phone number yet."],
        [
            "Sampaikan langsung dan catat nomornya di SIAK.",
            "Tell them in person and enter their number in SIAK.",
        ],
    ),
    (
        Trouble::Unreachable,
        ["HP tidak aktif atau di luar jangkauan.", "The phone is off or out of reach."],
        [
            "Coba kirim lagi besok; bila gagal lagi, sampaikan langsung.",
            "Send again tomorrow; if it fails again, tell them in person.",
        ],
    ),
    (
        Trouble::Blocked,
        [
            "Warga memblokir kami atau tidak bisa ditulisi di sana.",
            "The citizen blocked us, or cannot be written to there.",
        ],
        [
            "Jangan kirim lagi di saluran ini. Sampaikan langsung bila penting.",
            "Do not write there again. Tell them in person if it matters.",
        ],
    ),
    (
        Trouble::OptedOut,
        ["Warga meminta tidak dikirimi pesan.", "The citizen asked for no messages."],
        [
            "Hormati permintaannya; tidak perlu berbuat apa-apa.",
            "Respect it; nothing needs to be done.",
        ],
    ),
    (
        Trouble::Limited,
        [
            "Penyedia membatasi jumlah pesan ke orang ini.",
            "The provider limits messages to this person.",
        ],
        ["Kirim lagi besok.", "Send again tomorrow."],
    ),
    (
        Trouble::Restricted,
        [
            "Akun WhatsApp kantor dibatasi karena banyak keluhan.",
            "The office's WhatsApp account is restricted because of complaints.",
        ],
        [
            "Hentikan siaran; periksa mutu akun di WhatsApp Manager, lalu kirim lagi.",
            "Stop broadcasts; check the account's quality in WhatsApp Manager, then send again.",
        ],
    ),
    (
        Trouble::Window,
        [
            "Sudah lebih dari 24 jam sejak warga menulis di WhatsApp.",
            "It is more than 24 hours since the citizen wrote on WhatsApp.",
        ],
        ["Tunggu warga menulis lagi, atau telepon.", "Wait until they write again, or call them."],
    ),
    (
        Trouble::Text,
        ["Isi atau templat pesan ditolak.", "The message's text or template was refused."],
        [
            "Beri tahu administrator: periksa halaman Templat pesan. Sesudah diperbaiki, kirim lagi.",
            "Tell the administrator to check the page of message templates; once mended, send again.",
        ],
    ),
    (
        Trouble::Account,
        [
            "Akun pengirim bermasalah: kunci, pulsa, atau pembayaran.",
            "The sending account has a problem: key, credit or payment.",
        ],
        [
            "Beri tahu administrator; lihat bagian Akun pengirim. Sesudah diperbaiki, kirim lagi.",
            "Tell the administrator; see Sending accounts. Once mended, send again.",
        ],
    ),
    (
        Trouble::Gateway,
        ["HP pengirim SMS di kantor gagal mengirim.", "The office's SMS phone could not send."],
        [
            "Periksa pulsa, sinyal, dan kartu SIM HP pengirim, lalu kirim lagi.",
            "Check credit, signal and SIM of that phone, then send again.",
        ],
    ),
    (
        Trouble::Unclear,
        [
            "Penyedia tidak memberi kepastian; mungkin sampai, mungkin tidak.",
            "The provider gave no clear answer; it may have arrived.",
        ],
        [
            "Tanyakan kepada warga sebelum mengirim lagi, agar ia tidak menerima dua kali.",
            "Ask the citizen before sending again, so that they do not hear it twice.",
        ],
    ),
    (
        Trouble::NoReceipt,
        ["Tidak ada kabar bahwa pesan sampai.", "There is no word that the message arrived."],
        ["Sampaikan langsung, atau telepon.", "Tell them in person, or call."],
    ),
    (
        Trouble::WrongPerson,
        [
            "Pemegang nomor ini mengaku bukan orangnya.",
            "Whoever has this number says they are somebody else.",
        ],
        [
            "Jangan kirim lagi ke nomor ini. Minta nomor yang benar.",
            "Do not write to this number again. Ask for the right one.",
        ],
    ),
    (
        Trouble::Other,
        ["Penyedia menolak pesan.", "The provider refused the message."],
        [
            "Coba kirim lagi sekali; bila gagal, sampaikan langsung.",
            "Send again once; if it fails, tell them in person.",
        ],
    ),
];

/// Why a message failed, or no channel brought news, in words; `code` is a provider's or our own.
pub(super) fn reason(page: &Page, channel: Option<ChannelKind>, code: &str) -> Reason {
    let trouble = trouble(channel, code);
    let row = REASONS.iter().find(|row| row.0 == trouble);
    let [why, next] = row.map_or([["", ""]; 2], |row| [row.1, row.2]);
    Reason { why: page.t(why[0], why[1]), next: page.t(next[0], next[1]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_code_means_what_its_own_provider_means() {
        let telegram = Some(ChannelKind::Telegram);
        assert_eq!(trouble(telegram, "403"), Trouble::Blocked);
        assert_eq!(trouble(Some(ChannelKind::Whatsapp), "131026"), Trouble::NotThere);
        assert_eq!(trouble(Some(ChannelKind::Whatsapp), "132001"), Trouble::Text);
        assert_eq!(trouble(Some(ChannelKind::Sms), "RESULT_NO_SERVICE"), Trouble::Gateway);
        assert_eq!(trouble(None, "something new"), Trouble::Other);
    }

    #[test]
    fn every_trouble_has_its_words() {
        use Trouble as T;
        for trouble in [
            T::NotThere,
            T::NoPhone,
            T::Unreachable,
            T::Blocked,
            T::OptedOut,
            T::Limited,
            T::Restricted,
            T::Window,
            T::Text,
            T::Account,
            T::Gateway,
            T::Unclear,
            T::NoReceipt,
            T::WrongPerson,
            T::Other,
        ] {
            assert_eq!(REASONS.iter().filter(|row| row.0 == trouble).count(), 1, "{trouble:?}");
        }
    }
}
