//! Merging: from files, environment and flags to one table, with the source of each value.
//!
//! The default layer decides which keys exist and which type each has; the layers above are read by
//! it. Knows nothing of what a key means, except which ones are secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{FILE_IN_WORKING_DIRECTORY, Inputs};

const PREFIX: &str = "UZEL_";
pub(super) const FILE_VARIABLE: &str = "UZEL_CONFIG";
/// Variables of the test suite, which are no options of the server.
const TEST_PREFIX: &str = "UZEL_TEST_";

/// Keys whose values never print. Each has a sibling that ends in `_file`.
const SECRETS: [&str; 4] =
    ["database.url", "redis.url", "files.s3_secret_access_key", "security.master_key"];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    File(PathBuf),
    /// A secret's own file.
    SecretFile(PathBuf),
    Environment(String),
    Flag,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::SecretFile(path) => write!(f, "secret file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// One option with its value as it may be shown.
#[derive(Debug, Clone)]
pub struct Setting {
    pub key: String,
    pub shown: String,
    pub source: Source,
}

pub(super) struct Merged {
    pub table: Table,
    pub settings: Vec<Setting>,
}

type Layer = BTreeMap<String, (Value, Source)>;

pub(super) fn merge(defaults: &str, inputs: &Inputs) -> Result<Merged, Vec<String>> {
    let defaults: Table = toml::from_str(defaults)
        .map_err(|error| vec![format!("the embedded defaults cannot be read: {error}")])?;
    let mut order = Vec::new();
    let mut values = Layer::new();
    flatten("", &defaults, &mut |key, value| {
        order.push(key.to_owned());
        values.insert(key.to_owned(), (value.clone(), Source::Default));
    });
    let known = values.clone();
    let mut problems = Vec::new();

    if let Some(path) = file_of(inputs) {
        read_file(&path, &known, &mut values, &mut problems);
    }
    for (name, text) in &inputs.environment {
        if !name.starts_with(PREFIX) || name == FILE_VARIABLE || name.starts_with(TEST_PREFIX) {
            continue;
        }
        let key = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
        let source = Source::Environment(name.clone());
        set_text(&key, text, &source, name, &known, &mut values, &mut problems);
    }
    for (key, text) in &inputs.flags {
        set_text(key, text, &Source::Flag, key, &known, &mut values, &mut problems);
    }
    read_secret_files(&mut values, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }

    let mut table = Table::new();
    let mut settings = Vec::new();
    for key in order {
        // Both were found above; a key of a secret's file is spent by now.
        let Some((value, source)) = values.remove(&key) else { continue };
        settings.push(Setting { shown: shown(&key, &value), key: key.clone(), source });
        insert(&mut table, &key, value);
    }
    Ok(Merged { table, settings })
}

fn file_of(inputs: &Inputs) -> Option<PathBuf> {
    if inputs.file.is_some() {
        return inputs.file.clone();
    }
    let found = Path::new(FILE_IN_WORKING_DIRECTORY);
    (inputs.look_in_working_directory && found.is_file()).then(|| found.to_owned())
}

fn read_file(path: &Path, known: &Layer, values: &mut Layer, problems: &mut Vec<String>) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.push(format!("{} cannot be read: {error}", path.display()));
            return;
        }
    };
    let table: Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(error) => {
            problems.push(format!("{} is not valid TOML: {error}", path.display()));
            return;
        }
    };
    flatten("", &table, &mut |key, value| match known.get(key) {
        None => problems.push(unknown(key, &format!("`{key}` in {}", path.display()), known)),
        Some((default, _)) if !same_type(default, value) => problems.push(format!(
            "`{key}` in {} must be {}, not {}",
            path.display(),
            describe(default),
            describe(value)
        )),
        Some(_) => {
            values.insert(key.to_owned(), (value.clone(), Source::File(path.to_owned())));
        }
    });
}

fn set_text(
    key: &str,
    text: &str,
    source: &Source,
    named: &str,
    known: &Layer,
    values: &mut Layer,
    problems: &mut Vec<String>,
) {
    let Some((default, _)) = known.get(key) else {
        problems.push(unknown(key, &format!("`{named}`"), known));
        return;
    };
    match read_text(default, text) {
        Some(value) => {
            values.insert(key.to_owned(), (value, source.clone()));
        }
        None => problems.push(format!("`{key}` ({source}) must be {}", describe(default))),
    }
}

/// Replaces each secret whose `_file` is set by what that file holds, and takes the `_file` keys away.
fn read_secret_files(values: &mut Layer, problems: &mut Vec<String>) {
    for key in SECRETS {
        let Some((Value::String(path), _)) = values.remove(&format!("{key}_file")) else {
            continue;
        };
        if path.is_empty() {
            continue;
        }
        if values.get(key).is_some_and(|(_, source)| *source != Source::Default) {
            problems.push(format!("`{key}` and `{key}_file` are both set; keep one"));
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let value = Value::String(text.trim().to_owned());
                values.insert(key.to_owned(), (value, Source::SecretFile(path.into())));
            }
            Err(error) => problems.push(format!("`{key}_file`: {path} cannot be read: {error}")),
        }
    }
}

fn unknown(key: &str, named: &str, known: &Layer) -> String {
    let nearest = known
        .keys()
        .max_by(|a, b| strsim::jaro_winkler(key, a).total_cmp(&strsim::jaro_winkler(key, b)));
    match nearest {
        Some(nearest) => format!("{named} is no option; the nearest is `{nearest}`"),
        None => format!("{named} is no option"),
    }
}

fn flatten(prefix: &str, table: &Table, found: &mut dyn FnMut(&str, &Value)) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => flatten(&key, inner, found),
            value => found(&key, value),
        }
    }
}

fn insert(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

fn read_text(default: &Value, text: &str) -> Option<Value> {
    match default {
        Value::Integer(_) => text.trim().parse().ok().filter(|n| *n >= 0).map(Value::Integer),
        Value::Float(_) => text.trim().parse().ok().map(Value::Float),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(items) => {
            // An empty default is a list of words.
            let item = items.first().cloned().unwrap_or_else(|| Value::String(String::new()));
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| read_text(&item, part)).collect::<Option<_>>().map(Value::Array)
        }
        _ => Some(Value::String(text.to_owned())),
    }
}

fn same_type(default: &Value, value: &Value) -> bool {
    match (default, value) {
        (Value::Integer(_), Value::Integer(n)) => *n >= 0,
        (Value::Array(defaults), Value::Array(items)) => match defaults.first() {
            Some(first) => items.iter().all(|item| same_type(first, item)),
            None => items.iter().all(Value::is_str),
        },
        (default, value) => default.same_type(value),
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(n) if *n < 0 => "a negative number",
        Value::Integer(_) => "a whole number, 0 or more",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a time",
        Value::Array(items) if items.first().is_some_and(Value::is_integer) => {
            "a list of whole numbers"
        }
        Value::Array(_) => "a list of words",
        Value::Table(_) => "a section",
    }
}

fn shown(key: &str, value: &Value) -> String {
    let text = value.to_string();
    if !SECRETS.contains(&key) || value.as_str().is_some_and(str::is_empty) {
        return text;
    }
    // An address is worth seeing without its password.
    let masked = value.as_str().and_then(|text| url::Url::parse(text).ok()).map(|mut url| {
        if url.password().is_some() {
            let _ = url.set_password(Some("***"));
        }
        url.set_query(None);
        url.to_string()
    });
    match masked {
        Some(url) if key.rsplit('.').next() == Some("url") => format!("\"{url}\""),
        _ => "\"***\"".to_owned(),
    }
}
