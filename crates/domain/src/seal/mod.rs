//! Sealed tokens: a `UUIDv8` that carries its own place and a proof that this service issued it (ADR 2).
//!
//! Of the 122 free bits 16 are the queue's number, 40 the ticket number and 66 a keyed MAC over both. Whoever holds the
//! key can check a token without asking anybody, and nobody else can make one: a forged token never reaches a store.

use std::fmt;

use subtle::ConstantTimeEq;
use uuid::{Uuid, Variant};

use crate::{QueueEpoch, QueueNumber, Ticket, TicketNumber};

const MAC_BITS: u32 = 66;
const MAC_MASK: u128 = (1 << MAC_BITS) - 1;
/// What keys derived for tokens are derived for, so that no other use of the same secret can yield the same key.
const CONTEXT: &str = "usher 2026-11 sealed token v1";

/// A server's secret: what tokens are sealed with, together with the epoch of their queue.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey([u8; 32]);

impl ServerKey {
    /// The shortest secret that an operator may set, in bytes.
    pub const MIN_BYTES: usize = 16;

    /// From what an operator has set, any text of at least [`ServerKey::MIN_BYTES`]; `None` when it is shorter.
    pub fn from_secret(secret: &str) -> Option<Self> {
        (secret.len() >= Self::MIN_BYTES)
            .then(|| Self(blake3::derive_key("usher 2026-11 server key v1", secret.as_bytes())))
    }

    /// From bytes that were drawn at random.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store that keeps a generated key.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What tells keys apart without telling what they are.
    pub fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint(blake3::derive_key("usher 2026-11 key fingerprint v1", &self.0))
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(..)")
    }
}

/// What tells keys apart without telling what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFingerprint(pub [u8; 32]);

/// What the store keeps of the key that sealed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Which key sealed last.
    pub fingerprint: KeyFingerprint,
    /// The key itself, when no operator set one and it was generated.
    pub generated: Option<ServerKey>,
}

/// The keys of a server: the first seals, all verify. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeys {
    seals: ServerKey,
    verify_too: Vec<ServerKey>,
}

/// The operator's keys do not include the one that sealed last: tokens that people hold would be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("none of the token keys is the one that the tokens in this database were sealed with")]
pub struct KeyMismatch;

impl ServerKeys {
    /// The keys in the operator's order; `None` for none.
    pub fn new(keys: Vec<ServerKey>) -> Option<Self> {
        let mut keys = keys.into_iter();
        let seals = keys.next()?;
        Some(Self { seals, verify_too: keys.collect() })
    }

    /// Decides which keys a server starts with, and what the store is to keep from now on, when that changes.
    ///
    /// `configured` are the operator's, `stored` what the store keeps of the last start, `fresh` newly drawn bytes in
    /// case neither has a key. A server that lacks the key which sealed last refuses to start.
    pub fn agree(
        configured: Option<Self>,
        stored: Option<&StoredKey>,
        fresh: [u8; 32],
    ) -> Result<(Self, Option<StoredKey>), KeyMismatch> {
        match (configured, stored) {
            (Some(keys), None) => Ok((keys.clone(), Some(keys.to_store()))),
            (Some(keys), Some(last)) => {
                // A key that was generated before an operator set one goes on verifying.
                let keys =
                    Self { verify_too: keys.verify_too.into_iter().chain(last.generated.clone()).collect(), ..keys };
                if !keys.all().any(|key| key.fingerprint() == last.fingerprint) {
                    return Err(KeyMismatch);
                }
                let changed = keys.seals.fingerprint() != last.fingerprint;
                let kept = StoredKey { generated: last.generated.clone(), ..keys.to_store() };
                Ok((keys, changed.then_some(kept)))
            }
            (None, Some(StoredKey { fingerprint, generated: Some(key) })) if key.fingerprint() == *fingerprint => {
                Ok((Self { seals: key.clone(), verify_too: Vec::new() }, None))
            }
            (None, Some(_)) => Err(KeyMismatch),
            (None, None) => {
                let key = ServerKey::from_bytes(fresh);
                let stored = StoredKey { fingerprint: key.fingerprint(), generated: Some(key.clone()) };
                Ok((Self { seals: key, verify_too: Vec::new() }, Some(stored)))
            }
        }
    }

    /// The keys of one queue.
    pub fn for_queue(&self, queue: QueueNumber, epoch: QueueEpoch) -> Seal {
        let derive = |key: &ServerKey| {
            let mut material = [0; 50];
            for (to, from) in material.iter_mut().zip(key.0.iter().chain(&epoch.0).chain(&queue.0.to_be_bytes())) {
                *to = *from;
            }
            blake3::derive_key(CONTEXT, &material)
        };
        Seal { queue, seals: derive(&self.seals), verify_too: self.verify_too.iter().map(derive).collect() }
    }

    fn all(&self) -> impl Iterator<Item = &ServerKey> {
        std::iter::once(&self.seals).chain(&self.verify_too)
    }

    fn to_store(&self) -> StoredKey {
        StoredKey { fingerprint: self.seals.fingerprint(), generated: None }
    }
}

/// Seals and opens the tokens of one queue in one epoch.
#[derive(Clone)]
pub struct Seal {
    queue: QueueNumber,
    seals: [u8; 32],
    verify_too: Vec<[u8; 32]>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({:?}, ..)", self.queue)
    }
}

/// A sealed token as it travels. Whether it is ours only [`Seal::open`] tells. Printed for its owner only, never logged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SealedToken(Uuid);

impl SealedToken {
    /// Reads what a caller sent: a lower-case hyphenated `UUIDv8`, nothing else; `None` otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
        let uuid = Uuid::try_parse(text).ok().filter(|_| canonical)?;
        (uuid.get_version_num() == 8 && uuid.get_variant() == Variant::RFC4122).then_some(Self(uuid))
    }

    /// Which queue it claims to be of, before anything is proved: for finding the [`Seal`] to open it with.
    pub fn claimed_queue(self) -> QueueNumber {
        let [high, low, ..] = *self.0.as_bytes();
        QueueNumber(u16::from_be_bytes([high, low]))
    }

    /// The text to hand to its owner.
    pub fn to_text(self) -> String {
        self.0.hyphenated().to_string()
    }

    /// The 122 free bits around version and variant.
    const fn payload(self) -> u128 {
        let bits = self.0.as_u128();
        (bits >> 80) << 74 | (bits >> 64 & 0xfff) << 62 | bits & ((1 << 62) - 1)
    }
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedToken(..)")
    }
}

impl Seal {
    /// Seals a ticket number of this queue.
    pub fn seal(&self, number: TicketNumber) -> SealedToken {
        let payload =
            u128::from(self.queue.0) << 106 | u128::from(number.get()) << MAC_BITS | self.mac(&self.seals, number);
        let bits = (payload >> 74) << 80 | (payload >> 62 & 0xfff) << 64 | payload & ((1 << 62) - 1);
        SealedToken(Uuid::from_u128(bits | 8 << 76 | 0b10 << 62))
    }

    /// Opens a token: its place when one of the keys sealed it for this queue and epoch, `None` for everything else
    /// (trap Q13). The MAC is compared in constant time.
    pub fn open(&self, token: SealedToken) -> Option<Ticket> {
        let payload = token.payload();
        let number =
            u64::try_from(payload >> MAC_BITS & u128::from(TicketNumber::MAX)).ok().and_then(TicketNumber::new)?;
        let claimed = (payload & MAC_MASK).to_be_bytes();
        let genuine = std::iter::once(&self.seals)
            .chain(&self.verify_too)
            .fold(0, |found, key| found | self.mac(key, number).to_be_bytes().ct_eq(&claimed).unwrap_u8());
        (genuine == 1 && token.claimed_queue() == self.queue).then_some(Ticket { queue: self.queue, number })
    }

    fn mac(&self, key: &[u8; 32], number: TicketNumber) -> u128 {
        let mut place = [0; 10];
        for (to, from) in place.iter_mut().zip(self.queue.0.to_be_bytes().into_iter().chain(number.get().to_be_bytes()))
        {
            *to = from;
        }
        let mut mac = [0; 16];
        for (to, from) in mac.iter_mut().zip(blake3::keyed_hash(key, &place).as_bytes()) {
            *to = *from;
        }
        u128::from_be_bytes(mac) & MAC_MASK
    }
}

#[cfg(test)]
mod tests;
