//! Text from outside, made harmless in HTML.

use std::fmt::{self, Display, Formatter, Write};

/// The text so that it is only text, in an element or in a quoted attribute. Control characters are written out, line
/// ends apart.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&#34;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' => f.write_char(letter)?,
                control if control.is_control() => write!(f, "{}", control.escape_debug())?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_element_or_attribute() {
        assert_eq!(
            Escaped("</pre><img src='x' onerror=\"y\"> & \u{0}\u{1b}\n예").to_string(),
            "&lt;/pre&gt;&lt;img src=&#39;x&#39; onerror=&#34;y&#34;&gt; &amp; \\0\\u{1b}\n예"
        );
    }
}
