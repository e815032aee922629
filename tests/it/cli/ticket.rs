//! `kabar ticket` and `kabar survey`: what an officer does on a machine without the console.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use kabar::config::Config;
use kabar::domain::area::AreaCode;
use kabar::domain::clock::{Clock as _, SystemClock};
use kabar::domain::id::{ContactId, IdSource, TicketId};
use kabar::domain::message::ChannelKind;
use kabar::domain::outbound::Recipient;
use kabar::domain::phone::PhoneNumber;
use kabar::domain::survey::{Element, Score};
use kabar::domain::ticket::{ComplaintCategory, TicketKind};
use kabar::store::Db;
use kabar::store::contact::record_inbound;
use kabar::store::survey::{Rating, count_rating};
use kabar::store::ticket::{NewTicket, insert_ticket};

use crate::support::meta::FakeMeta;
use crate::support::{Office, list};

async fn database(office: &Office) -> Db {
    let config = Config::load(Path::new(&office.config()), std::iter::empty()).unwrap();
    Db::open(&config.database_url, Arc::new(config.sealer)).await.unwrap()
}

/// An office with a talk and a complaint of somebody who wrote just now; their ids.
async fn office(meta: &FakeMeta) -> (Office, [TicketId; 2]) {
    let office = Office::with_account(meta).await;
    let db = database(&office).await;
    let (ids, now) = (IdSource::default(), SystemClock.now());
    let mut tx = db.begin().await.unwrap();
    let from = Recipient::of_phone(PhoneNumber::parse("0812-3456-0001").unwrap());
    let contact: ContactId = ids.next(now);
    let key = (ChannelKind::Whatsapp, "wa");
    record_inbound(&mut tx, &db, key, &from, contact, now).await.unwrap();
    let talk = NewTicket {
        id: ids.next(now),
        kind: TicketKind::Human,
        number: None,
        contact,
        account: "wa",
        area: None,
        category: None,
        text: None,
        due_at: None,
    };
    let complaint = NewTicket {
        id: ids.next(now),
        kind: TicketKind::Complaint,
        number: Some("P-7KQ4"),
        category: Some(ComplaintCategory::Pungli),
        text: Some("disuruh bayar di balai desa"),
        ..talk
    };
    for new in [&talk, &complaint] {
        assert!(insert_ticket(&mut tx, &db, new, now).await.unwrap());
    }
    let made = [talk.id, complaint.id];
    tx.commit().await.unwrap();
    db.close().await;
    (office, made)
}

#[tokio::test]
async fn an_officer_lists_shows_takes_answers_and_closes() {
    let meta = FakeMeta::start().await;
    let (office, [talk, complaint]) = office(&meta).await;
    let (talk, complaint) = (talk.to_string(), complaint.to_string());
    let listed = office.run(&["ticket", "list"]).await;
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{listed:?}");
    assert!(lines[0].starts_with(&talk) && lines[0].contains("human"), "{listed:?}");
    assert!(lines[1].contains("P-7KQ4") && lines[1].contains("PUNGLI"), "{listed:?}");
    assert!(!listed.stdout.contains("balai desa"), "a list says nothing of what was written");

    let shown = office.run(&["ticket", "show", &complaint, "--by", "Rina"]).await;
    assert!(shown.stdout.contains("disuruh bayar di balai desa"), "{shown:?}");
    assert!(shown.stdout.contains("looked   Rina"), "who looks is noted: {shown:?}");

    let taken = office.run(&["ticket", "take", &talk, "--by", "Rina"]).await;
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let again = office.run(&["ticket", "take", &talk]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("hint: "), "{again:?}");
    let reply = office.run(&["ticket", "reply", &talk, "Mohon bawa KK.", "--by", "Rina"]).await;
    assert_eq!(reply.code, Some(0), "{reply:?}");
    assert_eq!(office.count("message").await, 1);
    let closed = office.run(&["ticket", "close", &talk]).await;
    assert!(closed.stdout.contains("the citizen is told"), "{closed:?}");
    let left = office.run(&["ticket", "list", "--json"]).await;
    assert_eq!(list(&left.json()["tickets"]).len(), 1);
    let all = office.run(&["ticket", "list", "--all", "--json"]).await;
    assert_eq!(list(&all.json()["tickets"])[0]["taken_by"], "Rina");
}

#[tokio::test]
async fn the_survey_prints_each_element_and_the_index_once_there_is_enough() {
    let office = Office::init().await;
    let empty = office.run(&["survey"]).await;
    assert!(empty.stdout.contains("belum cukup"), "{empty:?}");
    let db = database(&office).await;
    let area = AreaCode::parse("35.17.09.2018").unwrap();
    let mut tx = db.begin().await.unwrap();
    for &element in Element::ALL {
        for n in 0..30 {
            let score = Score::new(if n % 2 == 0 { 3 } else { 4 }).unwrap();
            let day = NaiveDate::from_ymd_opt(2026, 11, 1 + n % 20).unwrap();
            let rating = Rating { document: None, area: &area, element, score, day };
            count_rating(&mut tx, &rating).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    db.close().await;
    let full = office.run(&["survey", "--area", "35.17.09"]).await;
    assert!(full.stdout.contains("IKM 87.50, mutu B"), "{full:?}");
    for args in [["--area", "35.18"], ["--since", "2026-11-10"]] {
        let part = office.run(&[&["survey"], args.as_slice()].concat()).await;
        assert!(part.stdout.contains("IKM belum cukup"), "{part:?}");
    }
    assert_eq!(full.code, Some(0));
}
