//! Headers in which callers weigh what they prefer: `ko;q=0.9, en;q=0.8` (RFC 9110, 12.4.2).
//!
//! Read by hand: actix's `AcceptLanguage` and `AcceptEncoding` build a list of owned texts and sort it, and the language is
//! asked for on every poll.

use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::answer::error_codes::Language;

/// The items of such a header with their weights in thousandths; what cannot be read is left out.
fn weighted<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = (&'a str, u16)> {
    headers.get_all(name).filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let what = parts.next().filter(|what| !what.is_empty())?;
        let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((what, q.map_or(Some(1000), thousandths)?))
    })
}

/// `0`, `0.5`, `1.000`; nothing else.
fn thousandths(q: &str) -> Option<u16> {
    let (whole, decimals) = q.split_once('.').unwrap_or((q, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    let decimals: u16 = format!("{decimals:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

/// Korean when the caller prefers it to English, English otherwise.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let (mut best, mut weight) = (Language::English, 0);
    for (tag, q) in weighted(headers, &header::ACCEPT_LANGUAGE) {
        let language = match tag.split('-').next() {
            Some(primary) if primary.eq_ignore_ascii_case("ko") => Language::Korean,
            Some(primary) if primary.eq_ignore_ascii_case("en") => Language::English,
            _ => continue,
        };
        if q > weight {
            (best, weight) = (language, q);
        }
    }
    best
}

/// Whether the caller takes gzip.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let (mut named, mut any) = (None, None);
    for (coding, q) in weighted(headers, &header::ACCEPT_ENCODING) {
        match coding {
            "*" => any = Some(q),
            coding if coding.eq_ignore_ascii_case("gzip") => named = Some(q),
            _ => {}
        }
    }
    named.or(any).is_some_and(|q| q > 0)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        headers
    }

    #[test]
    fn korean_is_spoken_to_those_who_prefer_it() {
        let cases = [
            ("ko", true),
            ("ko-KR,ko;q=0.9,en-US;q=0.8", true),
            ("en, ko", false),
            ("ko, en", true),
            ("en;q=0.5, KO;q=0.6", true),
            ("en;q=0.6, ko;q=0.5", false),
            ("ko;q=0", false),
            ("fr, ko;q=0.1", true),
            ("korean", false),
            ("ko;q=2", false),
            ("ko;q=x", false),
            ("", false),
            ("*", false),
            (";;,;q=1,\u{ff}", false),
        ];
        for (value, korean) in cases {
            let language = language(&headers(header::ACCEPT_LANGUAGE, value));
            assert_eq!(language == Language::Korean, korean, "{value:?}");
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let cases = [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("GZIP;q=0.001", true),
            ("gzip;q=0", false),
            ("*", true),
            ("gzip;q=0, *", false),
            ("br", false),
            ("", false),
        ];
        for (value, gzip) in cases {
            assert_eq!(takes_gzip(&headers(header::ACCEPT_ENCODING, value)), gzip, "{value:?}");
        }
    }
}
