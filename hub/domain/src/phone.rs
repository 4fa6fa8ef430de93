//! Phone numbers: any spelling in, E.164 digits without `+` stored.

use phonenumber::country;

/// The digits of a valid number (`79261234567`), or `None`.
///
/// Accepts `+7 926 …`, `8 926 …` (a Russian trunk prefix), spaces, brackets and dashes. A number
/// without a country code is read as Russian, as the users of this product write it.
pub fn normalize(text: &str) -> Option<String> {
    // What is copied from a page may hold blanks that do not break.
    let text: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let parse = |candidate: &str| {
        let number = phonenumber::parse(Some(country::RU), candidate).ok()?;
        phonenumber::is_valid(&number).then(|| {
            number
                .format()
                .mode(phonenumber::Mode::E164)
                .to_string()
                .trim_start_matches('+')
                .to_owned()
        })
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if text.starts_with('+') {
        return parse(text);
    }
    // Providers send international digits without the plus; people write national numbers.
    // Eleven digits from 8 is the Russian trunk prefix, never a country code.
    if digits.len() >= 11 && !digits.starts_with('8') {
        parse(&format!("+{digits}")).or_else(|| parse(text))
    } else {
        parse(text)
    }
}

/// For logs and lists seen by others: `+7999***7766`.
pub fn mask(digits: &str) -> String {
    if digits.len() < 8 || !digits.is_ascii() {
        return "***".to_owned();
    }
    format!("+{}***{}", &digits[..4], &digits[digits.len() - 4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_one_number() {
        for spelling in [
            "+7 926 123-45-67",
            "8 (926) 123-45-67",
            "9261234567",
            "79261234567",
            "+79261234567",
            " 8-926-123-45-67 ",
            "+7\u{a0}926\u{a0}123-45-67",
        ] {
            assert_eq!(normalize(spelling).as_deref(), Some("79261234567"), "{spelling}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "abc", "+7 926", "123", "+0000000000000", "999999999999999999999999"] {
            assert_eq!(normalize(text), None, "{text}");
        }
    }

    #[test]
    fn a_masked_number_keeps_its_ends_only() {
        assert_eq!(mask("79991237766"), "+7999***7766");
        assert_eq!(mask("123"), "***");
    }
}
