//! `kabar import`: takes in a spreadsheet.
pub(super) enum Command {}
