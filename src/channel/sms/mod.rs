//! SMS: one folder per gateway, and what all of them share.

mod address;
pub mod android;
pub mod kannel;
pub mod smpp;
pub mod twilio;
pub mod zenziva;

/// Whether citizens can answer to that sender: a number takes answers, a name (masking) does not.
#[must_use]
pub fn takes_answers(sender: &str) -> bool {
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b" -".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_as_sender_takes_no_answers() {
        for (sender, takes) in [
            ("+62 812-0000-0001", true),
            ("13013", true),
            ("DUKCAPIL", false),
            ("DESA01", false),
            ("", false),
        ] {
            assert_eq!(takes_answers(sender), takes, "{sender}");
        }
    }
}
