//! Twilio, and whoever speaks its Messages API.
//!
//! It has no field that is echoed, but calls back an address that is given with each message:
//! our id rides in that address, which Twilio signs.

mod client;
pub mod codes;
pub mod webhook;

pub use client::{TwilioClient, TwilioSettings};
