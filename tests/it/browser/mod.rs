//! The officers' console in a real browser: as somebody sees it, on a laptop and on a phone.
//!
//! Each journey is played twice in one browser, before either screen, by pressing what an officer would press.
//! What it passes is kept as pictures and judged by axe-core.

mod bare;
mod broadcast;
mod busy;
mod card;
mod courier;
mod delivery;
mod door;
mod morning;
mod outage;
mod pages;
mod refused;
mod session;
mod talk;

use crate::support::chrome::Chrome;
use crate::support::console::PASSWORD;

/// Logs somebody in who has been here before.
async fn log_in(chrome: &Chrome, login: &str) {
    chrome.goto("/console/masuk").await;
    chrome.fill("[name=login]", login).await;
    chrome.fill("[name=password]", PASSWORD).await;
    chrome.press("Masuk").await;
    chrome.has(".who .name").await;
}

/// Logs out.
async fn log_out(chrome: &Chrome) {
    chrome.press("Keluar").await;
    chrome.has("[name=login]").await;
}
