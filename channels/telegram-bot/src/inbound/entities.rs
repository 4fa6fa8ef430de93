//! Marks over a text. Ranges stay in UTF-16 code units, as the provider counts; what does not fit drops.

use hub_domain::Entity;
use hub_domain::content::without_nul;

use crate::wire;

/// The marks that lie within `text` and cut no character in two.
pub fn within(text: &str, entities: &[wire::Entity]) -> Vec<Entity> {
    if entities.is_empty() {
        return Vec::new();
    }
    let starts = character_starts(text);
    let fits = |entity: &&wire::Entity| {
        let end = entity.offset.checked_add(entity.length);
        entity.length > 0
            && starts.binary_search(&entity.offset).is_ok()
            && end.is_some_and(|end| starts.binary_search(&end).is_ok())
    };
    let ours = |entity: &wire::Entity| Entity {
        kind: without_nul(entity.kind.clone()),
        offset: entity.offset,
        length: entity.length,
        url: entity.url.clone().map(without_nul),
    };
    entities.iter().filter(fits).map(ours).collect()
}

/// Where characters begin, in UTF-16 code units, ascending; ends with the length of the text.
fn character_starts(text: &str) -> Vec<u32> {
    let mut next = 0;
    let mut starts = vec![0];
    for one in text.chars() {
        next += if one.len_utf16() == 2 { 2 } else { 1 };
        starts.push(next);
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bold(offset: u32, length: u32) -> wire::Entity {
        wire::Entity { kind: "bold".to_owned(), offset, length, url: None }
    }

    #[test]
    fn a_mark_outside_the_text_or_across_half_a_character_is_dropped() {
        let text = "a\u{1f600}b";
        let kept = within(
            text,
            &[bold(0, 4), bold(1, 2), bold(0, 5), bold(2, 1), bold(0, 2), bold(4, 1), bold(0, 0)],
        );
        let ranges: Vec<_> = kept.iter().map(|mark| (mark.offset, mark.length)).collect();
        assert_eq!(ranges, [(0, 4), (1, 2)]);
    }

    #[test]
    fn a_mark_whose_end_overflows_is_dropped() {
        assert_eq!(within("text", &[bold(u32::MAX, 2)]), []);
    }
}
