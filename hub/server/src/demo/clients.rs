//! The clients: people with the simulated messenger, and visitors of the site. They do what the story says, and once the demo runs they answer
//! whoever writes to them, at the pace of somebody who reads and types.

use std::sync::Arc;
use std::time::Duration;

use hub_domain::channel::ChannelKind;
use simulator::faults::{Chance, When};
use simulator::telegram::{
    Bot, CallFault, Client, ClientMessage, ClientSpec, Contact, Content, ControlError, Edit,
    FileSpec, Media, Noticed, Telegram,
};

use super::story::{Act, Manner, Story, StoryClient, act};
use super::visitors::{self, Visitor};
use super::{DemoOptions, bot_spec, media};
use crate::app::App;

/// The first client comes so soon after the start.
const FIRST_SCENE: Duration = Duration::from_secs(6);

/// By what a person writes.
#[derive(Clone)]
pub enum Hand {
    Messenger(Client),
    Site(Visitor),
}

/// A person of the story.
#[derive(Clone)]
pub struct Actor {
    pub who: StoryClient,
    pub hand: Hand,
}

impl Actor {
    /// How the channel knows this person.
    pub fn external_id(&self) -> String {
        match &self.hand {
            Hand::Messenger(client) => client.id().to_string(),
            Hand::Site(visitor) => visitor.external_id().to_owned(),
        }
    }
}

/// Everybody who writes, and the accounts of the company they write to.
pub struct Cast {
    pub actors: Vec<Actor>,
    /// The bots, by the channel's key.
    pub bots: Vec<(String, Bot)>,
    telegram: Telegram,
}

impl Cast {
    /// Opens the accounts of the story.
    pub fn gather(story: &Story, telegram: &Telegram, first_number: i64) -> Self {
        let bots: Vec<(String, Bot)> = story
            .channels
            .iter()
            .zip(1..)
            .filter(|(channel, _)| channel.kind == ChannelKind::TelegramBot)
            .map(|(channel, number)| {
                let spec = bot_spec(channel, number, first_number);
                (channel.key.clone(), telegram.create_bot(spec))
            })
            .collect();
        let actors = story
            .everybody()
            .into_iter()
            .zip(1..)
            .map(|(who, number)| {
                let Some((_, bot)) = bots.iter().find(|(key, _)| *key == who.channel) else {
                    let hand = Hand::Site(Visitor::new(&who));
                    return Actor { who, hand };
                };
                let (first, last) = match who.name.split_once(' ') {
                    Some((first, last)) => (first, Some(last.to_owned())),
                    None => (who.name.as_str(), None),
                };
                let client = bot.new_client(ClientSpec {
                    id: Some(5_200_200_000 + number),
                    first_name: Some(first.to_owned()),
                    last_name: last,
                    username: who.username.clone(),
                    phone: who.phone.clone(),
                    language_code: Some("ru".to_owned()),
                });
                Actor { who, hand: Hand::Messenger(client) }
            })
            .collect();
        Self { actors, bots, telegram: telegram.clone() }
    }

    pub fn first_bot_token(&self) -> String {
        self.bots.first().map(|(_, bot)| bot.token()).unwrap_or_default()
    }

    /// The dialogues of the last time are known to the product; now to the messenger too.
    pub fn meet_again(&self) {
        for actor in &self.actors {
            if let Hand::Messenger(client) = &actor.hand {
                client.meet_again();
            }
        }
    }

    /// From now on they answer, and unless the demo is still they also come by themselves.
    pub fn live(&self, app: &App, story: &Arc<Story>, options: &DemoOptions) {
        let lifecycle = &app.lifecycle;
        for (actor, number) in self.actors.iter().zip(1..) {
            let chance = Chance::seeded(options.seed.wrapping_mul(1000).wrapping_add(number));
            let (who, story) = (actor.who.clone(), Arc::clone(story));
            match actor.hand.clone() {
                Hand::Messenger(client) => {
                    self.script_faults(&who, &client);
                    let answering = answer_forever(who, client, story, chance);
                    lifecycle.spawn_until_draining("demo client", answering);
                }
                Hand::Site(visitor) => {
                    let app = app.clone();
                    let answering = visitors::answer_forever(app, visitor, who, story, chance);
                    lifecycle.spawn_until_draining("demo visitor", answering);
                }
            }
        }
        if !options.still {
            let (actors, story) = (self.actors.clone(), Arc::clone(story));
            let chance = Chance::seeded(options.seed);
            let playing = play_scenes(app.clone(), actors, story, chance);
            lifecycle.spawn_until_draining("demo scenes", playing);
        }
    }

    /// What the messenger does to sends for this client.
    fn script_faults(&self, who: &StoryClient, client: &Client) {
        let chat = client.id();
        let (when, fault) = match who.manner {
            Manner::Plain | Manner::Blocks => return,
            Manner::Slow => (When::always("sendMessage"), CallFault::Delay { delay_ms: 8_000 }),
            Manner::Refused => (When::once("sendMessage"), refusal()),
            Manner::Uncertain => (When::once("sendMessage"), CallFault::AcceptedThenCut),
        };
        self.telegram.fault(when.in_chat(chat), fault);
    }
}

/// A refusal that is nobody's fault and for good.
pub fn refusal() -> CallFault {
    CallFault::Refused {
        error_code: 400,
        description: "Bad Request: message could not be sent".to_owned(),
        parameters: None,
    }
}

/// Does one act; gives the number of the message when it made one. `said`: numbers of the dialogue so far, oldest
/// first; `own`: the client's last one.
pub fn perform(
    client: &Client,
    act: &Act,
    said: &[i64],
    own: i64,
) -> Result<Option<i64>, ControlError> {
    let file = |name: &str| FileSpec { bytes: media::named(name), ..FileSpec::default() };
    let caption = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let back = |count: usize| said.len().checked_sub(count).and_then(|at| said.get(at)).copied();
    let content = match act {
        Act::Text(text) => return client.text(text).map(Some),
        Act::Reply { back: count, text } => {
            let message = ClientMessage::text(text);
            let message = match back(*count) {
                Some(id) => message.reply_to(id),
                None => message,
            };
            return client.send(message).map(Some);
        }
        Act::Photo { name, caption: text } => {
            Content::Photo(Media { file: file(name), caption: caption(text), ..Media::default() })
        }
        Act::File { name, caption: text } => {
            let file = FileSpec {
                file_name: Some(name.clone()),
                mime_type: Some("application/pdf".to_owned()),
                ..file("paper")
            };
            Content::Document(Media { file, caption: caption(text), ..Media::default() })
        }
        Act::Voice { seconds } => {
            let file = FileSpec { duration: Some(*seconds), ..FileSpec::default() };
            Content::Voice(Media { file, ..Media::default() })
        }
        Act::Sticker => {
            let file = FileSpec { width: Some(512), height: Some(512), ..file("sticker") };
            Content::Sticker(Media { file, ..Media::default() })
        }
        Act::Location { latitude, longitude } => {
            Content::Location { latitude: *latitude, longitude: *longitude, live_period: None }
        }
        Act::Contact { name, phone } => Content::Contact(Contact {
            phone_number: Some(phone.clone()),
            first_name: Some(name.clone()),
            ..Contact::default()
        }),
        Act::Edit(text) => {
            let edit = Edit { text: Some(text.clone()), ..Edit::default() };
            return client.edit(own, edit).map(|()| None);
        }
        Act::React(emoji) => {
            let last = back(1).unwrap_or_default();
            return client.react(last, Some(emoji), None).map(|()| None);
        }
        Act::Block => return client.block().map(|()| None),
        Act::Assign(_) | Act::Archive | Act::Refused(_) | Act::Unknown(_) => {
            return Err(ControlError::Refused("clients cannot do this".to_owned()));
        }
    };
    client.send(ClientMessage::of(content)).map(Some)
}

/// A number of seconds between two.
pub fn between(chance: &mut Chance, least: u64, most: u64) -> Duration {
    Duration::from_millis(least * 1000 + chance.next_u64() % ((most - least) * 1000 + 1))
}

/// How long somebody types this.
pub fn typing(text: &str) -> Duration {
    Duration::from_millis((text.chars().count() as u64 * 60).clamp(900, 6_000))
}

fn pick<'a>(chance: &mut Chance, from: &'a [String]) -> Option<&'a str> {
    let at = chance.next_u64().checked_rem(from.len() as u64)?;
    from.get(at as usize).map(String::as_str)
}

/// Says something in the notation of the story, on whatever it is said.
async fn say_by(app: &App, hand: &Hand, words: &str) {
    match hand {
        Hand::Messenger(client) => say(client, words),
        Hand::Site(visitor) => {
            if let Err(error) = visitor.says(app, words).await {
                let error = format!("{error:#}");
                tracing::debug!(error, "a visitor of the demo could not do something");
            }
        }
    }
}

/// What the messenger refuses stays unsaid.
fn say(client: &Client, words: &str) {
    match act(words).map(|act| perform(client, &act, &[], 0)) {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a client of the demo could not do something"),
        Err(error) => tracing::warn!(%error, "the story cannot be followed"),
    }
}

async fn answer_forever(who: StoryClient, client: Client, story: Arc<Story>, mut chance: Chance) {
    let mut seen =
        client.wait_notices(0, Duration::ZERO).await.last().map_or(0, |notice| notice.number);
    let mut answers = who.answers.iter();
    loop {
        let notices = client.wait_notices(seen, Duration::from_hours(1)).await;
        let Some(last) = notices.last() else { continue };
        seen = last.number;
        if !notices.iter().any(|notice| notice.what == Noticed::Message) {
            continue;
        }
        // One answer to all that is written in one go.
        let pause = match who.manner {
            Manner::Slow => between(&mut chance, 30, 60),
            _ => between(&mut chance, 2, 4),
        };
        tokio::time::sleep(pause).await;
        let more = client.wait_notices(seen, Duration::ZERO).await;
        seen = more.last().map_or(seen, |notice| notice.number);
        if who.manner == Manner::Blocks {
            if let Err(error) = client.block() {
                tracing::debug!(%error, "a client of the demo could not block");
            }
            continue;
        }
        let heard = client.inbox().pop().and_then(|message| message.text).unwrap_or_default();
        let answer = match answers.next() {
            Some(answer) => answer.as_str(),
            None => generic_answer(&story, &heard, &mut chance),
        };
        tokio::time::sleep(typing(answer)).await;
        say(&client, answer);
    }
}

pub fn generic_answer<'a>(story: &'a Story, heard: &str, chance: &mut Chance) -> &'a str {
    let heard = heard.to_lowercase();
    let fits = |words: &[String]| {
        words.is_empty() || words.iter().any(|word| heard.contains(word.as_str()))
    };
    let rule = story.rules.iter().find(|rule| fits(&rule.words));
    rule.and_then(|rule| pick(chance, &rule.answers)).unwrap_or("Спасибо!")
}

async fn play_scenes(app: App, actors: Vec<Actor>, story: Arc<Story>, mut chance: Chance) {
    tokio::time::sleep(FIRST_SCENE).await;
    for scene in &story.scenes {
        if let Some(actor) = actors.iter().find(|actor| actor.who.key == scene.client) {
            for line in &scene.lines {
                tokio::time::sleep(typing(line)).await;
                say_by(&app, &actor.hand, line).await;
            }
        }
        tokio::time::sleep(between(&mut chance, 18, 40)).await;
    }
    // Whoever still watches sees that life goes on.
    loop {
        tokio::time::sleep(between(&mut chance, 90, 240)).await;
        let at = chance.next_u64().checked_rem(actors.len() as u64).unwrap_or_default();
        let (Some(actor), Some(line)) =
            (actors.get(at as usize), pick(&mut chance, &story.small_talk))
        else {
            return;
        };
        say_by(&app, &actor.hand, line).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_fits_what_was_heard_and_there_is_always_one() {
        let story = Story::embedded().expect("it reads");
        let mut chance = Chance::seeded(1);
        let about_money = generic_answer(&story, "Курс СТОИТ 5 000 ₽", &mut chance);
        let rule = story.rules.iter().find(|rule| rule.words.iter().any(|word| word == "₽"));
        assert!(rule.expect("a rule about money").answers.iter().any(|text| text == about_money));
        assert!(!generic_answer(&story, "Хорошо", &mut chance).is_empty());
    }
}
