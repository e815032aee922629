//! The service from outside: every journey of a card to a phone and of a citizen's words to an
//! answer, on both engines, with the clock and the provider in the test's hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where it stands"
)]

mod support;

mod account;
mod android;
mod announce;
mod api;
mod appointment;
mod blanko;
mod broadcast;
mod browser;
mod chaos;
mod cli;
mod code;
mod collection;
mod consent;
mod console_answer;
mod console_broadcast;
mod console_card;
mod console_consent;
mod console_office;
mod console_point;
mod console_report;
mod console_rights;
mod console_session;
mod console_talk;
mod console_template;
mod console_today;
mod conversation;
mod courier;
mod crash;
mod database_copy;
mod english;
mod floors;
mod folder;
mod gateway;
mod home_visit;
mod journey;
mod kannel;
mod opensid;
mod opensid_ground;
mod outage;
mod place;
mod point_staff;
mod question;
mod quiet;
mod reach;
mod readme;
mod receipt;
mod round;
mod round_mend;
mod round_office;
mod round_places;
mod secret;
mod session_closing;
mod shared_sql;
mod smpp;
mod smpp_kannel;
mod sql_source;
mod store;
mod survey;
mod telegram;
mod telegram_office;
mod telegram_officer;
mod ticket;
mod token;
mod twilio;
mod understanding;
mod update;
mod watch;
mod webhook;
mod wire;
mod wire_android;
mod wire_kannel;
mod wire_smpp;
mod wire_telegram;
mod wire_twilio;
mod wire_zenziva;
mod withdrawn;
