//! Kabar tells Indonesian citizens what happens to their e-KTP.
//!
//! The modules in reading order, from the floor upward; each may use those above it in this list
//! as far as the table in the README allows:
//!
//! - `domain`: cards, people, messages; rules without input or output
//! - `template`, `understand`, `dialogue`: words, meaning, conversation; pure as well
//! - `store`, `channel`, `source`: our database, the providers, foreign files
//! - `service`: what the office does
//! - `web`, `worker`, `sandbox`: the outside, the loops, and stand-ins for providers
//! - `config`, `telemetry`, `cli`: how it is started

pub mod domain;

pub mod dialogue;
pub mod template;
pub use kabar_understand as understand;

pub mod channel;
pub mod source;
pub mod store;

pub mod service;

pub mod sandbox;
pub mod web;
pub mod worker;

pub mod config;
pub mod telemetry;
