use proptest::prelude::*;

use super::*;

fn keys(secrets: &[&str]) -> ServerKeys {
    ServerKeys::new(secrets.iter().map(|s| ServerKey::from_secret(s).unwrap()).collect()).unwrap()
}

const OLD: &str = "an old secret of ours";
const NEW: &str = "a new secret of ours";
const EPOCH: QueueEpoch = QueueEpoch([9; 16]);
const QUEUE: QueueNumber = QueueNumber(0xabc);

fn number(n: u64) -> TicketNumber {
    TicketNumber::new(n).unwrap()
}

proptest! {
    #[test]
    fn what_was_sealed_opens_to_the_same_place(queue: u16, n in 1..=TicketNumber::MAX) {
        let seal = keys(&[OLD]).for_queue(QueueNumber(queue), EPOCH);
        let token = seal.seal(number(n));
        let sent = SealedToken::parse(&token.to_text());
        prop_assert_eq!(sent, Some(token));
        prop_assert_eq!(token.claimed_queue(), QueueNumber(queue));
        prop_assert_eq!(seal.open(token), Some(Ticket { queue: QueueNumber(queue), number: number(n) }));
    }

    /// Q13: a flipped bit anywhere is no token of ours.
    #[test]
    fn a_flipped_bit_anywhere_is_refused(n in 1..=TicketNumber::MAX, bit in 0..128_u32) {
        let keys = keys(&[OLD, NEW]);
        let bits = keys.for_queue(QUEUE, EPOCH).seal(number(n)).0.as_u128() ^ (1 << bit);
        if let Some(forged) = SealedToken::parse(&Uuid::from_u128(bits).to_string()) {
            prop_assert_eq!(keys.for_queue(forged.claimed_queue(), EPOCH).open(forged), None);
        }
    }
}

#[test]
fn only_the_canonical_text_of_a_v8_uuid_is_read() {
    let text = keys(&[OLD]).for_queue(QUEUE, EPOCH).seal(number(1)).to_text();
    assert!(SealedToken::parse(&text).is_some());
    let simple = text.replace('-', "");
    let cases = [
        text.to_uppercase(),
        simple,
        format!("{{{text}}}"),
        format!("urn:uuid:{text}"),
        format!("{text} "),
        "*".into(),
        String::new(),
    ];
    for bad in cases.into_iter().chain([Uuid::from_u128(7).to_string(), "x".repeat(36), "x".repeat(100_000)]) {
        assert_eq!(SealedToken::parse(&bad), None, "{bad:.80}");
    }
}

#[test]
fn another_epoch_or_key_or_queue_opens_nothing() {
    let token = keys(&[OLD]).for_queue(QUEUE, EPOCH).seal(number(1));
    assert_eq!(keys(&[OLD]).for_queue(QUEUE, QueueEpoch([8; 16])).open(token), None);
    assert_eq!(keys(&[NEW]).for_queue(QUEUE, EPOCH).open(token), None);
    assert_eq!(keys(&[OLD]).for_queue(QueueNumber(1), EPOCH).open(token), None);
}

#[test]
fn the_first_key_seals_and_all_verify() {
    let rolling = keys(&[NEW, OLD]).for_queue(QUEUE, EPOCH);
    let old = keys(&[OLD]).for_queue(QUEUE, EPOCH).seal(number(5));
    assert!(rolling.open(old).is_some());
    assert!(keys(&[NEW]).for_queue(QUEUE, EPOCH).open(rolling.seal(number(5))).is_some());
}

#[test]
fn a_server_without_the_key_that_sealed_last_refuses_to_start() {
    let stored = keys(&[OLD]).to_store();
    assert_eq!(ServerKeys::agree(Some(keys(&[NEW])), Some(&stored), [0; 32]), Err(KeyMismatch));
    assert_eq!(ServerKeys::agree(None, Some(&stored), [0; 32]), Err(KeyMismatch));
    assert_eq!(ServerKeys::agree(Some(keys(&[OLD])), Some(&stored), [0; 32]), Ok((keys(&[OLD]), None)));
    // Announce the new key everywhere, seal with it, then drop the old one.
    assert_eq!(ServerKeys::agree(Some(keys(&[OLD, NEW])), Some(&stored), [0; 32]), Ok((keys(&[OLD, NEW]), None)));
    let (_, kept) = ServerKeys::agree(Some(keys(&[NEW, OLD])), Some(&stored), [0; 32]).unwrap();
    assert!(ServerKeys::agree(Some(keys(&[NEW])), kept.as_ref(), [0; 32]).is_ok());
}

#[test]
fn a_generated_key_is_kept_and_goes_on_verifying_under_a_set_one() {
    let (generated, kept) = ServerKeys::agree(None, None, [3; 32]).unwrap();
    assert_eq!(ServerKeys::agree(None, kept.as_ref(), [4; 32]), Ok((generated.clone(), None)));
    let (set, kept) = ServerKeys::agree(Some(keys(&[NEW])), kept.as_ref(), [4; 32]).unwrap();
    let token = generated.for_queue(QUEUE, EPOCH).seal(number(1));
    assert!(set.for_queue(QUEUE, EPOCH).open(token).is_some());
    assert!(ServerKeys::agree(Some(keys(&[NEW])), kept.as_ref(), [4; 32]).is_ok());
}

#[test]
fn secrets_are_not_printed() {
    let keys = keys(&[OLD]);
    let seal = keys.for_queue(QUEUE, EPOCH);
    let token = seal.seal(number(1));
    assert_eq!(format!("{:?} {token:?} {EPOCH:?}", keys.seals), "ServerKey(..) SealedToken(..) QueueEpoch(..)");
    assert!(ServerKey::from_secret("short").is_none());
}
