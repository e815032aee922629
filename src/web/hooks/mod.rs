//! Webhooks: verify on the raw bytes, store every event, and only then answer 200.

pub(super) mod whatsapp;
