//! Text of messages as the provider treats it: cleaned, measured in UTF-16 units, with its entities checked.
//!
//! `parse_mode` is understood for `HTML` only; other modes are refused, because half an implementation would hide
//! broken markup that the provider refuses.

use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::params::Params;

pub(super) const TEXT_LIMIT: usize = 4096;
pub(super) const CAPTION_LIMIT: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Formatted {
    pub text: String,
    pub entities: Vec<Value>,
}

pub(super) fn utf16_length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// `/command` and `@name` at the start of a word, as the provider marks them by itself.
pub(super) fn found_entities(text: &str) -> Vec<Value> {
    let mut entities = Vec::new();
    let mut offset = 0;
    let mut at_word_start = true;
    for (at, char) in text.char_indices() {
        if at_word_start && matches!(char, '/' | '@') {
            let name = &text[at + 1..];
            let length = name
                .find(|char: char| {
                    !(char.is_ascii_alphanumeric()
                        || char == '_'
                        || (text[at..].starts_with('/') && char == '@'))
                })
                .unwrap_or(name.len());
            let least = if char == '@' { 3 } else { 1 };
            if length >= least {
                let kind = if char == '@' { "mention" } else { "bot_command" };
                entities.push(json!({ "offset": offset, "length": length + 1, "type": kind }));
            }
        }
        at_word_start = char.is_whitespace();
        offset += char.len_utf16();
    }
    entities
}

/// Reads `text_name` with `entities_name` or `parse_mode`.
pub(super) fn formatted(
    params: &Params,
    text_name: &str,
    entities_name: &str,
) -> Result<Formatted, Refusal> {
    let raw = clean(&params.text(text_name).unwrap_or_default());
    let mode = params.text("parse_mode").unwrap_or_default().to_ascii_lowercase();
    formatted_from(raw, &mode, params.nested(entities_name)?)
}

/// The same for an item of a media group.
pub(super) fn formatted_item(item: &Map<String, Value>) -> Result<Formatted, Refusal> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    formatted_from(
        clean(&text("caption")),
        &text("parse_mode").to_ascii_lowercase(),
        item.get("caption_entities").cloned(),
    )
}

fn formatted_from(raw: String, mode: &str, entities: Option<Value>) -> Result<Formatted, Refusal> {
    let formatted = match mode {
        "" | "none" => {
            let entities = match entities {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(entities)) => entities,
                Some(_) => return Err(Refusal::bad("can't parse entities: expected an Array")),
            };
            Formatted { text: raw, entities }
        }
        "html" => parse_html(&raw)?,
        _ => return Err(Refusal::bad("unsupported parse_mode")),
    };
    check_entities(&formatted)?;
    Ok(trimmed(formatted))
}

/// Control characters become spaces, carriage returns go.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|char| *char != '\r')
        .map(|char| if char < ' ' && char != '\n' { ' ' } else { char })
        .collect()
}

fn span(entity: &Value) -> Option<(usize, usize)> {
    let number =
        |name: &str| entity.get(name).and_then(Value::as_u64).map(|number| number as usize);
    Some((number("offset")?, number("length")?))
}

fn check_entities(formatted: &Formatted) -> Result<(), Refusal> {
    if formatted.entities.is_empty() {
        return Ok(());
    }
    let mut starts = vec![false; utf16_length(&formatted.text) + 1];
    let mut offset = 0;
    for char in formatted.text.chars() {
        starts[offset] = true;
        offset += char.len_utf16();
    }
    starts[offset] = true;
    for entity in &formatted.entities {
        let Some((offset, length)) = span(entity) else {
            return Err(Refusal::bad(
                "can't parse entities: can't parse MessageEntity: field \"offset\" not found",
            ));
        };
        if !entity.get("type").is_some_and(Value::is_string) {
            return Err(Refusal::bad(
                "can't parse entities: can't parse MessageEntity: field \"type\" not found",
            ));
        }
        let end = offset.saturating_add(length);
        if end >= starts.len() {
            return Err(Refusal::bad(format!(
                "entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {end}"
            )));
        }
        if !starts[offset] {
            return Err(Refusal::bad(format!(
                "entity begins in a middle of a UTF-16 symbol at byte offset {offset}"
            )));
        }
        if !starts[end] {
            return Err(Refusal::bad(format!(
                "entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol at UTF-16 offset {end}"
            )));
        }
    }
    Ok(())
}

/// White space at both ends goes, and the entities move with the text.
fn trimmed(formatted: Formatted) -> Formatted {
    let without_start = formatted.text.trim_start();
    let removed = utf16_length(&formatted.text) - utf16_length(without_start);
    let text = without_start.trim_end().to_owned();
    let length = utf16_length(&text);
    let mut entities = formatted.entities;
    for entity in &mut entities {
        if let Some((offset, long)) = span(entity) {
            let start = offset.saturating_sub(removed).min(length);
            let end = (offset + long).saturating_sub(removed).min(length);
            entity["offset"] = json!(start);
            entity["length"] = json!(end - start);
        }
    }
    entities.retain(|entity| span(entity).is_some_and(|(_, length)| length > 0));
    Formatted { text, entities }
}

const HTML_TAGS: [(&str, &str); 12] = [
    ("b", "bold"),
    ("strong", "bold"),
    ("i", "italic"),
    ("em", "italic"),
    ("u", "underline"),
    ("ins", "underline"),
    ("s", "strikethrough"),
    ("strike", "strikethrough"),
    ("del", "strikethrough"),
    ("code", "code"),
    ("pre", "pre"),
    ("tg-spoiler", "spoiler"),
];

fn parse_html(source: &str) -> Result<Formatted, Refusal> {
    let broken = |reason: String| Refusal::bad(format!("can't parse entities: {reason}"));
    let mut text = String::new();
    let mut entities = Vec::new();
    let mut open: Vec<(String, usize, Option<String>)> = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        if rest.starts_with('<') {
            let Some(end) = rest.find('>') else {
                return Err(broken(format!(
                    "Can't find end tag corresponding to start tag at byte offset {at}"
                )));
            };
            let inside = &rest[1..end];
            if let Some(name) = inside.strip_prefix('/') {
                let name = name.trim().to_ascii_lowercase();
                let Some((opened, start, link)) = open.pop() else {
                    return Err(broken(format!("Unexpected end tag at byte offset {at}")));
                };
                if opened != name {
                    return Err(broken(format!(
                        "Unmatched end tag at byte offset {at}, expected \"</{opened}>\", found \"</{name}>\""
                    )));
                }
                let length = utf16_length(&text) - start;
                if length > 0 {
                    entities.push(html_entity(&name, start, length, link));
                }
            } else {
                let name: String = inside
                    .chars()
                    .take_while(|char| !char.is_whitespace())
                    .collect::<String>()
                    .to_ascii_lowercase();
                let known = name == "a"
                    || name == "blockquote"
                    || HTML_TAGS.iter().any(|(tag, _)| *tag == name);
                if !known {
                    return Err(broken(format!(
                        "Unsupported start tag \"{name}\" at byte offset {at}"
                    )));
                }
                let link = inside.split_once("href=").map(|(_, value)| {
                    unescape(value.trim().trim_matches(|quote| quote == '"' || quote == '\''))
                });
                open.push((name, utf16_length(&text), link));
            }
            at += end + 1;
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            text.push_str(&unescape(&rest[..end]));
            at += end;
        }
    }
    if let Some((name, ..)) = open.last() {
        return Err(broken(format!("Can't find end tag corresponding to start tag \"{name}\"")));
    }
    entities
        .sort_by_key(|entity| span(entity).map(|(offset, length)| (offset, usize::MAX - length)));
    Ok(Formatted { text, entities })
}

fn html_entity(tag: &str, offset: usize, length: usize, link: Option<String>) -> Value {
    let kind = match tag {
        "a" => "text_link",
        "blockquote" => "blockquote",
        _ => HTML_TAGS.iter().find(|(name, _)| *name == tag).map_or("bold", |(_, kind)| *kind),
    };
    let mut entity = json!({ "offset": offset, "length": length, "type": kind });
    if let Some(url) = link.filter(|_| tag == "a") {
        entity["url"] = Value::String(url);
    }
    entity
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_utf16_units() {
        assert_eq!(utf16_length("цена"), 4);
        assert_eq!(utf16_length("👍"), 2);
    }

    #[test]
    fn an_unknown_tag_is_refused_with_its_place() {
        let refusal = parse_html("see <b2>x</b2>").unwrap_err();
        assert_eq!(
            refusal.description,
            "Bad Request: can't parse entities: Unsupported start tag \"b2\" at byte offset 4"
        );
    }

    #[test]
    fn html_becomes_text_with_entities_in_utf16_offsets() {
        let formatted = parse_html("👍 <b>a &amp; <i>б</i></b>").unwrap();
        assert_eq!(formatted.text, "👍 a & б");
        assert_eq!(
            formatted.entities,
            [
                json!({ "offset": 3, "length": 5, "type": "bold" }),
                json!({ "offset": 7, "length": 1, "type": "italic" })
            ]
        );
    }

    #[test]
    fn an_entity_may_not_cut_a_surrogate_pair_nor_leave_the_text() {
        let of = |offset: u32, length: u32| {
            let entities = json!([{ "offset": offset, "length": length, "type": "bold" }]);
            formatted_from("👍ok".to_owned(), "", Some(entities)).map(|formatted| formatted.text)
        };
        assert_eq!(of(2, 2).unwrap(), "👍ok");
        assert!(of(1, 2).is_err());
        assert!(of(0, 1).is_err());
        assert!(of(2, 3).is_err());
    }

    #[test]
    fn trimming_moves_the_entities() {
        let entities = json!([{ "offset": 2, "length": 4, "type": "bold" }]);
        let formatted = formatted_from("  bold  ".to_owned(), "", Some(entities)).unwrap();
        assert_eq!(formatted.text, "bold");
        assert_eq!(formatted.entities, [json!({ "offset": 0, "length": 4, "type": "bold" })]);
    }

    #[test]
    fn a_command_and_a_name_are_found() {
        assert_eq!(
            found_entities("/start src_1"),
            [json!({ "offset": 0, "length": 6, "type": "bot_command" })]
        );
        assert_eq!(
            found_entities("@harbour_desk_bot help"),
            [json!({ "offset": 0, "length": 17, "type": "mention" })]
        );
        assert!(found_entities("mail@example").is_empty());
    }
}
