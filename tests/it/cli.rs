//! The real binary from outside, as an office and its operator use it: commands, exit codes,
//! files, signals. What happens inside is the business of the other tests.

mod answers;
mod area;
mod ask;
mod demo;
mod import;
mod killed;
mod office;
mod point;
mod sandbox;
mod session;
mod source;
mod suppression;
mod ticket;
mod token;
mod usage;
mod visit;
mod watched;
