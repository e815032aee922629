//! WhatsApp through Meta's Cloud API.

pub mod client;
pub mod codes;
mod limit;
mod media;
mod template;
pub mod webhook;

pub use client::{WhatsappClient, WhatsappSettings};
