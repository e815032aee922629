//! WhatsApp through Meta's Cloud API.

pub mod client;
pub mod codes;
mod template;
pub mod webhook;

pub use client::{WhatsappClient, WhatsappSettings};
