//! What the courier's page says, in both languages: one list for the pages that the server makes and for the script,
//! which finds it on the page.

use crate::web::console::page::Page;

/// Key, Indonesian, English. `{n}` is a number.
pub(super) const WORDS: &[(&str, &str, &str)] = &[
    ("net.wait", "Menyambung…", "Connecting…"),
    ("net.on.0", "Tersambung", "Connected"),
    (
        "net.on",
        "Tersambung: {n} laporan belum diterima kantor",
        "Connected: {n} reports not yet taken by the office",
    ),
    (
        "net.off.0",
        "Tanpa sinyal: tidak ada laporan yang menunggu",
        "No network: no report is waiting",
    ),
    ("net.off", "Tanpa sinyal: {n} laporan menunggu", "No network: {n} reports waiting"),
    ("net.door.0", "Silakan masuk lagi", "Please log in again"),
    (
        "net.door",
        "Masuk lagi untuk mengirim: {n} laporan menunggu di HP ini",
        "Log in again to send: {n} reports wait on this phone",
    ),
    ("net.busy.0", "Server belum menjawab", "The server does not answer yet"),
    (
        "net.busy",
        "Server belum menjawab: {n} laporan menunggu",
        "The server does not answer yet: {n} reports waiting",
    ),
    ("net.refused.0", "Server menolak. Hubungi kantor", "The server refuses. Call the office"),
    (
        "net.refused",
        "Server menolak. Hubungi kantor: {n} laporan tetap di HP ini",
        "The server refuses. Call the office: {n} reports stay on this phone",
    ),
    (
        "shell",
        "Tersimpan di HP ini. Bisa dipakai tanpa sinyal.",
        "Kept on this phone. Works without network.",
    ),
    (
        "no_shell",
        "Peramban ini tidak bisa menyimpan halaman. Jangan tutup halaman saat tanpa sinyal.",
        "This browser cannot keep the page. Do not close it while there is no network.",
    ),
    (
        "not_kept",
        "HP ini tidak bisa menyimpan laporan. Tulis di lembar cetak.",
        "This phone cannot keep the report. Write it on the printed sheet.",
    ),
    (
        "leave",
        "{n} laporan belum terkirim. Laporan tetap di HP ini dan dikirim setelah Anda masuk lagi. Tetap keluar?",
        "{n} reports are not sent. They stay on this phone and are sent when you log in again. Log out?",
    ),
    ("round", "Putaran", "Round"),
    ("left", "Sisa {n}", "{n} left"),
    ("of", "dari {n} kartu", "of {n} cards"),
    ("tail", "Ref …", "Ref …"),
    ("queued", "Menunggu dikirim:", "Waiting to be sent:"),
    (
        "old_card_demanded",
        "Kantor ini mewajibkan KTP lama atau surat polisi. Bila tidak ada, pilih Belum bisa, lalu KTP lama tidak ada.",
        "This office demands the old card or a police letter. Without one choose Not possible, then Old card missing.",
    ),
    ("round.planned", "Direncanakan", "Planned"),
    ("round.announced", "Sudah diumumkan", "Announced"),
    ("round.out", "Sedang berjalan", "Under way"),
    ("round.closed", "Selesai", "Closed"),
    ("round.cancelled", "Batal", "Cancelled"),
    ("answer.home", "Akan di rumah", "Will be home"),
    ("answer.another_day", "Minta hari lain", "Asks for another day"),
    ("answer.family", "Diterima keluarga", "Family receives it"),
    ("answer.wrong_address", "Alamat salah", "Address is wrong"),
    ("answer.will_collect", "Akan mengambil sendiri", "Will collect it"),
    ("answer.not_me", "Bukan orangnya", "Is somebody else"),
    ("state.planned", "", ""),
    ("state.announced", "", ""),
    ("state.done", "Sudah diterima", "Received"),
    ("state.failed", "Belum diterima", "Not received"),
    ("state.left", "Tidak diantar di putaran ini", "Not brought on this round"),
    ("out.received", "Sudah diterima", "Received"),
    ("out.nobody_home", "Tidak ada orang di rumah", "Nobody home"),
    ("out.moved", "Sudah pindah", "Moved away"),
    ("out.died", "Sudah meninggal", "Died"),
    ("out.unclear_address", "Alamat tidak jelas", "Unclear address"),
    ("out.refused", "Menolak menerima", "Refused it"),
    ("out.old_card_missing", "KTP lama tidak ada", "Old card missing"),
    ("result.done", "Tercatat.", "Noted."),
    (
        "result.conflict",
        "Data di kantor sudah berubah. Laporan Anda disimpan, petugas kantor yang memutuskan.",
        "The office's data changed meanwhile. Your report is kept; the office decides.",
    ),
    (
        "result.wrong_code",
        "Kode salah. Tanyakan lagi kodenya, lalu catat lagi. Sisa {n} kali.",
        "Wrong code. Ask for it again, then report again. {n} tries left.",
    ),
    (
        "result.locked",
        "Kode terkunci karena terlalu sering salah. Hubungi petugas kantor.",
        "The code is locked after too many wrong tries. Call the office.",
    ),
    (
        "result.refused",
        "Laporan tidak diterima. Periksa isinya, lalu catat lagi.",
        "The report was not taken. Check it, then report again.",
    ),
    (
        "why.gone",
        "Putaran ini bukan milik Anda lagi, laporannya tidak terkirim. Sampaikan hasilnya ke petugas kantor.",
        "This round is no longer yours, and the report was not sent. Tell the office what came of it.",
    ),
    (
        "why.already_received",
        "Kartu ini sudah tercatat diterima. Laporan Anda disimpan, petugas kantor yang memeriksa.",
        "This card is on file as received. Your report is kept; the office looks into it.",
    ),
    (
        "why.round_cancelled",
        "Putaran ini dibatalkan. Laporan Anda disimpan, petugas kantor yang memutuskan.",
        "This round was cancelled. Your report is kept; the office decides.",
    ),
    (
        "why.left_round",
        "Kartu ini sudah dikeluarkan dari putaran. Laporan Anda disimpan, petugas kantor yang memutuskan.",
        "This card was taken off the round. Your report is kept; the office decides.",
    ),
    (
        "why.round_closed",
        "Putaran ini sudah ditutup. Laporan Anda disimpan, petugas kantor yang memutuskan.",
        "This round is closed. Your report is kept; the office decides.",
    ),
    (
        "why.not_with_courier",
        "Menurut catatan, kartu ini tidak Anda bawa. Laporan Anda disimpan, petugas kantor yang memeriksa.",
        "On file this card is not with you. Your report is kept; the office looks into it.",
    ),
    (
        "why.not_today",
        "Putaran ini belum waktunya. Catat lagi pada harinya.",
        "This round is not yet due. Report again on its day.",
    ),
    (
        "why.not_announced",
        "Warga ini belum dikabari kantor. Hubungi petugas kantor dulu.",
        "The office has not told this citizen yet. Call the office first.",
    ),
    (
        "why.code_to_come",
        "Warga ini punya nomor, tetapi kodenya belum dikirim. Tunggu kodenya, atau minta petugas kantor mencatat.",
        "This citizen has a number, and the code was not sent yet. Wait for it, or ask the office to note it.",
    ),
    (
        "why.failed",
        "Laporan ini gagal dicatat server. Hubungi petugas kantor.",
        "The server could not take this report. Call the office.",
    ),
    (
        "why.by_missing",
        "Siapa yang menerima belum diisi. Catat lagi.",
        "Who received it is missing. Report again.",
    ),
    (
        "why.receiver_missing",
        "Nama penerima belum diisi. Catat lagi.",
        "The receiver's name is missing. Report again.",
    ),
    (
        "why.reason_missing",
        "Alasan tanpa kode belum diisi. Catat lagi.",
        "The reason for no code is missing. Report again.",
    ),
    (
        "why.old_card_demanded",
        "KTP lama atau surat polisi wajib ada. Catat lagi.",
        "The old card or a police letter is needed. Report again.",
    ),
    (
        "why.needs_officer",
        "Warga ini mendapat kode. Tanpa kode hanya petugas kantor yang boleh mencatat.",
        "This citizen was told a code. Without it only the office may note it.",
    ),
    (
        "why.no_code_told",
        "Warga ini belum mendapat kode. Catat sebagai tanpa kode, dengan nama penerima dan alasannya.",
        "This citizen was told no code. Report it as without code, with receiver and reason.",
    ),
];

/// The words of a key within its group; empty for one that is not known.
pub(super) fn word(page: &Page, group: &str, key: &str) -> &'static str {
    let found = WORDS.iter().find(|(known, ..)| {
        known.strip_prefix(group).and_then(|rest| rest.strip_prefix('.')) == Some(key)
    });
    found.map_or("", |(_, id, en)| page.t(id, en))
}
