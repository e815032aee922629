//! A folder into which an office puts its spreadsheets: from a file to a phone, and to a report for
//! whoever put it there.

use std::collections::BTreeMap;
use std::fs;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use kabar::domain::area::AreaCode;
use kabar::service::intake::Tally;
use kabar::service::watch::{Step, Watched, step};
use kabar::source::SourceError;
use kabar::source::folder::{Folder, FolderSettings};
use kabar::source::spreadsheet::Mapping;
use rust_xlsxwriter::Workbook;

use crate::support::log::Log;
use crate::support::{Start, TestApp, citizen, list, on_both_engines, word};

const SETTLE: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);
/// In the terms of a person at the desk: heading, and rows of citizen and status.
const HEADING: &str = "NIK;Nama;No HP;Status;Kode Wilayah";

/// A folder that is watched, in a folder of its own.
struct Inbox {
    _around: tempfile::TempDir,
    path: PathBuf,
}

impl Inbox {
    fn new() -> Self {
        let around = tempfile::tempdir().unwrap();
        let path = around.path().join("masuk");
        fs::create_dir(&path).unwrap();
        Self { _around: around, path }
    }

    /// What a process that has just started knows of it: nothing.
    fn watched(&self) -> Watched {
        let columns = Mapping::parse([("status".to_owned(), vec!["Stat Dinas".to_owned()])]);
        let columns = columns.unwrap();
        let settings = FolderSettings { path: self.path.clone(), settle: SETTLE, columns };
        Watched {
            id: "masuk".to_owned(),
            area: AreaCode::parse("35.17").unwrap(),
            every: SETTLE,
            scan_at: None,
            hold_over: 100,
            source: Arc::new(Folder::new(settings)),
        }
    }

    /// The office that watches it.
    async fn watched_by(&self, mut start: Start) -> TestApp {
        start.sources = vec![self.watched()];
        start.open().await
    }

    /// The same after its first look, which found nothing.
    async fn of_old(&self, start: Start) -> TestApp {
        let app = self.watched_by(start).await;
        look(&app).await;
        app
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path.join(name), content).unwrap();
    }

    fn has(&self, name: &str) -> bool {
        self.path.join(name).symlink_metadata().is_ok()
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(format!("{name}.laporan.txt"))).unwrap()
    }

    /// Names of the files in a folder below it, without reports.
    fn names(&self, below: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path.join(below)) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".laporan.txt"))
            .collect();
        names.sort();
        names
    }
}

fn csv(rows: &[(usize, &str)]) -> String {
    let rows = rows.iter().map(|(n, status)| {
        let of = citizen(*n);
        format!("{};{};{};{status};{}\r\n", of.nik, of.name, of.phone, of.area)
    });
    format!("{HEADING}\r\n{}", rows.collect::<String>())
}

fn xlsx(rows: &[(usize, &str)]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Cetak").unwrap();
    for (row, line) in (0..).zip(csv(rows).lines()) {
        for (column, text) in (0..).zip(line.split(';')) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    book.add_worksheet().set_name("Rekap").unwrap().write_string(0, 0, "jumlah").unwrap();
    book.save_to_buffer().unwrap()
}

fn tally(step: &Step) -> Tally {
    match step {
        Step::Read(tally) => *tally,
        other => panic!("not read: {other:?}"),
    }
}

async fn look(app: &TestApp) -> Tally {
    tally(&app.look_and_tell().await[0])
}

/// Looks until what was put there has settled and is taken.
async fn take(app: &TestApp) -> Tally {
    look(app).await;
    app.clock.advance(SETTLE);
    look(app).await
}

fn told(app: &TestApp) -> Vec<String> {
    app.whatsapp.sent().iter().map(|sent| sent.template().to_owned()).collect()
}

async fn notices(app: &TestApp) -> Vec<(String, String)> {
    let answer = app.get("/v1/notices").await;
    let all = list(&answer["notices"]);
    all.iter().map(|notice| (word(&notice["kind"]), word(&notice["detail"]))).collect()
}

/// Drives something so often and then drops it, as a process does that dies.
async fn polled<T>(job: impl Future<Output = T>, mut times: usize) -> Option<T> {
    let mut job = pin!(job);
    poll_fn(|context| match job.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if times == 0 => Poll::Ready(None),
        Poll::Pending => {
            times -= 1;
            Poll::Pending
        }
    })
    .await
}

on_both_engines! {
    async fn a_file_is_taken_when_it_has_stopped_growing(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        inbox.put("kartu.csv", csv(&[(1, "tercetak")]));
        look(&app).await;
        app.clock.advance(SETTLE);
        inbox.put("kartu.csv", csv(&[(1, "tercetak"), (2, "tercetak")]));
        assert_eq!(look(&app).await.seen, 0, "it has grown since");
        app.clock.advance(Duration::from_secs(9));
        assert_eq!(look(&app).await.seen, 0, "not long enough ago");
        assert!(inbox.has("kartu.csv"));

        app.clock.advance(Duration::from_secs(1));
        let tally = look(&app).await;
        assert_eq!((tally.seen, tally.new, tally.announced), (2, 2, 2));
        assert_eq!(told(&app), ["kabar_card_printed_v1"; 2]);
        assert_eq!((inbox.names("."), inbox.names("done")), (vec![], vec!["kartu.csv".to_owned()]));
        let report = inbox.report("done/kartu.csv");
        assert!(report.contains("Berkas : kartu.csv\r\n"), "{report}");
        assert!(report.contains("Waktu  : 23 November 2026, 09.00 WIB\r\n"), "{report}");
        assert!(report.contains("- kartu baru   : 2\r\n"), "{report}");
        assert!(report.contains("Pesan disiapkan: 2\r\n"), "{report}");
    }

    async fn an_upload_that_stands_still_is_given_longer_to_go_on(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let whole = csv(&[(1, "tercetak"), (2, "tercetak")]);
        let (half, _) = whole.split_at(whole.len() - 20);
        inbox.put("kartu.csv", half);
        look(&app).await;
        app.clock.advance(SETTLE * 5);
        assert_eq!(look(&app).await.seen, 0);
        inbox.put("kartu.csv", &whole);
        assert_eq!(take(&app).await.announced, 2);

        inbox.put("tanpa.csv", csv(&[(3, "tercetak")]).trim_end());
        look(&app).await;
        app.clock.advance(SETTLE * 5);
        assert_eq!(look(&app).await.seen, 0);
        app.clock.advance(SETTLE);
        assert_eq!(look(&app).await.seen, 1, "some programs never write the last one");
    }

    async fn whatever_excel_writes_is_read(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let mut windows = csv(&[(1, "tercetak")]).replace("Budi", "Ren\u{e9}e");
        windows = windows.replace("Nama", "Nama\u{a0}Lengkap");
        let windows: Vec<u8> = windows.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        inbox.put("windows.csv", windows);
        inbox.put("excel.xlsx", xlsx(&[(2, "siap ambil"), (3, "terbangg")]));
        inbox.put("koma.csv", csv(&[(4, "tercetak")]).replace(';', ","));
        inbox.put("bom.csv", format!("\u{feff}{}", csv(&[(5, "tercetak")]).replace(';', "\t")));
        let own = csv(&[(9, "tercetak")]).replace("Status", "Stat Dinas").replace(';', "\t");
        let unicode = own.encode_utf16().flat_map(u16::to_le_bytes);
        inbox.put("unicode.txt", [0xFF, 0xFE].into_iter().chain(unicode).collect::<Vec<u8>>());
        let tally = take(&app).await;
        assert_eq!((tally.seen, tally.new, tally.rejected), (6, 5, 1));
        let all = ["bom.csv", "excel.xlsx", "koma.csv", "unicode.txt", "windows.csv"];
        assert_eq!(inbox.names("done"), all);
        let name = app.whatsapp.sent_to(&citizen(1).e164)[0].param("addressee");
        assert!(name.contains("Ren\u{e9}e"), "{name}");
        let report = inbox.report("done/excel.xlsx");
        assert!(report.contains("- lembar Cetak, baris 3: statusnya tidak dikenal\r\n"), "{report}");
        assert!(report.contains("Status: Rekap.\r\n"), "{report}");
    }

    async fn the_same_file_twice_changes_nothing_whatever_it_is_called(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        inbox.put("kartu.csv", csv(&[(1, "tercetak")]));
        take(&app).await;
        inbox.put("lain.csv", csv(&[(1, "siap ambil")]));
        take(&app).await;
        assert_eq!(told(&app), ["kabar_card_printed_v1", "kabar_ready_to_collect_v2"]);

        // Last week's file, by mistake: it would take everybody a step back.
        for name in ["kartu.csv", "salinan.csv"] {
            inbox.put(name, csv(&[(1, "tercetak")]));
            assert_eq!(take(&app).await, Tally::default());
        }
        assert_eq!(told(&app).len(), 2);
        assert_eq!(
            inbox.names("done"),
            ["kartu 20261123-090030.csv", "kartu.csv", "lain.csv", "salinan.csv"],
            "none is lost"
        );
        let report = inbox.report("done/salinan.csv");
        assert!(report.contains("sudah diambil pada 23 November 2026, 09.00 WIB"), "{report}");
        assert!(report.contains("- kartu baru   : 1\r\n"), "what came of it then: {report}");
        assert!(inbox.report("done/kartu.csv").contains("dibaca sampai selesai"));
    }

    async fn a_state_that_comes_back_in_another_file_is_seen(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        for (n, status) in ["siap cetak", "tercetak", "siap cetak", "tercetak"].iter().enumerate() {
            // Others are in each file, as in every new list of an office.
            inbox.put("kartu.csv", csv(&[(1, status), (10 + n, "tercetak")]));
            let tally = take(&app).await;
            assert_eq!((tally.changed, tally.unchanged), (2, 0), "{n}: {status}");
        }
        let of_one = app.query(
            "SELECT u.status FROM card_update u JOIN card c ON c.id = u.card_id WHERE c.id = \
             (SELECT card_id FROM card_update ORDER BY id LIMIT 1) ORDER BY u.id",
        );
        let words: Vec<String> = of_one.await.into_iter().flatten().collect();
        assert_eq!(words, ["ready_to_print", "printed", "ready_to_print", "printed"]);
    }

    async fn a_list_that_grows_tells_only_of_what_is_new_in_it(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let row = |n: usize, day: &str| format!("{};tercetak;{};{day}\n", citizen(n).nik, citizen(n).phone);
        let heading = "NIK;Status;No HP;Tanggal\n";
        inbox.put("cetak.csv", format!("{heading}{}{}", row(1, "2026-11-22"), row(2, "2026-11-23")));
        assert_eq!(take(&app).await.announced, 2);
        let rows = [row(3, "2026-11-23"), row(1, "2026-11-22"), row(2, "2026-11-23")].concat();
        inbox.put("cetak.csv", format!("{heading}{rows}"));
        let tally = take(&app).await;
        assert_eq!((tally.seen, tally.unchanged, tally.announced), (3, 2, 1));
    }

    async fn somebody_named_twice_in_a_file_is_told_the_last_word(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let rows = [(1, "tercetak"), (2, "tercetak"), (1, "siap ambil"), (2, "tercetak")];
        inbox.put("kartu.csv", csv(&rows));
        let tally = take(&app).await;
        assert_eq!((tally.seen, tally.new, tally.unchanged, tally.rejected), (4, 2, 2, 0));
        let sent = |n: usize| app.whatsapp.sent_to(&citizen(n).e164);
        assert_eq!(sent(1).len(), 1);
        assert_eq!(sent(1)[0].template(), "kabar_ready_to_collect_v2");
        assert_eq!(sent(2).len(), 1);
    }

    async fn what_lay_there_before_anybody_watched_is_recorded_in_silence(start: Start) {
        let inbox = Inbox::new();
        inbox.put("lama.csv", csv(&[(1, "tercetak"), (2, "tercetak")]));
        let app = inbox.watched_by(start).await;
        let tally = take(&app).await;
        assert_eq!((tally.new, tally.announced), (2, 0));
        assert!(inbox.report("done/lama.csv").contains("tanpa memberi tahu siapa pun"));

        inbox.put("baru.csv", csv(&[(1, "siap ambil"), (2, "tercetak")]));
        assert_eq!(take(&app).await.announced, 1);
        assert_eq!(told(&app), ["kabar_ready_to_collect_v2"]);
        assert!(!inbox.report("done/baru.csv").contains("tanpa memberi tahu"));
    }

    async fn a_file_that_changes_very_many_cards_waits_for_a_word_of_the_office(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let rows: Vec<(usize, &str)> = (1..=101).map(|n| (n, "tercetak")).collect();
        inbox.put("kartu.csv", csv(&rows));
        let tally = take(&app).await;
        assert_eq!((tally.changed, tally.held, tally.announced), (101, 101, 0));
        assert_eq!(told(&app), [""; 0]);
        assert_eq!(notices(&app).await[0].0, "held");
        let report = inbox.report("done/kartu.csv");
        assert!(report.contains("Pesan ditahan  : 101, menunggu keputusan kantor"), "{report}");
    }

    async fn a_process_that_dies_at_any_moment_repeats_nothing_and_misses_nothing(start: Start) {
        // Some chunks, so that there is a middle in which to die.
        const PEOPLE: usize = 700;
        let inbox = Inbox::new();
        let mut app = inbox.of_old(start).await;
        let rows: Vec<(usize, &str)> = (1..=PEOPLE).map(|n| (n, "tercetak")).collect();
        inbox.put("kartu.csv", csv(&rows));
        let mut times = 4;
        let mut deaths = 0;
        let mut halfway = 0;
        loop {
            // Another process, after the lease of the one that died; it looks twice again.
            let watched = Watched { hold_over: 1000, ..inbox.watched() };
            let owner = format!("process {times}");
            app.clock.advance(MINUTE);
            step(&app.app, &watched, &owner).await.unwrap();
            app.clock.advance(SETTLE);
            match polled(Box::pin(step(&app.app, &watched, &owner)), times).await {
                None => {
                    deaths += 1;
                    // With it go its connections, and what they had not committed.
                    app = app.restart().await;
                }
                Some(done) => {
                    assert!(matches!(done, Ok(Step::Read(_))), "{done:?}");
                    break;
                }
            }
            let taken = app.query("SELECT COUNT(*) FROM card_update").await[0][0].parse();
            halfway += usize::from((1..PEOPLE).contains(&taken.unwrap()));
            times += times / 6 + 1;
        }
        assert!(deaths > 8 && halfway > 0, "too few to prove anything: {deaths}, {halfway}");
        app.run_until_idle().await;
        let mut sent: BTreeMap<String, usize> = BTreeMap::new();
        for message in app.whatsapp.sent() {
            *sent.entry(message.to().to_owned()).or_default() += 1;
        }
        assert_eq!(sent.len(), PEOPLE, "nobody is missed");
        assert!(sent.values().all(|times| *times == 1), "nobody hears twice");
        assert_eq!(app.query("SELECT COUNT(*) FROM card_update").await, [[PEOPLE.to_string()]]);
        assert_eq!((inbox.names("."), inbox.names("done")), (vec![], vec!["kartu.csv".to_owned()]));
        assert_eq!(app.query("SELECT result FROM source_file").await, [["done"]]);
    }

    async fn a_file_that_cannot_be_moved_is_read_once_and_said_once(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        // A folder in which nobody can make a file, not even root.
        fs::create_dir(inbox.path.join("failed")).unwrap();
        std::os::unix::fs::symlink("/proc", inbox.path.join("done")).unwrap();
        inbox.put("kartu.csv", csv(&[(1, "tercetak")]));
        assert_eq!(take(&app).await.announced, 1);
        for _ in 0..3 {
            app.clock.advance(MINUTE);
            assert_eq!(look(&app).await, Tally::default());
        }
        let said = notices(&app).await;
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].0, "source_failing");
        assert!(said[0].1.contains("cannot be moved to done"), "{said:?}");
        assert!(!said[0].1.contains("kartu.csv"), "a name may be a person's: {said:?}");

        fs::remove_file(inbox.path.join("done")).unwrap();
        look(&app).await;
        assert_eq!(inbox.names("done"), ["kartu.csv"]);
        assert!(inbox.report("done/kartu.csv").contains("Pesan disiapkan: 1\r\n"));
        assert_eq!(notices(&app).await, []);
        assert_eq!(told(&app).len(), 1);
    }

    async fn what_cannot_be_read_goes_to_failed_with_a_report_that_says_what_to_do(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let protected = [&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..], &[7; 600]].concat();
        let workbook = xlsx(&[(1, "tercetak")]);
        let files = [
            ("surat.pdf", b"%PDF-1.7 surat".to_vec(), "bukan lembar kerja"),
            ("judul.csv", b"Nama;Alamat\r\nSiti Aminah;Jabon\r\n".to_vec(), "ditemukan: NIK, status"),
            ("sandi.xlsx", protected, "kata sandi"),
            ("putus.xlsx", workbook[..workbook.len() / 2].to_vec(), "rusak"),
        ];
        for (name, content, _) in &files {
            inbox.put(name, content);
        }
        let tally = take(&app).await;
        assert_eq!((tally.seen, tally.rejected), (0, 4), "a file counts as much as a row");
        assert_eq!(inbox.names("failed").len(), 4);
        assert_eq!(inbox.names("done"), [""; 0]);
        for (name, _, words) in files {
            let report = inbox.report(&format!("failed/{name}"));
            assert!(report.contains("TIDAK terbaca.") && report.contains("Lakukan: "), "{report}");
            assert!(report.contains(words), "{report}");
            assert!(!report.contains("Aminah"), "{report}");
        }

        // The same file again is tried again: what was wrong may have been on our side.
        inbox.put("surat.pdf", "%PDF-1.7 surat");
        assert_eq!(take(&app).await.rejected, 1);
        assert_eq!(inbox.names("failed").len(), 5);
    }

    async fn the_rows_before_a_fault_count_and_the_report_says_where_it_is(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let whole = csv(&[(1, "tercetak"), (2, "tercetak")]);
        let rest = format!("{};\"{}", citizen(3).nik, "baris berikut\r\n".repeat(100_000));
        inbox.put("kartu.csv", format!("{whole}{rest}"));
        let tally = take(&app).await;
        assert_eq!((tally.seen, tally.announced), (2, 2));
        let report = inbox.report("failed/kartu.csv");
        assert!(report.contains("berhenti di baris 4.\r\n"), "{report}");
        assert!(report.contains("Baris sebelum itu sudah dicatat"), "{report}");

        inbox.put("kartu.csv", csv(&[(1, "tercetak"), (2, "tercetak"), (3, "tercetak")]));
        let tally = take(&app).await;
        assert_eq!((tally.unchanged, tally.announced), (2, 1));
        assert_eq!(told(&app).len(), 3);
    }

    async fn a_report_names_rows_and_reasons_and_no_citizen_and_nor_does_the_log(start: Start) {
        let log = Log::listen();
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let (siti, budi) = (citizen(6), citizen(7));
        let damaged = csv(&[(6, "tercetak"), (7, "melayang"), (8, "tercetak")]);
        let damaged = damaged.replace(&citizen(8).nik, "3.51709E+15");
        // No such province: taken, and somebody should look.
        let odd = format!("9917091204560009;{};0812-3456-9999;tercetak;35.17\r\n", siti.name);
        inbox.put("Siti Aminah.csv", format!("{damaged}{odd}"));
        let tally = take(&app).await;
        assert_eq!((tally.seen, tally.new, tally.rejected), (4, 2, 2));
        let report = inbox.report("done/Siti Aminah.csv");
        for line in [
            "- ditolak      : 2\r\n",
            "- baris 3: statusnya tidak dikenal\r\n- baris 4: NIK bukan 16 angka",
            "- baris 5: dicatat, tetapi NIK diawali kode provinsi yang tidak dikenal\r\n",
        ] {
            assert!(report.contains(line), "{report}");
        }
        let report = report.replace("Berkas : Siti Aminah.csv", "");
        let log = String::from_utf8_lossy(&log.bytes()).into_owned();
        let personal = [&siti.nik, &siti.phone, &siti.e164, &budi.nik, &budi.phone, "9917091204560009"];
        for word in personal.into_iter().chain(["Aminah", "melayang", "3.51709E+15"]) {
            assert!(!report.contains(word), "{report}");
            assert!(!log.contains(word), "{word} is in the log");
        }
    }

    async fn a_folder_that_is_not_there_is_said_and_made_by_nobody(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        fs::remove_dir(&inbox.path).unwrap();
        let steps = app.look().await;
        assert!(matches!(&steps[0], Step::Failed(SourceError::Misconfigured { .. })), "{steps:?}");
        assert_eq!(notices(&app).await[0].0, "source_failing");
        assert!(!inbox.path.exists(), "a disk that is not mounted must not be hidden");
        fs::create_dir(&inbox.path).unwrap();
        look(&app).await;
        assert_eq!(notices(&app).await, []);
    }

    async fn a_thousand_files_are_taken_some_at_a_time_in_their_order(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        for n in 1..=60 {
            let status = if n == 60 { "siap ambil" } else { "tercetak" };
            inbox.put(&format!("{n:02}.csv"), csv(&[(1 + n % 59, status)]));
        }
        look(&app).await;
        app.clock.advance(SETTLE);
        assert_eq!(look(&app).await.seen, 50);
        assert_eq!(inbox.names(".").len(), 10);
        // Told to look again at once.
        let again = app.app.sources[0].source.changed();
        assert_eq!(polled(again, 0).await, Some(()));
        let nothing_new = app.app.sources[0].source.changed();
        assert_eq!(polled(nothing_new, 0).await, None, "once, or a step that fails would spin");
        assert_eq!(look(&app).await.seen, 10);
        assert_eq!(polled(app.app.sources[0].source.changed(), 0).await, None);
        assert_eq!(told(&app).last().unwrap(), "kabar_ready_to_collect_v2", "the last one last");
    }

    async fn files_that_must_be_mended_first_do_not_keep_out_those_that_come_later(start: Start) {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        fs::create_dir(inbox.path.join("done")).unwrap();
        std::os::unix::fs::symlink("/proc", inbox.path.join("failed")).unwrap();
        for n in 1..=15 {
            inbox.put(&format!("{n:02}.csv"), format!("%PDF-1.{n}\n"));
        }
        take(&app).await;
        assert_eq!(inbox.names(".").len(), 15);
        for n in 1..=50 {
            inbox.put(&format!("{n:02}-baru.csv"), csv(&[(n, "tercetak")]));
        }
        look(&app).await;
        app.clock.advance(MINUTE);
        assert_eq!(look(&app).await.seen, 50);
        assert_eq!(inbox.names(".").len(), 15);
    }
}

#[tokio::test]
async fn what_is_not_meant_for_us_is_left_alone() {
    crate::support::run(kabar::store::Engine::Sqlite, async |start: Start| {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let outside = inbox.path.parent().unwrap().join("rahasia.csv");
        fs::write(&outside, csv(&[(1, "tercetak")])).unwrap();
        std::os::unix::fs::symlink(&outside, inbox.path.join("jalan.csv")).unwrap();
        fs::create_dir(inbox.path.join("lain")).unwrap();
        inbox.put("lain/dalam.csv", csv(&[(2, "tercetak")]));
        let waiting =
            [".sync.csv", "unduh.csv.part", "Belum.crdownload", "~$buka.xlsx", "kosong.csv"];
        for name in waiting {
            inbox.put(
                name,
                if name == "kosong.csv" { String::new() } else { csv(&[(3, "tercetak")]) },
            );
        }
        inbox.put("buka.xlsx", xlsx(&[(4, "tercetak")]));
        assert_eq!(take(&app).await.seen, 0);
        assert!(outside.exists() && inbox.has("jalan.csv") && inbox.has("lain/dalam.csv"));
        assert!(waiting.iter().all(|name| inbox.has(name)) && inbox.has("buka.xlsx"));
        assert!(!inbox.has("done"), "nothing was to be put away");

        fs::remove_file(inbox.path.join("~$buka.xlsx")).unwrap();
        fs::write(inbox.path.join("kosong.csv"), csv(&[(5, "tercetak")])).unwrap();
        assert_eq!(look(&app).await.seen, 1, "the workbook is closed");
        app.clock.advance(SETTLE);
        assert_eq!(look(&app).await.seen, 1, "the file has something in it");
    })
    .await;
}

#[tokio::test]
async fn a_mark_that_was_forgotten_is_believed_for_a_day() {
    crate::support::run(kabar::store::Engine::Sqlite, async |start: Start| {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        inbox.put("buka.ods", csv(&[(1, "tercetak")]));
        inbox.put(".~lock.buka.ods#", "siapa");
        look(&app).await;
        app.clock.advance(Duration::from_secs(23 * 3600));
        assert_eq!(look(&app).await.seen, 0);
        app.clock.advance(Duration::from_secs(3600));
        assert_eq!(look(&app).await.seen, 1);
    })
    .await;
}

#[tokio::test]
async fn another_process_leaves_the_folder_to_the_one_that_has_it() {
    crate::support::run(kabar::store::Engine::Sqlite, async |start: Start| {
        let inbox = Inbox::new();
        let app = inbox.of_old(start).await;
        let done = step(&app.app, &inbox.watched(), "another").await.unwrap();
        assert_eq!(done, Step::NotOurs);
    })
    .await;
}

/// The codes under which rows are rejected or looked at, as the program writes them.
fn codes() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = ["domain/raw_update.rs", "service/card.rs", "service/intake/mod.rs"];
    let mut codes = Vec::new();
    for file in files {
        let text = fs::read_to_string(source.join(file)).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
        for (at, call) in text.match_indices("Reason::new(") {
            let argument = text[at + call.len()..].trim_start();
            if let Some(code) = argument.strip_prefix('"') {
                codes.push(code.split('"').next().unwrap().to_owned());
            }
        }
    }
    codes
}

#[test]
fn every_reason_for_which_a_row_is_rejected_has_a_sentence_for_officers() {
    let page = kabar::template::FileReportPage::load(None).unwrap();
    let codes = codes();
    assert!(codes.len() > 10, "the codes are found: {codes:?}");
    let nik = ["invalid_nik", "unknown_area_prefix", "impossible_birth_date"].map(str::to_owned);
    for code in codes.into_iter().chain(nik) {
        assert!(page.knows(&code), "{code} has no sentence in pages/reasons.toml");
    }
}
