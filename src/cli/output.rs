//! What commands say on their terminal, in place of the macros of the same names, which panic when
//! it cannot be written.
//!
//! Whoever reads may have enough, as `head` does: then nothing more is written, and the command does
//! its work to the end. What is lost in any other way makes the command fail.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Nobody reads any more, or nothing can be written.
static IS_OVER: AtomicBool = AtomicBool::new(false);
/// Something was lost that somebody would have read.
static IS_LOST: AtomicBool = AtomicBool::new(false);

macro_rules! print {
    ($($arg:tt)*) => { crate::cli::output::say(format_args!($($arg)*)) };
}
macro_rules! println {
    () => { crate::cli::output::say(format_args!("\n")) };
    ($($arg:tt)*) => {
        crate::cli::output::say(format_args!("{}\n", format_args!($($arg)*)))
    };
}
macro_rules! eprintln {
    ($($arg:tt)*) => { crate::cli::output::complain(format_args!($($arg)*)) };
}

pub(super) fn say(words: Arguments<'_>) {
    note(|| io::stdout().lock().write_fmt(words));
}

pub(super) fn flush() {
    note(|| io::stdout().lock().flush());
}

pub(super) fn complain(words: Arguments<'_>) {
    // There is no other place to say that it cannot be said.
    let _ = writeln!(io::stderr().lock(), "{words}");
}

fn note(write: impl FnOnce() -> io::Result<()>) {
    if is_over() {
        return;
    }
    if let Err(error) = write() {
        IS_OVER.store(true, Ordering::Relaxed);
        if error.kind() != ErrorKind::BrokenPipe {
            complain(format_args!("error: what was to be shown cannot be written: {error}"));
            IS_LOST.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether nobody reads any more what is said; who says something for every line of an endless input
/// may end then.
pub(super) fn is_over() -> bool {
    IS_OVER.load(Ordering::Relaxed)
}

/// Whether a command that writes by itself failed because nobody reads any more.
pub(super) fn is_unread(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}

/// Whether all that somebody would have read was written.
pub(super) fn is_whole() -> bool {
    flush();
    !IS_LOST.load(Ordering::Relaxed)
}
