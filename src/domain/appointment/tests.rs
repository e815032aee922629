//! The rules of a roll, over whatever may happen to it.

use chrono::NaiveTime;
use proptest::prelude::*;
use ulid::Ulid;

use super::*;
use crate::domain::service_session::held_of;

fn time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
}

fn roll(quota: i64) -> Roll {
    let window = (time(7, 30), time(11, 30));
    Roll { window, quota, held: held_of(quota, 20), open: None, entries: Vec::new() }
}

fn entry(n: u128, contact: Option<u128>, service: &str) -> Entry {
    Entry {
        id: AppointmentId::from(Ulid(n)),
        origin: if contact.is_some() { Origin::Chat } else { Origin::Desk },
        contact: contact.map(|n| ContactId::from(Ulid(n))),
        service: service.to_owned(),
        seat: None,
        comes: None,
        state: AppointmentState::Waiting,
    }
}

const EARLY: NaiveTime = NaiveTime::MIN;

#[test]
fn a_code_is_found_however_badly_an_officer_types_it() {
    for typed in ["J-7KQ4", "j7kq4", "7kq4", " j 7kq4 ", "J.7KQ4"] {
        assert_eq!(AppointmentCode::parse_typed(typed).unwrap().as_str(), "J-7KQ4", "{typed}");
    }
    for typed in ["", "7KQ", "P-7KQ4", "J-7K04", "J-7KQ44"] {
        assert_eq!(AppointmentCode::parse_typed(typed), Err(NotACode), "{typed}");
    }
    assert_eq!(AppointmentCode::parse_typed("jjjj").unwrap().as_str(), "J-JJJJ");
}

#[test]
fn a_code_is_found_in_a_sentence_and_a_word_is_none() {
    let found = |text| AppointmentCode::find_in(text).map(|code| code.to_string());
    assert_eq!(found("batal j-7kq4 ya").as_deref(), Some("J-7KQ4"));
    assert_eq!(found("nonton jkt48, lalu J-7KQ4").as_deref(), Some("J-7KQ4"));
    for text in
        ["janji saya kapan", "jadwal", "J-", "jeneng", "jam23 ya", "jkt48", "BATAL J7KQ4", ""]
    {
        assert_eq!(found(text), None, "{text}");
    }
    let guesses = |text| -> Vec<String> {
        AppointmentCode::guesses_in(text).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        guesses("batal j7kq4 jam23"),
        ["J-7KQ4", "J-AM23"],
        "only who has one of them means it"
    );
    assert_eq!(guesses("janji saya jeneng"), [""; 0]);
}

#[test]
fn who_waits_moves_up_in_order_and_the_chat_never_gets_what_is_kept() {
    let mut roll = roll(5);
    let join = |roll: &mut Roll, n: u128, contact| {
        roll.join(entry(n, contact, "req_ktp_lost"), EARLY, true)
    };
    for n in 1..=4 {
        assert!(matches!(join(&mut roll, n, Some(n)), Ok(Given::Seat(_))), "{n}");
    }
    assert_eq!(join(&mut roll, 5, Some(5)), Ok(Given::Line(1)));
    assert_eq!(join(&mut roll, 6, Some(6)), Ok(Given::Line(2)));
    assert_eq!(join(&mut roll, 7, Some(6)), Err(NoPlace::Twice));
    assert!(matches!(join(&mut roll, 8, None), Ok(Given::Seat(_))), "the one that is kept");
    assert_eq!(roll.join(entry(9, None, "req_kia"), EARLY, false), Err(NoPlace::Full));
    let id = |n| AppointmentId::from(Ulid(n));
    assert!(roll.happen(id(2), AppointmentEvent::Cancel));
    assert_eq!(roll.fill(EARLY), [id(5)]);
    assert_eq!(roll.place_in_line(id(6)), Some(1));
    assert_eq!(roll.entries()[4].comes, roll.entries()[1].comes, "the time that got free");
}

#[test]
fn nobody_passes_those_who_wait_and_nobody_is_told_a_time_that_has_passed() {
    let mut roll = roll(2);
    assert!(roll.join(entry(1, Some(1), "req_kia"), EARLY, true).is_ok());
    assert_eq!(roll.join(entry(2, Some(2), "req_kia"), EARLY, true), Ok(Given::Line(1)));
    assert!(roll.happen(AppointmentId::from(Ulid(1)), AppointmentEvent::Cancel));
    assert_eq!(roll.next_for_chat(EARLY), None);
    assert_eq!(roll.join(entry(3, Some(3), "req_kia"), EARLY, true), Ok(Given::Line(2)));
    assert_eq!(roll.fill(time(11, 0)), [], "both places lie before that");
}

#[test]
fn who_did_not_come_by_mistake_has_the_place_again_unless_another_has_it() {
    let mut roll = roll(2);
    assert!(roll.join(entry(1, Some(1), "req_kia"), EARLY, true).is_ok());
    let id = AppointmentId::from(Ulid(1));
    assert!(roll.happen(id, AppointmentEvent::Miss));
    let missed = roll.entries()[0].clone();
    let mut free = roll.clone();
    let back = free.take_back(missed.clone()).unwrap();
    assert_eq!((back.state, back.seat), (AppointmentState::Booked, missed.seat));
    assert_eq!(free.take_back(back), None, "only once");
    assert!(roll.join(entry(2, Some(2), "req_kia"), EARLY, true).is_ok());
    let back = roll.take_back(missed.clone()).unwrap();
    assert_eq!((back.seat, back.comes), (None, missed.comes), "they come besides");
}

#[test]
fn of_a_shorter_session_those_outside_its_hours_are_called_off_and_the_others_keep_their_time() {
    let mut roll = roll(10);
    for n in 1..=8 {
        assert!(roll.join(entry(n, Some(n), "req_kia"), EARLY, true).is_ok());
    }
    let before = roll.clone();
    roll.shorten((time(8, 0), time(9, 30)));
    assert_eq!((roll.quota, roll.held), (3, 1), "08.15, 08.40 and the kept 09.05");
    for (old, new) in before.entries().iter().zip(roll.entries()) {
        let is_in = old.comes.is_some_and(|comes| comes >= time(8, 0) && comes < time(9, 30));
        let state = if is_in { AppointmentState::Booked } else { AppointmentState::CalledOff };
        assert_eq!((new.state, new.comes), (state, old.comes));
    }
}

#[derive(Clone, Debug)]
enum Op {
    Chat(u128, bool),
    Desk,
    Happen(usize, AppointmentEvent),
    Fill,
    Resize(i64),
    Shorten(u32),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0_u128..6, any::<bool>()).prop_map(|(contact, is_kia)| Op::Chat(contact, is_kia)),
        2 => Just(Op::Desk),
        4 => (0_usize..30, proptest::sample::select(AppointmentEvent::ALL))
            .prop_map(|(at, event)| Op::Happen(at, event)),
        1 => Just(Op::Fill),
        1 => (1_i64..12).prop_map(Op::Resize),
        1 => (8_u32..11).prop_map(Op::Shorten),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_places_are_never_given_twice_and_the_kept_share_stays(
        quota in 1_i64..12, ops in proptest::collection::vec(op(), 0..60),
    ) {
        let mut roll = roll(quota);
        let mut is_resized = false;
        for (n, op) in (1..).zip(ops) {
            let before = roll.clone();
            match op {
                Op::Chat(contact, is_kia) => {
                    let service = if is_kia { "req_kia" } else { "req_ktp_lost" };
                    let _ = roll.join(entry(n, Some(contact), service), EARLY, true);
                }
                Op::Desk => {
                    let _ = roll.join(entry(n, None, "req_ktp_lost"), EARLY, false);
                }
                Op::Happen(at, event) => {
                    if let Some(id) = roll.entries.get(at).map(|entry| entry.id) {
                        let state = roll.entries[at].state;
                        let has_happened = roll.happen(id, event);
                        prop_assert_eq!(
                            has_happened,
                            !matches!(event, AppointmentEvent::MoveUp | AppointmentEvent::TakeBack)
                                && state.after(event).is_some()
                        );
                        let first = roll.entries.iter().find(|e| e.state == AppointmentState::Waiting);
                        let first = first.map(|entry| entry.id);
                        let moved = roll.fill(EARLY);
                        prop_assert!(moved.first().is_none_or(|id| Some(*id) == first));
                    }
                }
                Op::Fill => { roll.fill(EARLY); }
                Op::Resize(quota) => {
                    is_resized = true;
                    roll.resize(quota, held_of(quota, 20));
                    roll.fill(EARLY);
                }
                Op::Shorten(to) => {
                    // Who is called off leaves no place to those who wait.
                    is_resized = true;
                    roll.shorten((time(7, 30), time(to, 0)));
                    roll.fill(EARLY);
                }
            }
            prop_assert!(roll.taken() <= roll.quota);
            let seats: Vec<i64> =
                roll.entries.iter().filter(|e| e.state.takes_seat()).filter_map(|e| e.seat).collect();
            let different: BTreeSet<&i64> = seats.iter().collect();
            prop_assert_eq!(different.len(), seats.len(), "a place twice");
            prop_assert_eq!(i64::try_from(seats.len()).unwrap(), roll.taken());
            for (at, one) in roll.entries.iter().enumerate() {
                let same = |other: &&Entry| one.contact.is_some() && one.contact == other.contact
                    && one.service == other.service && one.state.is_open() && other.state.is_open();
                prop_assert!(roll.entries[at + 1..].iter().find(same).is_none(), "two for one");
            }
            if !is_resized {
                let chat = roll.entries.iter().filter(|e| e.state.takes_seat() && e.origin == Origin::Chat);
                prop_assert!(i64::try_from(chat.count()).unwrap() <= roll.quota - roll.held);
            }
            // Nobody waits beside a free place, but for who joined when one had been free for somebody else.
            if roll.waiting() > 0 && before.waiting() == 0 {
                prop_assert!(roll.free_seats(Origin::Chat, EARLY).is_empty());
            }
            // What is over stays as it is.
            for (old, new) in before.entries.iter().zip(&roll.entries) {
                if !old.state.is_open() {
                    // But for the number of their place, where the session was made shorter.
                    let seat = if old.state.takes_seat() { new.seat } else { old.seat };
                    prop_assert_eq!(&Entry { seat, ..old.clone() }, new);
                }
                if old.state == AppointmentState::Booked && new.state == AppointmentState::Booked {
                    prop_assert_eq!(old.comes, new.comes, "what was promised holds");
                }
            }
        }
    }
}
