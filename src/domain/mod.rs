//! What Kabar is about, in types that hold the rules: cards, people, messages, areas, times.
//!
//! No input or output and nothing asynchronous happens here, and nothing of ours is imported:
//! every other floor stands on this one.

pub mod absence;
pub mod appointment;
pub mod appointment_policy;
pub mod area;
pub mod attachment;
pub mod audience;
pub mod audit;
pub mod binding_code;
pub mod blanko;
pub mod broadcast;
pub mod calendar;
pub mod card;
pub mod card_plan;
pub mod clock;
pub mod collection;
pub mod consent;
pub mod custody;
pub mod day_words;
pub mod document;
pub mod gsm7;
pub mod home_visit;
pub mod id;
pub mod language;
pub mod message;
pub mod nik;
pub mod officer;
pub mod outage;
pub mod outbound;
pub mod person;
pub mod phone;
pub mod quiet_hours;
pub mod raw_update;
pub mod reason;
pub mod redact;
pub mod reference;
pub mod rhythm;
pub mod round;
pub mod service_point;
pub mod service_session;
pub mod snapshot;
pub mod status_word;
pub mod survey;
pub mod template_state;
pub mod ticket;
pub mod timetable;
pub mod word;
