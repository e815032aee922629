//! What the audit log says of every action and of what it was done to, in words.

use super::label::card_status;
use super::page::Page;
use crate::domain::audit::Action;

/// What was done.
pub(super) fn action_name(page: &Page, action: Action) -> &'static str {
    let (id, en) = words(action);
    if page.is_english() { en } else { id }
}

/// What it was done to, where that is a list or a search and no record with an id.
pub(super) fn object_name(page: &Page, object: &str) -> String {
    let (id, en) = match object {
        "failed_messages" => ("Daftar pesan gagal", "List of failed messages"),
        "visits" => ("Daftar kunjungan", "List of visits"),
        "names" => ("Daftar nama", "List of names"),
        "questions" => ("Daftar pertanyaan", "List of questions"),
        "report" => ("Laporan", "Report"),
        "audit" => ("Jejak audit", "Audit log"),
        "name" => ("dengan nama", "by name"),
        "nik" => ("dengan NIK", "by NIK"),
        "phone" => ("dengan nomor HP", "by phone"),
        "reference" => ("dengan nomor referensi", "by reference"),
        "digits" => ("dengan angka lain", "by other digits"),
        "nothing" => ("tanpa kata", "without a word"),
        other => {
            let status = other.strip_prefix("cards:").and_then(|word| word.parse().ok());
            return status.map_or_else(
                || other.to_owned(),
                |status| format!("{}: {}", page.t("Kartu", "Cards"), card_status(page, status)),
            );
        }
    };
    page.t(id, en).to_owned()
}

fn words(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::LoggedIn => ("Masuk", "Logged in"),
        Action::LoginFailed => ("Gagal masuk", "Was refused at login"),
        Action::LoggedOut => ("Keluar", "Logged out"),
        Action::Searched => ("Mencari warga", "Searched for people"),
        Action::LookedAtCard => ("Membuka kartu", "Looked at a card"),
        Action::LookedAtRound => ("Membuka putaran antar", "Looked at a delivery round"),
        Action::ReadConversation => ("Membaca percakapan", "Read a conversation"),
        Action::TookOver => ("Mengambil alih percakapan", "Took a conversation over"),
        Action::Answered => ("Menjawab warga", "Answered a citizen"),
        Action::HandedBack => ("Menyerahkan kembali percakapan", "Handed a conversation back"),
        Action::Exported => ("Mengunduh daftar", "Downloaded a list"),
        Action::Resolved => ("Menyelesaikan perubahan yang ditolak", "Settled a rejected update"),
        Action::DecidedHold => ("Memutuskan perubahan yang ditahan", "Decided held updates"),
        Action::ReleasedNumber => ("Membuka kembali nomor", "Released a number"),
        Action::RegisteredConsent => ("Mencatat persetujuan warga", "Registered consent"),
        Action::SentAgain => ("Mengirim ulang pesan", "Sent a message again"),
        Action::WroteBroadcast => ("Menulis siaran", "Wrote a broadcast"),
        Action::SubmittedBroadcast => ("Meminta persetujuan siaran", "Submitted a broadcast"),
        Action::ApprovedBroadcast => ("Menyetujui siaran", "Approved a broadcast"),
        Action::RejectedBroadcast => ("Mengembalikan siaran", "Sent a broadcast back"),
        Action::SentBroadcast => ("Mengirim siaran", "Sent a broadcast"),
        Action::TestedBroadcast => ("Mencoba siaran ke diri sendiri", "Tested a broadcast"),
        Action::PausedBroadcast => ("Menjeda siaran", "Paused a broadcast"),
        Action::ResumedBroadcast => ("Melanjutkan siaran", "Resumed a broadcast"),
        Action::CancelledBroadcast => ("Membatalkan siaran", "Cancelled a broadcast"),
        Action::RetriedBroadcast => ("Mengulang siaran yang gagal", "Retried failures"),
        Action::ChangedStaff => {
            ("Mengubah petugas tempat layanan", "Changed the staff of a service point")
        }
        Action::ChangedPoint => ("Mengubah tempat layanan", "Changed a service point"),
        Action::ChangedCalendar => ("Mengubah kalender", "Changed the calendar"),
        Action::Taught => ("Mengajarkan jawaban", "Taught an answer"),
        Action::SetAside => ("Mengesampingkan pertanyaan", "Set a question aside"),
        Action::ChangedAnswer => ("Mengubah jawaban", "Changed an answer"),
        Action::AddedOfficer => ("Menambah petugas", "Added an officer"),
        Action::ChangedOfficer => ("Mengubah petugas", "Changed an officer"),
        Action::DisabledOfficer => ("Mengunci petugas", "Locked an officer out"),
        Action::ChangedPassword => ("Mengganti kata sandi sendiri", "Changed their password"),
        Action::SetUpTotp => ("Mengaktifkan kode kedua", "Set up the second factor"),
        Action::MadeChatCode => ("Meminta kode Telegram", "Asked for a Telegram code"),
        Action::TiedChat => ("Menghubungkan Telegram", "Tied a Telegram chat"),
        Action::UntiedChat => ("Melepas Telegram", "Untied the Telegram chat"),
        Action::MadeToken => ("Membuat token API", "Made an API token"),
        Action::RevokedToken => ("Mencabut token API", "Revoked an API token"),
        Action::PlannedRound => ("Merencanakan putaran antar", "Planned a delivery round"),
        Action::AnnouncedRound => ("Mengabarkan putaran antar", "Announced a delivery round"),
        Action::ReassignedRound => {
            ("Mengganti kurir putaran antar", "Gave a delivery round to another courier")
        }
        Action::MovedRound => ("Memindahkan putaran antar", "Moved a delivery round"),
        Action::CancelledRound => ("Membatalkan putaran antar", "Cancelled a delivery round"),
        Action::StartedRound => ("Menyerahkan kartu ke kurir", "Gave a courier their cards"),
        Action::ClosedRound => ("Menutup putaran antar", "Closed a delivery round"),
        Action::OverrodeCode => {
            ("Menyerahkan kartu tanpa kode", "Handed a card over without its code")
        }
        Action::SettledItem => ("Menyelesaikan masalah antar", "Settled a delivery question"),
        Action::HandedOutCard => ("Menyerahkan kartu kepada warga", "Handed a card to its holder"),
        Action::DeniedCollection => {
            ("Memastikan kartu belum diambil", "Said that a card was not collected")
        }
        Action::HandedToDesa => ("Menyerahkan kartu ke desa", "Handed cards to a desa"),
        Action::EnteredBlanko => ("Mencatat blangko", "Entered blank cards"),
        Action::DeclaredOutage => ("Mengumumkan gangguan", "Declared an outage"),
        Action::LiftedOutage => ("Menyatakan gangguan selesai", "Lifted an outage"),
        Action::PlannedSessions => ("Membuat jadwal loket", "Planned a counter's hours"),
        Action::EndedPlan => ("Mengakhiri jadwal loket", "Ended a counter's hours"),
        Action::AddedSession => ("Menambah sesi layanan", "Put down a session"),
        Action::ChangedQuota => ("Mengubah kuota sesi", "Changed a session's quota"),
        Action::ShortenedSession => ("Memendekkan sesi layanan", "Made a session shorter"),
        Action::CalledOffSession => ("Membatalkan sesi layanan", "Called a session off"),
        Action::LookedAtSession => ("Membuka daftar sesi", "Looked at a session's list"),
        Action::BookedAppointment => ("Memberi tempat di sesi", "Gave somebody a place"),
        Action::OpenedAppointment => ("Membuka janji dengan kode", "Opened an appointment"),
        Action::SettledAppointment => ("Mencatat kedatangan", "Noted who came"),
        Action::CancelledAppointment => ("Membatalkan janji", "Cancelled an appointment"),
        Action::RequestedHomeVisit => ("Meminta kunjungan ke rumah", "Asked for a home visit"),
        Action::LookedAtUnclaimed => ("Membuka kartu belum diambil", "Looked at unclaimed cards"),
        Action::LookedAtHomeVisit => ("Membuka kunjungan ke rumah", "Looked at a home visit"),
        Action::ScheduledHomeVisit => ("Menjadwalkan kunjungan ke rumah", "Scheduled a home visit"),
        Action::SettledHomeVisit => ("Menyelesaikan kunjungan ke rumah", "Settled a home visit"),
    }
}
