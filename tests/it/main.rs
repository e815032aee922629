//! The service from outside: every journey of a card to a phone and of a citizen's words to an
//! answer, on both engines, with the clock and the provider in the test's hand.

mod support;

mod announce;
mod code;
mod consent;
mod crash;
mod quiet;
mod readme;
mod update;
