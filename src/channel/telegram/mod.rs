//! Telegram through a bot.
//!
//! Requests go out through teloxide (`call.rs`), updates come in at our webhook or by long polling
//! (`listen.rs`) and are understood here from their JSON, so that kinds teloxide does not know are
//! kept and not lost. Only private chats with people are ever answered.

mod call;
pub mod client;
pub mod codes;
mod letter;
mod listen;
pub mod webhook;

pub use call::Failure;
pub use client::{Mode, TelegramClient, TelegramSettings};
