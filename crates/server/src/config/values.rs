//! How the values of flags and variables are read, and what is said of one that cannot be.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::net::{SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

/// Reads one of several words; what is around it is no part of it.
#[derive(Clone)]
pub(crate) struct Word<T: ValueEnum + Clone + Send + Sync + 'static>(EnumValueParser<T>);

impl<T: ValueEnum + Clone + Send + Sync + 'static> Word<T> {
    pub(crate) fn new() -> Self {
        Self(EnumValueParser::new())
    }
}

impl<T: ValueEnum + Clone + Send + Sync + 'static> TypedValueParser for Word<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, text: &OsStr) -> Result<T, clap::Error> {
        self.0.parse_ref(command, argument, text.to_str().map_or(text, |text| OsStr::new(text.trim())))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// Reads whether something is so.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err("must be true or false, yes or no, on or off, 1 or 0".to_owned()),
    }
}

/// Reads a whole number of something within bounds; `example` is a usual one.
pub(crate) fn number(
    what: &'static str,
    bounds: RangeInclusive<u32>,
    example: u32,
) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.trim().parse().ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        number.ok_or_else(|| format!("must be a number of {what}, {least} to {most}, for example {example}"))
    }
}

/// Reads a text of one line. What was read from a file, or written by `echo`, ends with the end of its line, which is no part of it.
/// Never refuses: what is refused here is printed, and these texts are secrets.
#[expect(clippy::unnecessary_wraps, reason = "what reads a value says whether it could")]
pub(crate) fn line(text: &str) -> Result<String, Infallible> {
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads an address and port to listen on; the host may be a name.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    if !text.is_empty() && text.chars().all(|digit| digit.is_ascii_digit()) {
        return Err(format!("must be an address with its port, for example 127.0.0.1:{text}"));
    }
    if text.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
        return Err("must be an address with its port, for example 127.0.0.1:8080".to_owned());
    }
    let found: Vec<_> = text.to_socket_addrs().map_err(|error| format!("is no address: {error}"))?.collect();
    // A name such as localhost stands for both kinds; most callers try this one.
    let preferred = found.iter().find(|address| address.is_ipv4()).or(found.first());
    preferred.copied().ok_or_else(|| "is a name without an address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_within_its_bounds_and_else_an_example_is_told() {
        let seconds = number("seconds", 1..=86_400, 300);
        for (text, read) in
            [("1", Some(1)), ("86400", Some(86_400)), ("300\n", Some(300)), ("0", None), ("86401", None)]
        {
            assert_eq!(seconds(text).ok(), read, "{text:?}");
        }
        for text in ["5m", "", "-1", "1.5", "99999999999"] {
            assert_eq!(
                seconds(text).unwrap_err(),
                "must be a number of seconds, 1 to 86400, for example 300",
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_end_of_a_line_is_no_part_of_it() {
        for text in ["key", "key\n", "key\r\n", "key\n\n"] {
            assert_eq!(line(text).unwrap(), "key");
        }
        assert_eq!(line(" k\ny ").unwrap(), " k\ny ");
    }

    #[test]
    fn an_address_may_be_a_name() {
        for (text, read) in
            [("127.0.0.1:8080", "127.0.0.1:8080"), ("[::1]:0", "[::1]:0"), ("0.0.0.0:80\n", "0.0.0.0:80")]
        {
            assert_eq!(address(text).unwrap().to_string(), read);
        }
        let localhost = address("localhost:8080").unwrap();
        assert!(localhost.ip().is_loopback() && localhost.port() == 8080, "{localhost}");
        for (text, told) in [
            ("8080", "for example 127.0.0.1:8080"),
            ("21511", "for example 127.0.0.1:21511"),
            ("localhost", "an address with its port"),
            ("127.0.0.1:99999", "an address with its port"),
            ("", "an address with its port"),
            (":8080", "is no address"),
        ] {
            let line = address(text).unwrap_err();
            assert!(line.contains(told), "{text}: {line}");
        }
    }
}
