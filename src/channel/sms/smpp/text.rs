//! The words of a short message: its header, the place it names within a longer text, and its
//! alphabet.

use bytes::Bytes;

use super::pdu::Deliver;
use crate::domain::gsm7::{decode_gsm7, decode_latin1, decode_ucs2};

/// The message begins with a header.
const HAS_HEADER: u8 = 0x40;

/// Where a part stands in a longer text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) reference: u16,
    /// From 1.
    pub(super) at: u8,
    pub(super) total: u8,
}

/// The place of a message within a longer one, if it has one that makes sense, and its octets
/// without their header.
pub(super) fn split(deliver: &Deliver) -> (Option<Place>, Bytes) {
    let (header, octets) = if deliver.esm_class & HAS_HEADER == 0 {
        (Bytes::new(), deliver.message.clone())
    } else {
        let mut rest = deliver.message.clone();
        let length = rest.first().map_or(0, |length| usize::from(*length) + 1);
        let header = rest.split_to(length.min(rest.len()));
        (header.slice(1.min(header.len())..), rest)
    };
    let named = in_header(&header).or(deliver.part);
    let place = named.map(|(reference, at, total)| Place { reference, at, total });
    (place.filter(|place| place.total > 1 && (1..=place.total).contains(&place.at)), octets)
}

/// Information elements 0x00 and 0x08 (3GPP TS 23.040, 9.2.3.24): concatenation with a reference
/// of 8 and of 16 bits.
fn in_header(header: &[u8]) -> Option<(u16, u8, u8)> {
    let mut rest = header;
    while let [kind, length, tail @ ..] = rest {
        let (element, tail) = tail.split_at_checked(usize::from(*length))?;
        match (*kind, element) {
            (0x00, [reference, total, at]) => return Some((u16::from(*reference), *at, *total)),
            (0x08, [high, low, total, at]) => {
                return Some((u16::from_be_bytes([*high, *low]), *at, *total));
            }
            _ => rest = tail,
        }
    }
    None
}

/// Reads octets in the alphabet of a data coding (SMPP 3.4, 5.2.19, and 3GPP TS 23.038, 4). `None`
/// for pictures, binary data and alphabets that nobody here writes.
pub(super) fn decode(data_coding: u8, octets: &[u8]) -> Option<String> {
    match data_coding {
        0x00 => Some(decode_gsm7(octets)),
        0x01 | 0x03 => Some(decode_latin1(octets)),
        0x08 => Some(decode_ucs2(octets)),
        // With a message class, as phones write it: bits 3 and 2 are the alphabet.
        0x10..=0x3f => match data_coding & 0x0c {
            0x00 => Some(decode_gsm7(octets)),
            0x08 => Some(decode_ucs2(octets)),
            _ => None,
        },
        0xf0..=0xff if data_coding & 0x04 == 0 => Some(decode_gsm7(octets)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(esm_class: u8, octets: &[u8]) -> (Option<(u16, u8, u8)>, Vec<u8>) {
        let deliver =
            Deliver { esm_class, message: Bytes::copy_from_slice(octets), ..Deliver::default() };
        let (place, octets) = split(&deliver);
        (place.map(|place| (place.reference, place.at, place.total)), octets.to_vec())
    }

    #[test]
    fn a_header_names_the_place_of_a_part_with_either_reference() {
        assert_eq!(placed(0x40, b"\x05\x00\x03\x07\x02\x01ab"), (Some((7, 1, 2)), b"ab".to_vec()));
        assert_eq!(
            placed(0x43, b"\x06\x08\x04\x01\x07\x03\x03ab"),
            (Some((0x107, 3, 3)), b"ab".to_vec())
        );
        // A port before it, as in a message to an application.
        let ported = b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x02z";
        assert_eq!(placed(0x40, ported), (Some((7, 2, 2)), b"z".to_vec()));
        assert_eq!(placed(0x00, b"\x05\x00\x03\x07\x02\x01").0, None);
    }

    #[test]
    fn a_header_that_makes_no_sense_makes_no_part() {
        for octets in [
            &b"\x05\x00\x03\x07\x01\x01"[..],
            b"\x05\x00\x03\x07\x02\x00",
            b"\x05\x00\x03\x07\x02\x03",
            b"\x05\x00\x09\x07\x02\x01",
            b"\xff\x00",
            b"\x00",
            b"",
        ] {
            assert_eq!(placed(0x40, octets).0, None, "{octets:?}");
        }
    }

    #[test]
    fn optional_parameters_name_the_place_where_there_is_no_header() {
        let deliver = Deliver { part: Some((9, 2, 3)), ..Deliver::default() };
        assert_eq!(split(&deliver).0, Some(Place { reference: 9, at: 2, total: 3 }));
    }

    #[test]
    fn every_alphabet_a_phone_writes_is_read() {
        for (coding, octets, text) in [
            (0x00, &b"\x1b\x65 5"[..], Some("€ 5")),
            (0x01, b"halo", Some("halo")),
            (0x03, b"caf\xe9", Some("café")),
            (0x08, b"\x4f\x60", Some("你")),
            (0x10, b"halo", Some("halo")),
            (0x18, b"\x4f\x60", Some("你")),
            (0x14, b"halo", None),
            (0xf0, b"halo", Some("halo")),
            (0xf5, b"halo", None),
            (0x04, b"\x00", None),
            (0x06, b"\x00", None),
            (0x80, b"\x00", None),
        ] {
            assert_eq!(decode(coding, octets).as_deref(), text, "{coding:#x}");
        }
    }
}
