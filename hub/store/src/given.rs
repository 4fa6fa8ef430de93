//! Rows given to a set-based statement: many of them as one parameter, a JSON array of objects.
//!
//! Written straight from structs: this is the hottest path of the store, and a tree of values in between
//! costs more than the database's reading of the result.

use serde::Serialize;

use crate::StoreError;

/// The rows as the text that `dialect::rows` reads.
pub fn given_rows<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<String, StoreError> {
    let mut text = Vec::with_capacity(16 * 1024);
    text.push(b'[');
    for row in rows {
        if text.len() > 1 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &row).map_err(|error| {
            StoreError::inconsistent(format!("a row does not serialise: {error}"))
        })?;
    }
    text.push(b']');
    String::from_utf8(text).map_err(|_| StoreError::inconsistent("JSON is UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_an_array_of_objects() {
        #[derive(Serialize)]
        struct Row {
            id: i64,
            name: Option<&'static str>,
        }
        let rows = [Row { id: 1, name: Some("a\"b") }, Row { id: 2, name: None }];
        let text = given_rows(rows.into_iter()).unwrap();
        assert_eq!(text, r#"[{"id":1,"name":"a\"b"},{"id":2,"name":null}]"#);
        assert_eq!(given_rows(std::iter::empty::<Row>()).unwrap(), "[]");
    }
}
