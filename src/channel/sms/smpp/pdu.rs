//! PDUs on the wire: where one ends and the next begins, those we write, and the few fields of
//! those we read.
//!
//! What we write is put together by `rusmpp`. What centres write is read here, octet by octet,
//! because it must never be able to stop the link: `rusmpp` gives up on an address that is not
//! ASCII or a message id without its closing zero, and both are seen in the field. A message that
//! cannot be read would then break the link each time the centre tries to bring it again.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rusmpp::tokio_codec::{CommandCodec, EncodeError};
use rusmpp::types::{COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use rusmpp::{Command, CommandStatus};
use tokio_util::codec::{Decoder, Encoder};

use crate::domain::gsm7::{Alphabet, Encoded};

/// Longer than any PDU of ours or of a centre: a `message_payload` has up to 64 KiB.
const MAX_LENGTH: usize = 70_000;
/// Length, command, status and sequence number, four octets each.
const HEADER: usize = 16;
/// Hardly a centre takes a shorter time for a message.
const SHORTEST_VALIDITY: Duration = Duration::from_secs(60);
/// What is to be tried for longer is left to the centre: months differ in length.
const LONGEST_VALIDITY: Duration = Duration::from_secs(28 * 86_400);

/// Commands, by their number (SMPP 3.4, 5.1.2.1).
pub(super) mod command {
    pub const GENERIC_NACK: u32 = 0x8000_0000;
    pub const SUBMIT_SM_RESP: u32 = 0x8000_0004;
    pub const DELIVER_SM: u32 = 0x0000_0005;
    pub const UNBIND: u32 = 0x0000_0006;
    pub const UNBIND_RESP: u32 = 0x8000_0006;
    pub const BIND_TRANSCEIVER_RESP: u32 = 0x8000_0009;
    pub const ENQUIRE_LINK: u32 = 0x0000_0015;
    pub const OUTBIND: u32 = 0x0000_000b;
    pub const ALERT_NOTIFICATION: u32 = 0x0000_0102;
    /// Set in every answer.
    pub const ANSWER: u32 = 0x8000_0000;
}

/// A PDU that came in, its body unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) command: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
    pub(super) body: Bytes,
}

/// Cuts the stream into PDUs and writes ours.
#[derive(Debug)]
pub(super) struct Codec(CommandCodec);

impl Codec {
    pub(super) const fn new() -> Self {
        Self(CommandCodec::new())
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = std::io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, Self::Error> {
        let Some(length) = number(src, 0) else { return Ok(None) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(HEADER..=MAX_LENGTH).contains(&length) {
            return Err(std::io::Error::other("a PDU of an impossible length"));
        }
        if src.len() < length {
            src.reserve(length - src.len());
            return Ok(None);
        }
        let pdu = src.split_to(length).freeze();
        let field = |at| number(&pdu, at).unwrap_or_default();
        Ok(Some(Frame {
            command: field(4),
            status: field(8),
            sequence: field(12),
            body: pdu.slice(HEADER..),
        }))
    }
}

impl Encoder<Command> for Codec {
    type Error = std::io::Error;

    fn encode(&mut self, command: Command, dst: &mut BytesMut) -> Result<(), Self::Error> {
        self.0.encode(command, dst).map_err(|error| match error {
            EncodeError::Io(error) => error,
            _ => std::io::Error::other("a PDU that cannot be written"),
        })
    }
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// A text up to its closing zero, or up to the end where that is missing.
pub(super) fn c_string(octets: &[u8]) -> String {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    octets[..end].iter().copied().map(char::from).collect()
}

/// Which of its fields does not fit SMPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DoesNotFit(pub(super) &'static str);

fn fit<const MAX: usize>(
    field: &'static str,
    text: &str,
) -> Result<COctetString<1, MAX>, DoesNotFit> {
    COctetString::from_string(text.to_owned()).map_err(|_| DoesNotFit(field))
}

/// `bind_transceiver` of version 3.4.
pub(super) fn bind(
    system_id: &str,
    password: &str,
    system_type: &str,
) -> Result<rusmpp::pdus::BindTransceiver, DoesNotFit> {
    Ok(rusmpp::pdus::BindTransceiver::builder()
        .system_id(fit("system_id", system_id)?)
        .password(fit("password", password)?)
        .system_type(fit("system_type", system_type)?)
        .interface_version(InterfaceVersion::Smpp3_4)
        .build())
}

/// The sender with its kind: a name, a short code, or a number at home or abroad.
fn source(sender: &str) -> Result<(Ton, Npi, COctetString<1, 21>), DoesNotFit> {
    let digits: String = sender.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let (is_international, digits) = match digits.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, digits.as_str()),
    };
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        // The air interface has room for eleven septets.
        let is_name = (1..=11).contains(&sender.len());
        let name = fit("sender", sender)?;
        return if is_name {
            Ok((Ton::Alphanumeric, Npi::Unknown, name))
        } else {
            Err(DoesNotFit("sender"))
        };
    }
    let (ton, npi) = match digits.len() {
        _ if is_international => (Ton::International, Npi::Isdn),
        ..=7 => (Ton::NetworkSpecific, Npi::Unknown),
        _ if digits.starts_with('0') => (Ton::National, Npi::Isdn),
        _ => (Ton::International, Npi::Isdn),
    };
    Ok((ton, npi, fit("sender", digits)?))
}

/// The time in which a message is to be brought, as a span (SMPP 3.4, 7.1.1.2): years, months, days,
/// hours, minutes and seconds, two digits each. Nothing where the centre's own time is to hold.
fn span(validity: Option<Duration>) -> Result<EmptyOrFullCOctetString<17>, DoesNotFit> {
    let Some(validity) = validity.filter(|validity| *validity <= LONGEST_VALIDITY) else {
        return Ok(EmptyOrFullCOctetString::empty());
    };
    let seconds = validity.max(SHORTEST_VALIDITY).as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let span = format!("0000{days:02}{hours:02}{:02}{:02}000R", seconds / 60 % 60, seconds % 60);
    EmptyOrFullCOctetString::from_string(span).map_err(|_| DoesNotFit("validity"))
}

/// The `submit_sm` of each part of a text, to a number in E.164. A receipt is asked for the last
/// part only; the parts of a text are told to belong together by `reference`.
pub(super) fn submits(
    sender: &str,
    to: &str,
    text: &Encoded,
    validity: Option<Duration>,
    reference: u8,
) -> Result<Vec<rusmpp::pdus::SubmitSm>, DoesNotFit> {
    let (ton, npi, source) = source(sender)?;
    let destination: COctetString<1, 21> = fit("phone", to.trim_start_matches('+'))?;
    let total = u8::try_from(text.parts.len()).map_err(|_| DoesNotFit("text"))?;
    let validity = span(validity)?;
    let data_coding = match text.alphabet {
        Alphabet::Gsm7 => DataCoding::McSpecific,
        Alphabet::Ucs2 => DataCoding::Ucs2,
    };
    let part = |(at, octets): (u8, &Vec<u8>)| {
        let mut message = Vec::with_capacity(160);
        if total > 1 {
            message.extend([5, 0, 3, reference, total, at]);
        }
        message.extend(octets);
        Ok(rusmpp::pdus::SubmitSm::builder()
            .source_addr_ton(ton)
            .source_addr_npi(npi)
            .source_addr(source.clone())
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(destination.clone())
            // From the octet: `EsmClass::default()` of rusmpp 0.4.0 sets a bit.
            .esm_class(EsmClass::from(if total > 1 { 0x40 } else { 0 }))
            .validity_period(validity.clone())
            .registered_delivery(RegisteredDelivery::from(u8::from(at == total)))
            .data_coding(data_coding)
            .short_message(OctetString::from_vec(message).map_err(|_| DoesNotFit("text"))?)
            .build())
    };
    (1..=total).zip(&text.parts).map(part).collect()
}

/// An answer to `deliver_sm`.
pub(super) fn deliver_resp(sequence: u32, status: u32) -> Command {
    let body = rusmpp::pdus::DeliverSmResp::default();
    Command::new(CommandStatus::from(status), sequence, body)
}

/// What is read of a `deliver_sm`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deliver {
    pub(super) source_ton: u8,
    pub(super) source: String,
    pub(super) destination: String,
    pub(super) esm_class: u8,
    pub(super) data_coding: u8,
    /// The short message, or the payload where there is none.
    pub(super) message: Bytes,
    /// Parameter 0x001E.
    pub(super) receipted_id: Option<String>,
    /// Parameter 0x0427.
    pub(super) state: Option<u8>,
    /// Parameters 0x020C, 0x020F and 0x020E: reference, which part, of how many.
    pub(super) part: Option<(u16, u8, u8)>,
}

impl Deliver {
    /// Reads a body; `None` when a field before the message is missing.
    pub(super) fn read(body: &Bytes) -> Option<Self> {
        let mut rest = body.clone();
        let _service_type = take_string(&mut rest)?;
        let [source_ton, _npi] = take(&mut rest)?;
        let source = take_string(&mut rest)?;
        let [_ton, _npi] = take(&mut rest)?;
        let destination = take_string(&mut rest)?;
        let [esm_class, _protocol, _priority] = take(&mut rest)?;
        let _scheduled = take_string(&mut rest)?;
        let _validity = take_string(&mut rest)?;
        let [_registered, _replace, data_coding, _default, length] = take(&mut rest)?;
        // A centre that counts wrongly is believed as far as there are octets.
        let message = rest.split_to(usize::from(length).min(rest.len()));
        let mut deliver = Self {
            source_ton,
            source,
            destination,
            esm_class,
            data_coding,
            message,
            ..Self::default()
        };
        deliver.read_parameters(rest);
        Some(deliver)
    }

    fn read_parameters(&mut self, mut rest: Bytes) {
        let (mut reference, mut at, mut total) = (None, None, None);
        while let Some([tag_high, tag_low, high, low]) = take(&mut rest) {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let value = rest.split_to(length.min(rest.len()));
            let octet = value.last().copied();
            match u16::from_be_bytes([tag_high, tag_low]) {
                0x001e => self.receipted_id = Some(c_string(&value)),
                0x0427 => self.state = octet,
                0x0424 if self.message.is_empty() => self.message = value,
                0x020c => {
                    reference = value.iter().try_fold(0_u16, |sum, octet| {
                        sum.checked_mul(256).map(|sum| sum | u16::from(*octet))
                    });
                }
                0x020e => total = octet,
                0x020f => at = octet,
                _ => {}
            }
        }
        if let (Some(reference), Some(at), Some(total)) = (reference, at, total) {
            self.part = Some((reference, at, total));
        }
    }
}

fn take<const N: usize>(rest: &mut Bytes) -> Option<[u8; N]> {
    let octets = rest.get(..N)?.try_into().ok()?;
    *rest = rest.slice(N..);
    Some(octets)
}

fn take_string(rest: &mut Bytes) -> Option<String> {
    let end = rest.iter().position(|octet| *octet == 0)?;
    let text = c_string(&rest[..end]);
    *rest = rest.slice(end + 1..);
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusmpp::Pdu;

    use super::*;
    use crate::domain::gsm7::encode;

    fn written(sequence: u32, pdu: impl Into<Pdu>) -> String {
        let mut octets = BytesMut::new();
        let command = Command::new(CommandStatus::EsmeRok, sequence, pdu);
        Codec::new().encode(command, &mut octets).unwrap();
        hex::encode(octets)
    }

    fn frame(octets: &str) -> Frame {
        let mut octets = BytesMut::from(&*hex::decode(octets).unwrap());
        let frame = Codec::new().decode(&mut octets).unwrap().unwrap();
        assert!(octets.is_empty());
        frame
    }

    /// The octets of a text and its closing zero.
    fn z(text: &str) -> String {
        hex::encode(text) + "00"
    }

    #[test]
    fn a_bind_is_that_of_version_3_4_octet_by_octet() {
        let bind = bind("desa", "rahasia", "VMA").unwrap();
        let expected = format!(
            "0000002500000009{:08x}{:08x}{}{}{}34000000",
            0,
            1,
            z("desa"),
            z("rahasia"),
            z("VMA")
        );
        assert_eq!(written(1, bind), expected);
    }

    #[test]
    fn a_submission_is_laid_out_as_real_senders_lay_it_out() {
        let text = encode("halo {x} €");
        let [submit] = &submits("DESA", "+62812345678", &text, None, 7).unwrap()[..] else {
            panic!()
        };
        // Like Kannel's capture, but for the number's kind and the default messaging mode.
        let expected = format!(
            "0000003d00000004{:08x}{:08x}000500{}0101{}0000000000010000000d{}",
            0,
            2,
            z("DESA"),
            z("62812345678"),
            "68616c6f201b28781b29201b65"
        );
        assert_eq!(written(2, submit.clone()), expected);
        let text = encode("你好 😀");
        let [submit] = &submits("13013", "+62812345678", &text, None, 7).unwrap()[..] else {
            panic!()
        };
        let expected = format!(
            "0000003b00000004{:08x}{:08x}000300{}0101{}0000000000010008000a{}",
            0,
            3,
            z("13013"),
            z("62812345678"),
            "4f60597d0020d83dde00"
        );
        assert_eq!(written(3, submit.clone()), expected);
    }

    #[test]
    fn a_centre_is_told_for_how_long_to_try_unless_that_is_very_long() {
        let text = encode(&"a".repeat(200));
        for (seconds, expected) in [
            (0, "000000000100000R"),
            (61, "000000000101000R"),
            (93_784, "000001020304000R"),
            (28 * 86_400, "000028000000000R"),
            (28 * 86_400 + 1, ""),
        ] {
            let validity = Some(Duration::from_secs(seconds));
            let parts = submits("DESA", "+62812345678", &text, validity, 7).unwrap();
            assert_eq!(parts.len(), 2);
            for part in parts {
                assert_eq!(part.validity_period.as_str(), expected, "{seconds}");
            }
        }
    }

    #[test]
    fn parts_carry_a_header_and_only_the_last_asks_for_a_receipt() {
        let text = encode(&"a".repeat(200));
        let parts = submits("+62811000111", "+62812345678", &text, None, 2).unwrap();
        let octets: Vec<String> = parts.iter().map(|part| written(4, part.clone())).collect();
        let head = format!("000101{}0101{}", z("62811000111"), z("62812345678"));
        assert!(octets[0].contains(&format!("{head}4000000000000000009f050003020201616161")));
        assert!(octets[1].contains(&format!("{head}40000000000100000035050003020202616161")));
        assert_eq!(octets.len(), 2);
    }

    #[test]
    fn a_sender_is_a_name_a_short_code_or_a_number() {
        for (sender, ton, npi, address) in [
            ("DESA", Ton::Alphanumeric, Npi::Unknown, "DESA"),
            ("DUKCAPIL JB", Ton::Alphanumeric, Npi::Unknown, "DUKCAPIL JB"),
            ("13013", Ton::NetworkSpecific, Npi::Unknown, "13013"),
            ("+62 811-0000-111", Ton::International, Npi::Isdn, "628110000111"),
            ("62811000111", Ton::International, Npi::Isdn, "62811000111"),
            ("0811000111", Ton::National, Npi::Isdn, "0811000111"),
        ] {
            let found = source(sender).unwrap();
            assert_eq!((found.0, found.1, found.2.as_str()), (ton, npi, address), "{sender}");
        }
        for wrong in ["", "DUKCAPIL JBG", "DÉSA", "0123456789012345678901"] {
            assert_eq!(source(wrong), Err(DoesNotFit("sender")), "{wrong}");
        }
        assert_eq!(bind("desa", "ninechars", ""), Err(DoesNotFit("password")));
    }

    #[test]
    fn an_answer_without_a_body_and_a_pdu_in_pieces_are_read() {
        let throttled = frame("00000010800000040000005800000008");
        assert_eq!(throttled.command, command::SUBMIT_SM_RESP);
        assert_eq!((throttled.status, throttled.sequence), (0x58, 8));
        let octets = hex::decode("00000019800000040000000000000002303030303030413100").unwrap();
        let (mut source, mut codec) = (BytesMut::new(), Codec::new());
        for octet in &octets[..24] {
            source.extend([*octet]);
            assert_eq!(codec.decode(&mut source).unwrap(), None);
        }
        source.extend([octets[24]]);
        let taken = codec.decode(&mut source).unwrap().unwrap();
        assert_eq!(c_string(&taken.body), "000000A1");
        for wrong in ["0000000f", "00011171"] {
            let mut source = BytesMut::from(&*hex::decode(wrong).unwrap());
            assert!(codec.decode(&mut source).is_err(), "{wrong}");
        }
    }

    fn delivery(esm_class: u8, message: &[u8], parameters: &str) -> Bytes {
        let head =
            format!("000101{}0500{}{esm_class:02x}00000000000000{:02x}", z("628111"), z("DESA"), 0);
        let mut octets = hex::decode(head).unwrap();
        octets.push(u8::try_from(message.len()).unwrap());
        octets.extend(message);
        octets.extend(hex::decode(parameters).unwrap());
        octets.into()
    }

    #[test]
    fn a_delivery_is_read_with_its_parameters_in_any_order_and_known_or_not() {
        let parameters = "020f000103\
                          140300023132\
                          001e000933363264393730310004270001020\
                          20c00020107020e000105";
        let deliver = Deliver::read(&delivery(4, b"x", parameters)).unwrap();
        assert_eq!((deliver.source.as_str(), deliver.destination.as_str()), ("628111", "DESA"));
        assert_eq!((deliver.source_ton, deliver.esm_class), (1, 4));
        assert_eq!(deliver.receipted_id.as_deref(), Some("362d9701"));
        assert_eq!((deliver.state, deliver.part), (Some(2), Some((0x107, 3, 5))));
        assert_eq!(deliver.message, "x");
    }

    #[test]
    fn a_payload_stands_in_for_an_empty_message_and_an_id_needs_no_closing_zero() {
        let deliver = Deliver::read(&delivery(0, b"", "0424000568616c6f21001e00024131")).unwrap();
        assert_eq!(deliver.message, "halo!");
        assert_eq!(deliver.receipted_id.as_deref(), Some("A1"));
        let short = Deliver::read(&delivery(0, b"ab", "0424ffff68")).unwrap();
        assert_eq!(short.message, "ab");
    }

    proptest! {
        #[test]
        fn whatever_a_centre_writes_is_cut_and_read_without_complaint(
            octets in prop::collection::vec(any::<u8>(), 0..200),
            has_head in any::<bool>(),
        ) {
            let body = if has_head {
                delivery(0, &octets, "")
            } else {
                Bytes::from(octets.clone())
            };
            let _ = Deliver::read(&body);
            let mut source = BytesMut::from(&*octets);
            while let Ok(Some(_)) = Codec::new().decode(&mut source) {}
        }
    }
}
