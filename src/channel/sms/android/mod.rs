//! SMS Gateway for Android: an app on a phone with a SIM, what a desa can afford.
//!
//! The app itself, or a server between it and us, takes our messages and posts what becomes of
//! them. We choose the message's id, so a repeat is recognised there and every receipt names it.

mod client;
pub mod codes;
pub mod webhook;

pub use client::{AndroidClient, AndroidSettings};
