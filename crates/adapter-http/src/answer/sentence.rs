//! What exactly was not found, or makes a server not ready: sentences in both languages.

use domain::rejection::Missing;

use crate::answer::error_codes::Language;

/// A sentence in both languages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sentence {
    english: &'static str,
    korean: &'static str,
}

impl Sentence {
    /// Nothing is served under the path.
    pub(crate) const NO_SUCH_PATH: Self =
        Self { english: "There is no such path.", korean: "존재하지 않는 경로입니다." };

    /// The storage has no room.
    pub(crate) const STORAGE_FULL: Self =
        Self { english: "The storage's disk is full.", korean: "저장소의 디스크가 가득 찼습니다." };
    /// The storage fails, or takes no writes.
    pub(crate) const STORAGE_SILENT: Self = Self {
        english: "The storage does not answer as it should.",
        korean: "저장소가 정상적으로 응답하지 않습니다.",
    };
    /// Two clocks do not agree.
    pub(crate) const CLOCK_OFF: Self = Self {
        english: "This server's clock is a second or more off the storage's.",
        korean: "이 서버의 시계가 저장소의 시계와 1초 이상 차이 납니다.",
    };

    /// The sentence in one language.
    pub(crate) const fn text(self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Korean => self.korean,
        }
    }

    /// What was not found.
    pub(crate) const fn missing(what: &Missing) -> &'static Self {
        match what {
            Missing::Queue => {
                &Self { english: "There is no queue of this name.", korean: "이 이름의 대기열이 없습니다." }
            }
            Missing::Concert => {
                &Self { english: "There is no concert of this id.", korean: "이 ID의 공연이 없습니다." }
            }
            Missing::Schedule => {
                &Self { english: "There is no schedule of this id.", korean: "이 ID의 회차가 없습니다." }
            }
            Missing::Seat | Missing::Seats(_) => &Self {
                english: "There is no seat of at least one of these ids, or not for this token.",
                korean: "이 ID의 좌석이 없거나 이 토큰으로는 볼 수 없습니다.",
            },
            Missing::Reservation => &Self {
                english: "There is no reservation of this id, or not for this token.",
                korean: "이 ID의 예약이 없거나 이 토큰으로는 볼 수 없습니다.",
            },
            Missing::Payment => &Self {
                english: "There is no payment of this id, or not for this token.",
                korean: "이 ID의 결제가 없거나 이 토큰으로는 볼 수 없습니다.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_is_in_both_languages_and_of_one_thing() {
        let missing = [
            Missing::Queue,
            Missing::Concert,
            Missing::Schedule,
            Missing::Seat,
            Missing::Reservation,
            Missing::Payment,
        ];
        let missing = missing.iter().map(Sentence::missing);
        let all: Vec<Sentence> = missing
            .copied()
            .chain([Sentence::NO_SUCH_PATH, Sentence::STORAGE_FULL, Sentence::STORAGE_SILENT, Sentence::CLOCK_OFF])
            .collect();
        for (at, sentence) in all.iter().enumerate() {
            assert!(sentence.english.is_ascii(), "{sentence:?}");
            assert!(sentence.korean.contains(|c| ('가'..='힣').contains(&c)), "{sentence:?}");
            let others = || all.iter().skip(at + 1);
            assert!(others().all(|other| other.english != sentence.english && other.korean != sentence.korean));
        }
    }
}
