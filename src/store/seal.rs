//! Seals personal values in their columns, and hashes them for looking up.
//!
//! A sealed value is `version:base64(nonce ‖ ciphertext)`, XChaCha20-Poly1305 with table, column
//! and row as associated data, so that a value copied to another row does not open. Lookups use
//! HMAC-SHA256 under a key of their own, which therefore survives a change of the sealing key.
//! Keys come from the configuration and never touch the database.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::StoreError;

const NONCE_BYTES: usize = 24;

/// Why a configured key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not base64, or not of 32 bytes.
    #[error("a key is 32 bytes in base64; `kabar init` writes fresh ones")]
    Malformed,
    /// Two sealing keys share a version.
    #[error("two sealing keys have the same version")]
    SameVersion,
}

/// A key of 32 bytes, wiped from memory when dropped.
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Reads a key as the configuration gives it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] unless it is 32 bytes in base64.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(
            STANDARD.decode(text.expose_secret().trim()).map_err(|_| KeyError::Malformed)?,
        );
        let array: [u8; 32] = bytes.as_slice().try_into().map_err(|_| KeyError::Malformed)?;
        Ok(Self(Zeroizing::new(array)))
    }

    /// A fresh random key.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The form in which the configuration keeps it.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }
}

/// Seals, opens and hashes.
pub struct Sealer {
    current: (u32, XChaCha20Poly1305),
    previous: Vec<(u32, XChaCha20Poly1305)>,
    index: Hmac<Sha256>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer(version {})", self.current.0)
    }
}

/// Where a sealed value stands; it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

impl Sealer {
    /// A sealer that seals with `current` and still opens what `previous` keys sealed.
    ///
    /// # Errors
    /// [`KeyError::SameVersion`] when versions collide.
    pub fn new(
        current: (u32, &Key),
        previous: &[(u32, Key)],
        index: &Key,
    ) -> Result<Self, KeyError> {
        let cipher = |key: &Key| {
            XChaCha20Poly1305::new_from_slice(key.0.as_slice()).map_err(|_| KeyError::Malformed)
        };
        let mut old = Vec::with_capacity(previous.len());
        for (version, key) in previous {
            if *version == current.0 || old.iter().any(|(v, _)| v == version) {
                return Err(KeyError::SameVersion);
            }
            old.push((*version, cipher(key)?));
        }
        Ok(Self {
            current: (current.0, cipher(current.1)?),
            previous: old,
            index: Hmac::new_from_slice(index.0.as_slice()).map_err(|_| KeyError::Malformed)?,
        })
    }

    /// Seals a value for one place and row.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the system gives no randomness.
    pub fn seal(&self, place: Place, row: &str, plain: &str) -> Result<String, StoreError> {
        let failed = || StoreError::Unusable("sealing failed: no randomness".to_owned());
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| failed())?;
        let aad = associated(place, row);
        let sealed = self
            .current
            .1
            .encrypt(&XNonce::from(nonce), Payload { msg: plain.as_bytes(), aad: aad.as_bytes() })
            .map_err(|_| failed())?;
        let mut bytes = Vec::with_capacity(NONCE_BYTES + sealed.len());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(format!("{}:{}", self.current.0, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens a value of that place and row.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the key is not the one it was sealed with, when it stems from
    /// another row, or when it was changed.
    pub fn open(&self, place: Place, row: &str, sealed: &str) -> Result<String, StoreError> {
        let corrupt = |reason| StoreError::Corrupt {
            table: place.table,
            column: place.column,
            id: row.to_owned(),
            reason,
        };
        let (version, body) = sealed.split_once(':').ok_or_else(|| corrupt("not sealed"))?;
        let version: u32 = version.parse().map_err(|_| corrupt("no key version"))?;
        let cipher = if version == self.current.0 {
            &self.current.1
        } else {
            self.previous
                .iter()
                .find(|(v, _)| *v == version)
                .map(|(_, cipher)| cipher)
                .ok_or_else(|| corrupt("sealed with a key that is not configured"))?
        };
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| corrupt("not base64"))?;
        let Some((nonce, text)) = bytes.split_first_chunk::<NONCE_BYTES>() else {
            return Err(corrupt("too short"));
        };
        let aad = associated(place, row);
        let plain = cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: aad.as_bytes() })
            .map_err(|_| corrupt("wrong key, or changed"))?;
        String::from_utf8(plain).map_err(|_| corrupt("not text"))
    }

    /// Keyed hash of a value of that kind, for a lookup column: 128 bits in base64.
    #[must_use]
    pub fn index(&self, kind: &str, value: &str) -> String {
        let mut mac = self.index.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        let hash = mac.finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(&hash[..16])
    }
}

fn associated(place: Place, row: &str) -> String {
    format!("{}.{}:{row}", place.table, place.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { table: "person", column: "name_sealed" };

    fn sealer(version: u32, seed: u8, previous: &[(u32, Key)]) -> Sealer {
        let key = Key(Zeroizing::new([seed; 32]));
        Sealer::new((version, &key), previous, &Key(Zeroizing::new([9; 32]))).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row_and_column() {
        let whole = sealer(1, 7, &[]);
        let sealed = whole.seal(PLACE, "per_1", "Siti Aminah").unwrap();
        assert!(!sealed.contains("Siti"));
        assert_eq!(whole.open(PLACE, "per_1", &sealed).unwrap(), "Siti Aminah");
        assert!(whole.open(PLACE, "per_2", &sealed).is_err());
        let other = Place { table: "person", column: "rt_sealed" };
        assert!(whole.open(other, "per_1", &sealed).is_err());
    }

    #[test]
    fn an_older_key_still_opens_and_hashes_do_not_depend_on_it() {
        let old = sealer(1, 7, &[]);
        let new = sealer(2, 8, &[(1, Key(Zeroizing::new([7; 32])))]);
        let sealed = old.seal(PLACE, "per_1", "Siti").unwrap();
        assert_eq!(new.open(PLACE, "per_1", &sealed).unwrap(), "Siti");
        assert_eq!(old.index("nik", "1"), new.index("nik", "1"));
        assert_ne!(new.index("nik", "1"), new.index("phone", "1"));
        assert!(sealer(3, 5, &[]).open(PLACE, "per_1", &sealed).is_err());
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let whole = sealer(1, 7, &[]);
        let sealed = whole.seal(PLACE, "per_1", "Siti").unwrap();
        for at in 2..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(whole.open(PLACE, "per_1", &text).is_err(), "byte {at}");
            }
        }
    }
}
