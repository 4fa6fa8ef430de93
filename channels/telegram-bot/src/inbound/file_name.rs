//! File names as strangers choose them, made harmless before they reach a path, a header or a screen.

/// Longest name kept, in characters; the end, with the extension, stays.
const LIMIT: usize = 160;

/// The last part of the name without control characters and direction overrides; `None` when nothing
/// worth keeping is left.
pub fn harmless(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: Vec<char> = last.chars().filter(|one| !is_deceptive(*one)).collect();
    let from = clean.len().saturating_sub(LIMIT);
    let kept: String = clean[from..].iter().collect();
    let kept = kept.trim().trim_start_matches('.').trim_start();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Control characters, and marks that make `exe.gpj` read as `jpg.exe` the other way round.
fn is_deceptive(one: char) -> bool {
    one.is_control() || matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_stay() {
        let name = "Счёт № 12 (копия).pdf";
        assert_eq!(harmless(name).as_deref(), Some(name));
    }

    #[test]
    fn paths_control_characters_and_direction_overrides_go() {
        assert_eq!(harmless("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(harmless("C:\\boot\\a.txt").as_deref(), Some("a.txt"));
        assert_eq!(harmless("a\0b\r\nc.txt").as_deref(), Some("abc.txt"));
        assert_eq!(harmless("photo\u{202e}gpj.exe").as_deref(), Some("photogpj.exe"));
    }

    #[test]
    fn a_name_of_nothing_is_none() {
        for name in ["", "..", "/", "a/..", " . ", "\u{7}"] {
            assert_eq!(harmless(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = harmless(&format!("{}.pdf", "я".repeat(500))).expect("a name");
        assert_eq!(name.chars().count(), LIMIT);
        assert_eq!(name.rsplit_once('.').map(|(_, extension)| extension), Some("pdf"));
    }
}
