//! How a widget looks and behaves, as administrators set it. Owns its defaults and bounds.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Most origins, suggestions.
const ORIGINS_LIMIT: usize = 50;
const SUGGESTIONS_LIMIT: usize = 4;
/// Least contrast of white text on the widget's colour (WCAG 2.1, level AA).
const LEAST_CONTRAST: f64 = 4.5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WidgetLanguage {
    /// As the page says, else as the browser does.
    #[default]
    Auto,
    Ru,
    En,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WidgetScheme {
    #[default]
    Light,
    Dark,
    /// As the visitor's system.
    Auto,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WidgetSide {
    Left,
    #[default]
    Right,
}

/// Whether the form before the first message asks for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormField {
    #[default]
    Off,
    Optional,
    Required,
}

/// The form before the first message; with every field off there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WidgetForm {
    pub name: FormField,
    pub phone: FormField,
    pub email: FormField,
}

/// What an administrator sets. Everything has a default, so that a widget works as it is connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WidgetSettings {
    /// Head of the widget; empty: the company's name.
    pub title: String,
    /// Line under it; empty: whether somebody is there.
    #[schema(example = "Отвечаем за 5 минут")]
    pub subtitle: String,
    /// First words, shown before the visitor writes; empty: none.
    pub greeting: String,
    /// What is told when no operator is there; empty: a sentence of our own.
    pub offline_text: String,
    /// Ready first messages, at most four.
    pub suggestions: Vec<String>,
    /// `#rrggbb`, dark enough for white text.
    #[schema(example = "#2f6f5b")]
    pub colour: String,
    pub scheme: WidgetScheme,
    pub side: WidgetSide,
    pub language: WidgetLanguage,
    pub form: WidgetForm,
    /// Sites that may show it, as `https://shop.ru` or `https://*.shop.ru`. Empty: any.
    pub allowed_origins: Vec<String>,
    pub powered_by: bool,
}

impl Default for WidgetSettings {
    fn default() -> Self {
        Self {
            title: String::new(),
            subtitle: String::new(),
            greeting: "Здравствуйте! Чем помочь?".to_owned(),
            offline_text: String::new(),
            suggestions: Vec::new(),
            colour: "#3e49be".to_owned(),
            scheme: WidgetScheme::default(),
            side: WidgetSide::default(),
            language: WidgetLanguage::default(),
            form: WidgetForm::default(),
            allowed_origins: Vec::new(),
            powered_by: true,
        }
    }
}

/// A setting that cannot be kept, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingRefused {
    #[error("the text is too long")]
    TooLong { field: &'static str, limit: usize },
    #[error("this is no colour of the form #rrggbb")]
    NoColour,
    #[error("white text cannot be read on this colour")]
    ColourTooLight,
    #[error("this is no origin of the form https://shop.ru")]
    NoOrigin { origin: String },
    #[error("too many entries")]
    TooMany { field: &'static str, limit: usize },
}

impl WidgetSettings {
    /// Trims what people wrote and refuses what cannot be kept.
    pub fn checked(mut self) -> Result<Self, SettingRefused> {
        for (field, text, limit) in [
            ("title", &mut self.title, 60),
            ("subtitle", &mut self.subtitle, 80),
            ("greeting", &mut self.greeting, 500),
            ("offline_text", &mut self.offline_text, 300),
        ] {
            *text = clean(text);
            if text.chars().count() > limit {
                return Err(SettingRefused::TooLong { field, limit });
            }
        }
        self.suggestions = self.suggestions.iter().map(|text| clean(text)).collect();
        self.suggestions.retain(|text| !text.is_empty());
        if self.suggestions.len() > SUGGESTIONS_LIMIT {
            let field = "suggestions";
            return Err(SettingRefused::TooMany { field, limit: SUGGESTIONS_LIMIT });
        }
        if self.suggestions.iter().any(|text| text.chars().count() > 60) {
            return Err(SettingRefused::TooLong { field: "suggestions", limit: 60 });
        }
        self.colour = self.colour.trim().to_ascii_lowercase();
        let luminance = luminance(&self.colour).ok_or(SettingRefused::NoColour)?;
        if 1.05 / (luminance + 0.05) < LEAST_CONTRAST {
            return Err(SettingRefused::ColourTooLight);
        }
        if self.allowed_origins.len() > ORIGINS_LIMIT {
            let field = "allowed_origins";
            return Err(SettingRefused::TooMany { field, limit: ORIGINS_LIMIT });
        }
        let origins = self.allowed_origins.iter().map(|text| origin_pattern(text));
        self.allowed_origins = origins.collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Whether a page of this origin may show the widget.
    pub fn allows(&self, origin: &str) -> bool {
        self.allowed_origins.is_empty()
            || self.allowed_origins.iter().any(|allowed| matches(allowed, origin))
    }
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect::<String>().trim().to_owned()
}

/// Relative luminance as WCAG 2.1 defines it.
fn luminance(colour: &str) -> Option<f64> {
    let digits =
        colour.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let part = |range: std::ops::Range<usize>| {
        let value = f64::from(u8::from_str_radix(&digits[range], 16).ok()?) / 255.0;
        Some(if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * part(0..2)? + 0.7152 * part(2..4)? + 0.0722 * part(4..6)?)
}

/// An origin in its one spelling; `*.` stands for any name below.
fn origin_pattern(text: &str) -> Result<String, SettingRefused> {
    let refused = || SettingRefused::NoOrigin { origin: text.chars().take(200).collect() };
    let text_trimmed = text.trim().trim_end_matches('/');
    let with_scheme = if text_trimmed.contains("://") {
        text_trimmed.to_owned()
    } else {
        format!("https://{text_trimmed}")
    };
    let wild = with_scheme.contains("://*.");
    let url = Url::parse(&with_scheme.replacen("://*.", "://", 1)).map_err(|_| refused())?;
    let named = matches!(url.host(), Some(Host::Domain(_)));
    let one_star = !url.host_str().unwrap_or_default().contains('*');
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https")
        || !url.has_host()
        || !one_star
        || !bare
        || !plain
        || (wild && !named)
    {
        return Err(refused());
    }
    let origin = url.origin().ascii_serialization();
    Ok(if wild { origin.replacen("://", "://*.", 1) } else { origin })
}

fn matches(allowed: &str, origin: &str) -> bool {
    match allowed.split_once("://*.") {
        None => allowed == origin,
        Some((scheme, domain)) => origin
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"))
            .is_some_and(|host| host.strip_suffix(domain).is_some_and(|name| name.ends_with('.'))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_origins(origins: &[&str]) -> Result<WidgetSettings, SettingRefused> {
        let allowed_origins = origins.iter().map(|text| (*text).to_owned()).collect();
        WidgetSettings { allowed_origins, ..WidgetSettings::default() }.checked()
    }

    #[test]
    fn the_defaults_can_be_kept_and_empty_json_means_them() {
        let defaults = WidgetSettings::default();
        assert_eq!(defaults.clone().checked(), Ok(defaults.clone()));
        assert_eq!(serde_json::from_str::<WidgetSettings>("{}").unwrap(), defaults);
    }

    #[test]
    fn a_colour_on_which_white_cannot_be_read_is_refused() {
        let of = |colour: &str| {
            WidgetSettings { colour: colour.to_owned(), ..WidgetSettings::default() }.checked()
        };
        assert_eq!(of("#2F6F5B").unwrap().colour, "#2f6f5b");
        // The lightest grey that passes, and the next one.
        assert!(of("#767676").is_ok());
        assert_eq!(of("#777777"), Err(SettingRefused::ColourTooLight));
        for nonsense in ["", "red", "#fff", "#gggggg", "#12345я"] {
            assert_eq!(of(nonsense), Err(SettingRefused::NoColour), "{nonsense}");
        }
    }

    #[test]
    fn an_origin_is_a_site_and_nothing_more() {
        let settings = with_origins(&["https://Shop.ru/", "school.ru", "http://localhost:3000"]);
        let kept = settings.unwrap().allowed_origins;
        assert_eq!(kept, ["https://shop.ru", "https://school.ru", "http://localhost:3000"]);
        for nonsense in [
            "https://shop.ru/page",
            "ftp://shop.ru",
            "https://a@shop.ru",
            "*",
            "",
            "https://*.1.2.3.4",
        ] {
            assert!(with_origins(&[nonsense]).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn only_allowed_sites_show_a_widget_and_an_empty_list_allows_all() {
        assert!(WidgetSettings::default().allows("https://anything.example"));
        let settings = with_origins(&["https://shop.ru", "https://*.school.ru"]).unwrap();
        for allowed in ["https://shop.ru", "https://math.school.ru", "https://a.b.school.ru"] {
            assert!(settings.allows(allowed), "{allowed}");
        }
        for foreign in [
            "https://school.ru",
            "https://evilschool.ru",
            "https://school.ru.evil.ru",
            "http://shop.ru",
            "https://shop.ru:8443",
            "null",
            "",
        ] {
            assert!(!settings.allows(foreign), "{foreign}");
        }
    }
}
