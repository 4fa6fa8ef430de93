//! What a client is found by: the words of the card, folded, and the digits of the phone.
//!
//! One rule for both engines and for both sides: what is written into the index and what is asked of it
//! pass through here, so that case, ё, width and the spelling of a number never part them. A search finds
//! a client when each of its words begins one of the client's terms.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

/// Longest term, in characters; longer words are found by their beginnings.
const TERM_LIMIT: usize = 40;
/// Most terms of one client: a comment may be long.
const TERMS_LIMIT: usize = 400;
/// Most words of one search.
const ASKED_LIMIT: usize = 8;
/// Fewest digits that are read as one number though blanks part them.
const NUMBER_DIGITS: usize = 7;

/// What people see of a client and may look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Findable<'c> {
    pub name: &'c str,
    /// E.164 digits without `+`: the card's, and those told on a site.
    pub phones: &'c [String],
    /// Public names in the messengers and e-mail addresses, parted by blanks.
    pub addresses: &'c str,
    pub comment: &'c str,
}

/// The terms of a client, as they stand in the index.
pub fn terms(client: &Findable<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for phone in client.phones {
        found.extend(phone_terms(phone));
    }
    for text in [client.name, client.addresses, client.comment] {
        for word in words(&fold(text)) {
            if found.len() >= TERMS_LIMIT {
                return found;
            }
            found.insert(word);
        }
    }
    found
}

/// What a search asks for: beginnings of terms, the most telling one first. Empty: nothing was asked.
pub fn asked(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut asked: Vec<String> = Vec::new();
    let mut number: Vec<&str> = Vec::new();
    let mut written_as_number = false;
    let mut rest = folded.as_str();
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let (gap, tail) = rest.split_at(start);
        let (word, tail) = tail.split_at(tail.find(is_gap).unwrap_or(tail.len()));
        rest = tail;
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !gap.chars().all(is_within_number) {
            take_number(&mut asked, &mut number, written_as_number);
        }
        if digits {
            if number.is_empty() {
                written_as_number = gap.contains(['+', '(']);
            }
            number.push(word);
        } else {
            asked.push(bounded(word));
        }
    }
    take_number(&mut asked, &mut number, written_as_number);
    let mut known = BTreeSet::new();
    asked.retain(|term| known.insert(term.clone()));
    asked.sort_by_key(|term| std::cmp::Reverse(term.chars().count()));
    asked.truncate(ASKED_LIMIT);
    asked
}

/// Digits that stand together are one number when they are many or written as one, else so many words.
fn take_number(asked: &mut Vec<String>, number: &mut Vec<&str>, written_as_number: bool) {
    let digits = number.concat();
    if digits.len() >= NUMBER_DIGITS || written_as_number && !digits.is_empty() {
        asked.push(bounded(&digits));
    } else {
        asked.extend(number.iter().map(|word| bounded(word)));
    }
    number.clear();
}

/// The end of the terms that begin with `term`, itself not one of them.
pub fn end_of(term: &str) -> String {
    format!("{term}{}", char::MAX)
}

fn is_gap(c: char) -> bool {
    !c.is_alphanumeric()
}

const fn is_within_number(c: char) -> bool {
    matches!(c, ' ' | '+' | '(' | ')' | '-' | '‐' | '–')
}

fn bounded(word: &str) -> String {
    word.chars().take(TERM_LIMIT).collect()
}

/// Text without what does not tell words apart: case, width, composition, ё.
fn fold(text: &str) -> String {
    // By way of capitals, which make one of letters that differ in small.
    let upper: String = text.nfkc().flat_map(char::to_uppercase).collect();
    upper
        .chars()
        .flat_map(char::to_lowercase)
        .nfkc()
        .filter(|c| c.is_alphanumeric() || !unicode_normalization::char::is_combining_mark(*c))
        .map(|c| match c {
            'ё' => 'е',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect()
}

fn words(folded: &str) -> impl Iterator<Item = String> {
    folded.split(is_gap).filter(|word| !word.is_empty()).map(bounded)
}

/// A number is found by its beginning and by any ending of two digits or more.
fn phone_terms(digits: &str) -> Vec<String> {
    if !digits.is_ascii() || digits.len() > TERM_LIMIT {
        return Vec::new();
    }
    let mut found: Vec<String> =
        (0..digits.len().saturating_sub(1)).map(|start| digits[start..].to_owned()).collect();
    // At home people write 8 where the world writes +7.
    if let Some(national) = digits.strip_prefix('7').filter(|national| national.len() == 10) {
        found.push(format!("8{national}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(client: &Findable<'_>, text: &str) -> bool {
        let terms = terms(client);
        let asked = asked(text);
        !asked.is_empty()
            && asked.iter().all(|start| {
                terms.range(start.clone()..end_of(start)).any(|term| term.starts_with(start))
            })
    }

    const KATYA: Findable<'static> = Findable {
        name: "Екатерина Ёлкина-Жуковская",
        phones: &[],
        addresses: "Katya_Zh kate2 kate@example.org",
        comment: "Дочь Соня, 5 «Б». Звонить после 18:00. Й",
    };

    #[test]
    fn a_client_is_found_by_the_beginning_of_any_word() {
        for text in [
            "екат",
            "ЕКАТЕРИНА",
            "елк",
            "Ёлк",
            "жуковская",
            "Жук Ек",
            "@katya_zh",
            "kate2",
            "соня",
            "18",
            "5 б",
            "дочь жуковская",
            "и\u{306}",
            "Ｋａｔｙａ",
        ] {
            assert!(finds(&KATYA, text), "{text}");
        }
        for text in ["катерина", "жуковский", "екатерина петрова", "", " — ", "@"]
        {
            assert!(!finds(&KATYA, text), "{text}");
        }
    }

    #[test]
    fn a_number_is_found_in_any_spelling_and_by_its_end() {
        let phones = ["79264180753".to_owned(), "380441234567".to_owned()];
        let katya = Findable { phones: &phones, ..KATYA };
        for text in [
            "+7 926 418-07-53",
            "8 (926) 418-07-53",
            "8926",
            "8 926 41",
            "79264180753",
            "9264180753",
            "926 418",
            "+7 926",
            "(926) 4",
            "418-07-53",
            "0753",
            "07-53",
            "53",
            "+380 44 123",
            "Екатерина +7 926 418-07-53",
            "+7 926 418-07-53 жук",
        ] {
            assert!(finds(&katya, text), "{text}");
        }
        for text in ["+7 926 418-07-54", "0754", "7 495", "89264180753 петрова"] {
            assert!(!finds(&katya, text), "{text}");
        }
    }

    #[test]
    fn digits_within_words_stay_words() {
        let comment = Findable {
            comment: "5б класс, квартира 12, договор А-17", ..KATYA
        };
        for text in ["5б", "класс 5б", "12 5б", "а-17", "квартира 12"] {
            assert!(finds(&comment, text), "{text} {:?}", asked(text));
        }
    }

    #[test]
    fn a_long_comment_is_bounded() {
        let comment: String = (0..2000).map(|n| format!("слово{n}")).collect::<Vec<_>>().join(" ");
        let found = terms(&Findable { comment: &comment, ..KATYA });
        assert_eq!(found.len(), TERMS_LIMIT);
        assert!(asked(&comment).len() <= ASKED_LIMIT);
    }

    proptest! {
        #[test]
        fn a_client_is_found_by_the_whole_name_as_it_is_written(name in "\\PC{1,60}") {
            let client = Findable { name: &name, ..Findable::default() };
            prop_assume!(!terms(&client).is_empty());
            prop_assume!(name.chars().filter(char::is_ascii_digit).count() < 2);
            prop_assert!(finds(&client, &name), "{:?} {:?}", terms(&client), asked(&name));
            prop_assert!(finds(&client, &name.to_uppercase().to_lowercase()));
        }

        #[test]
        fn no_search_breaks_it(text in "\\PC{0,200}") {
            for term in asked(&text) {
                prop_assert!(!term.is_empty() && term.chars().count() <= TERM_LIMIT);
                prop_assert!(term.chars().all(char::is_alphanumeric), "{term:?}");
            }
        }
    }
}
