//! The story: who works in the sample company, who writes to it, what was said. Read from `story.toml`, which explains
//! the notation; nothing of it happens here.

use anyhow::{Context as _, bail};
use channel_widget::WidgetSettings;
use hub_domain::channel::ChannelKind;
use hub_domain::{Role, Timestamp};
use serde::Deserialize;

const TEXT: &str = include_str!("story.toml");
/// The story takes place there: UTC+3 all year.
const MOSCOW_MS: i64 = 3 * 3_600_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    pub company: String,
    pub people: Vec<Person>,
    pub channels: Vec<StoryChannel>,
    pub quick_replies: Vec<StoryQuickReply>,
    pub rules: Vec<Rule>,
    pub clients: Vec<StoryClient>,
    pub scenes: Vec<Scene>,
    /// What anybody may say once all scenes were played.
    pub small_talk: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub key: String,
    pub name: String,
    pub phone: String,
    pub role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoryChannel {
    pub key: String,
    pub kind: ChannelKind,
    pub name: String,
    /// Of a bot.
    #[serde(default)]
    pub username: String,
    /// Of a site widget.
    #[serde(default)]
    pub widget: WidgetSettings,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoryQuickReply {
    /// Who wrote it.
    pub by: String,
    pub name: String,
    pub text: String,
    /// The name of a paper that goes with it.
    #[serde(default)]
    pub file: Option<String>,
}

/// What is answered to words that occur in a message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub words: Vec<String>,
    pub answers: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    #[default]
    Plain,
    /// Thinks for a minute; so does the messenger.
    Slow,
    /// Blocks the bot when written to.
    Blocks,
    /// The messenger refuses the next message.
    Refused,
    /// The messenger takes the next message and says nothing.
    Uncertain,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoryClient {
    pub key: String,
    /// Empty: a visitor of the site who has not told a name.
    pub name: String,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    pub channel: String,
    /// The page of the site from which a visitor writes.
    #[serde(default)]
    pub page: Option<String>,
    #[serde(default)]
    pub manner: Manner,
    #[serde(default)]
    pub dialogue: String,
    /// What the client says to the next answers, in turn.
    #[serde(default)]
    pub answers: Vec<String>,
}

/// A client comes by itself; with a name it is a new one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    pub client: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub channel: Option<String>,
    #[serde(default)]
    pub page: Option<String>,
    pub lines: Vec<String>,
    #[serde(default)]
    pub answers: Vec<String>,
}

/// One step of a dialogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub at: Timestamp,
    /// The key of an employee; `None`: the client.
    pub by: Option<String>,
    pub act: Act,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Text(String),
    Photo {
        name: String,
        caption: String,
    },
    File {
        name: String,
        caption: String,
    },
    Voice {
        seconds: u32,
    },
    Sticker,
    Location {
        latitude: f64,
        longitude: f64,
    },
    Contact {
        name: String,
        phone: String,
    },
    /// To the message so many back.
    Reply {
        back: usize,
        text: String,
    },
    Edit(String),
    React(String),
    Block,
    Assign(String),
    Archive,
    /// A text that the messenger refuses.
    Refused(String),
    /// A text of which nobody knows whether it arrived.
    Unknown(String),
}

impl Story {
    pub fn embedded() -> anyhow::Result<Self> {
        toml::from_str(TEXT).context("the story cannot be read")
    }

    /// Everybody who writes, those who only come later included.
    pub fn everybody(&self) -> Vec<StoryClient> {
        let newcomers = self.scenes.iter().filter_map(|scene| {
            Some(StoryClient {
                key: scene.client.clone(),
                name: scene.name.clone()?,
                phone: scene.phone.clone(),
                username: scene.username.clone(),
                channel: scene.channel.clone()?,
                page: scene.page.clone(),
                manner: Manner::Plain,
                dialogue: String::new(),
                answers: scene.answers.clone(),
            })
        });
        self.clients.iter().cloned().chain(newcomers).collect()
    }
}

/// The steps of a dialogue that was written for a start at `now`.
pub fn steps(dialogue: &str, now: Timestamp) -> anyhow::Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for line in dialogue.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let before = steps.last().map(|step| step.at);
        let mut step = step(line, before, now).with_context(|| format!("in the line `{line}`"))?;
        // A line told by the time of day may come behind one told by its distance from the start.
        if let Some(before) = before.filter(|before| *before >= step.at) {
            step.at = before.plus_seconds(60);
        }
        steps.push(step);
    }
    Ok(steps)
}

fn step(line: &str, before: Option<Timestamp>, now: Timestamp) -> anyhow::Result<Step> {
    let (first, mut rest) = line.split_once(' ').context("no step")?;
    let at = if let Some(minutes) = first.strip_prefix('+') {
        before.context("nothing came before")?.plus_millis(minutes.parse::<i64>()? * MINUTE_MS)
    } else if let Some(minutes) = first.strip_prefix('-') {
        now.plus_millis(-minutes.parse::<i64>()? * MINUTE_MS)
    } else {
        let days: i64 = first.strip_suffix('d').context("no time")?.parse()?;
        let (time, after) = rest.split_once(' ').context("no step")?;
        rest = after;
        let (hours, minutes) = time.split_once(':').context("no time of the day")?;
        let today = (now.as_millis() + MOSCOW_MS).div_euclid(DAY_MS) * DAY_MS - MOSCOW_MS;
        let of_day = (hours.parse::<i64>()? * 60 + minutes.parse::<i64>()?) * MINUTE_MS;
        Timestamp::from_millis(today - days * DAY_MS + of_day)
    };
    let (who, what) = rest.split_once(' ').context("nobody does anything")?;
    let by = (who != ">").then(|| who.to_owned());
    Ok(Step { at, by, act: act(what)? })
}

/// An act in the notation of the story.
pub fn act(what: &str) -> anyhow::Result<Act> {
    let Some((inside, text)) = what.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return Ok(Act::Text(what.to_owned()));
    };
    let text = text.trim().to_owned();
    let (verb, argument) = inside.split_once(' ').unwrap_or((inside, ""));
    let argument = argument.to_owned();
    Ok(match verb {
        "photo" => Act::Photo { name: argument, caption: text },
        "file" => Act::File { name: argument, caption: text },
        "voice" => Act::Voice { seconds: argument.parse()? },
        "sticker" => Act::Sticker,
        "location" => {
            let (latitude, longitude) = argument.split_once(' ').context("no place")?;
            Act::Location { latitude: latitude.parse()?, longitude: longitude.parse()? }
        }
        "contact" => {
            let (name, phone) = argument.split_once(", ").context("no contact")?;
            Act::Contact { name: name.to_owned(), phone: phone.to_owned() }
        }
        "reply" => Act::Reply { back: argument.parse()?, text },
        "edit" => Act::Edit(text),
        "react" => Act::React(argument),
        "block" => Act::Block,
        "assign" => Act::Assign(argument),
        "archive" => Act::Archive,
        "refused" => Act::Refused(text),
        "unknown" => Act::Unknown(text),
        _ => bail!("`[{verb}]` is no act"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::demo::media;

    const NOW: Timestamp = Timestamp::from_millis(1_795_500_000_000);

    #[test]
    fn the_story_has_what_a_newcomer_is_promised() {
        let story = Story::embedded().expect("it reads");
        assert_eq!(story.people.len(), 3);
        assert_eq!(story.channels.len(), 4);
        let kinds: Vec<ChannelKind> = story.channels.iter().map(|channel| channel.kind).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == ChannelKind::Widget).count(), 1);
        assert!(story.quick_replies.len() >= 5);
        assert!(story.quick_replies.iter().any(|one| one.file.is_some()));
        assert!(story.clients.len() >= 40, "{}", story.clients.len());
        let manners: Vec<Manner> = story.clients.iter().map(|client| client.manner).collect();
        for manner in [Manner::Slow, Manner::Blocks, Manner::Refused, Manner::Uncertain] {
            assert!(manners.contains(&manner), "{manner:?}");
        }
        assert!(
            story.rules.last().is_some_and(|rule| rule.words.is_empty()),
            "there is an answer to anything"
        );
    }

    /// What a visitor can do in a widget.
    fn of_a_browser(act: &Act) -> bool {
        matches!(act, Act::Text(_) | Act::Photo { .. } | Act::File { .. })
    }

    /// Nothing of a messenger happens on a site.
    fn of_a_site(step: &Step) -> bool {
        of_a_browser(&step.act)
            || step.by.is_some() && matches!(step.act, Act::Assign(_) | Act::Archive)
    }

    #[test]
    fn everything_the_story_names_exists() {
        let story = Story::embedded().expect("it reads");
        let people: HashSet<&str> = story.people.iter().map(|one| one.key.as_str()).collect();
        let channels: HashSet<&str> = story.channels.iter().map(|one| one.key.as_str()).collect();
        let everybody = story.everybody();
        let keys: HashSet<&str> = everybody.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys.len(), everybody.len(), "a client is told of twice");
        assert!(story.quick_replies.iter().all(|one| people.contains(one.by.as_str())));
        for channel in &story.channels {
            assert!(channel.widget.clone().checked().is_ok(), "{}", channel.name);
        }
        let sites: HashSet<&str> = story
            .channels
            .iter()
            .filter(|channel| channel.kind == ChannelKind::Widget)
            .map(|channel| channel.key.as_str())
            .collect();
        let mut acts = Vec::new();
        for client in &everybody {
            assert!(channels.contains(client.channel.as_str()), "{}", client.channel);
            let on_site = sites.contains(client.channel.as_str());
            assert!(on_site || !client.name.is_empty(), "{}: accounts have names", client.key);
            assert!(!on_site || client.manner == Manner::Plain, "{}: a site is plain", client.key);
            let steps = steps(&client.dialogue, NOW).unwrap_or_else(|e| panic!("{e:#}"));
            for (sent, step) in steps.into_iter().enumerate() {
                assert!(step.at < NOW, "{} writes in the future", client.name);
                assert!(step.by.as_deref().is_none_or(|key| people.contains(key)), "{step:?}");
                if let Act::Assign(to) = &step.act {
                    assert!(people.contains(to.as_str()), "{to}");
                }
                if let Act::Reply { back, .. } = &step.act {
                    assert!((1..=sent).contains(back), "{}: reply to nothing", client.name);
                }
                assert!(!on_site || of_a_site(&step), "{}: {step:?}", client.key);
                acts.push(step.act);
            }
            for answer in &client.answers {
                let act = act(answer).expect("an act");
                assert!(!on_site || of_a_browser(&act), "{}: {act:?}", client.key);
                acts.push(act);
            }
        }
        for scene in &story.scenes {
            let who = everybody.iter().find(|one| one.key == scene.client);
            let who = who.unwrap_or_else(|| panic!("nobody is called {}", scene.client));
            for line in &scene.lines {
                let act = act(line).expect("an act");
                let on_site = sites.contains(who.channel.as_str());
                assert!(!on_site || of_a_browser(&act), "{}: {act:?}", scene.client);
                acts.push(act);
            }
        }
        for act in acts {
            if let Act::Photo { name, .. } = act {
                assert!(media::named(&name).is_some(), "no picture `{name}`");
            }
        }
        assert!(media::named("sticker").is_some() && media::named("paper").is_some());
    }

    #[test]
    fn times_are_days_ago_in_moscow_or_minutes() {
        let steps = steps("2d 12:30 > а\n+5 М б\n-10 > в", NOW).expect("they read");
        // 24 November 2026, 06:00 UTC.
        assert_eq!(steps[0].at.to_string(), "2026-11-22T09:30:00.000Z");
        assert_eq!(steps[1].at.to_string(), "2026-11-22T09:35:00.000Z");
        assert_eq!(steps[2].at.to_string(), "2026-11-24T05:50:00.000Z");
        assert_eq!(steps[1].by.as_deref(), Some("М"));
        let behind = super::steps("-10 > а\n-20 > б", NOW).expect("they read");
        assert_eq!(behind[1].at, behind[0].at.plus_seconds(60), "the order of the lines stands");
        assert!(act("[dance] х").is_err());
    }
}
