//! The past of the sample company, played step by step: clients write to the simulated messenger or on the site, employees act
//! through the actions behind the API, the delivery engine sends. The product's clock and the messenger's both stand
//! at the moment of the step, so that everything that is stored is what would have been stored then.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use hub_domain::channel::{Channel, ChannelState, IntakeMode};
use hub_domain::quick_reply::QuickReplyFile;
use hub_domain::{
    AttachmentId, Clock as _, Conversation, ConversationId, ConversationState, FixedClock,
    MessageId, MessageStatus, Scope, SystemClock, Timestamp, phone,
};
use simulator::faults::When;
use simulator::telegram::{Bot, CallFault, Telegram};
use tokio::time::Instant;

use super::clients::{Actor, Cast, Hand, perform, refusal};
use super::story::{Act, Step, Story, StoryChannel, StoryQuickReply, steps};
use super::{found_company, media, stored};
use crate::actions::assign::assign;
use crate::actions::change_quick_reply::{
    NewFile, QuickReplyChange, Wording, add_quick_reply, change_quick_reply,
};
use crate::actions::change_widget::change_widget;
use crate::actions::connect_channel::{ConnectChannel, connect_channel};
use crate::actions::mark_answered::mark_answered;
use crate::actions::move_read_marker::move_read_marker;
use crate::actions::send_message::{SendMessage, send_message};
use crate::actions::set_conversation_state::set_conversation_state;
use crate::actions::upload_attachment::{Upload, upload_attachment};
use crate::app::{App, AppOptions};
use crate::auth::scope_of;
use crate::config::{Config, Role};
use crate::random;
use crate::start;
use crate::widget::OpenWidget;

/// Longest wait for a single step to come through.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(2);
/// The clock jumps from day to day: nothing may run out meanwhile.
const YEAR_SECONDS: u32 = 365 * 24 * 3600;
/// When nothing follows for so long, a dialogue was over: a last "thank you" waits for no answer.
const SETTLED_AFTER_MS: i64 = 9 * 3_600_000;

/// Makes the company, connects its channels and plays every dialogue of the story up to now.
pub async fn play(
    config: &Config,
    bound: SocketAddr,
    story: &Story,
    cast: &Cast,
    telegram: &Telegram,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut moves = Vec::new();
    for (at, actor) in cast.actors.iter().enumerate() {
        let steps = steps(&actor.who.dialogue, now)?;
        let last_of_ours = steps.iter().rposition(|step| step.by.is_some());
        let mut following: Vec<Timestamp> = steps.iter().skip(1).map(|step| step.at).collect();
        following.push(now);
        for (number, (step, next)) in steps.into_iter().zip(following).enumerate() {
            let seen_by_all = Some(number) == last_of_ours;
            let over = next.millis_since(step.at) > SETTLED_AFTER_MS;
            let begun = step.at;
            moves.push((begun, at, Move::Step { step, seen_by_all }));
            if over {
                moves.push((begun.plus_seconds(180), at, Move::Settle));
            }
        }
    }
    moves.sort_by_key(|(at, actor, _)| (*at, *actor));
    let begin = moves.first().map_or(now, |(at, ..)| *at).plus_seconds(-3600);

    let clock = FixedClock::at(begin);
    telegram.set_clock(begin.as_millis() / 1000);
    let mut config = config.clone();
    config.server.roles = vec![Role::Worker];
    config.polling.lease_seconds = YEAR_SECONDS;
    config.delivery.lease_seconds = u64::from(YEAR_SECONDS);
    let options = AppOptions { clock: Arc::new(clock.clone()), ..AppOptions::new(config, bound) };
    let app = App::open(options).await?;
    app.store.migrate().await?;
    start::start(&app, None).await?;

    let mut past = Past::begin(&app, story, cast).await?;
    for (at, actor, next) in moves {
        clock.advance_millis(at.millis_since(clock.now()));
        telegram.set_clock(at.as_millis() / 1000);
        let actor = &cast.actors[actor];
        match next {
            Move::Step { step, seen_by_all } => past
                .take(actor, &step, seen_by_all, telegram)
                .await
                .with_context(|| format!("{}: {:?}", actor.who.name, step.act))?,
            Move::Settle => past.settle(actor).await?,
        }
    }
    // Files of clients are still being fetched.
    wait("downloads", async || {
        let pending = app.store.reader().await?.db().next_due(Timestamp::from_millis(0)).await?;
        Ok(pending.is_none().then_some(()))
    })
    .await?;
    telegram.reset_clock();
    app.lifecycle.drain();
    app.lifecycle.finished().await;
    app.store.close().await;
    Ok(())
}

enum Move {
    Step {
        step: Step,
        seen_by_all: bool,
    },
    /// Nobody is left waiting for an answer to a dialogue that is over.
    Settle,
}

/// Polls until there is something.
async fn wait<T>(
    what: &str,
    look: impl AsyncFn() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(Instant::now() < deadline, "no {what} in time");
        tokio::time::sleep(LOOK).await;
    }
}

/// What was said in a dialogue, as both sides number it.
#[derive(Default)]
struct Said {
    /// The messenger's numbers of all messages, oldest first; `None`: it never arrived.
    numbers: Vec<Option<i64>>,
    /// The client's last one.
    own: i64,
}

struct Past<'a> {
    app: &'a App,
    /// By the key of an employee.
    scopes: Vec<(String, Scope)>,
    /// By the key of a channel.
    channels: HashMap<String, Channel>,
    /// By the channel's name of the client.
    said: HashMap<String, Said>,
    sends: u32,
}

impl<'a> Past<'a> {
    /// The company as it was before the first client wrote.
    async fn begin(app: &'a App, story: &Story, cast: &Cast) -> anyhow::Result<Self> {
        let company = found_company(&app.store, story).await?;
        let mut scopes = Vec::new();
        for person in &story.people {
            let digits = phone::normalize(&person.phone).context("a phone of the story")?;
            let user = app.store.reader().await?.db().user_by_phone(&digits).await?;
            let user = user.context("a person of the story is missing")?;
            scopes.push((person.key.clone(), scope_of(app, user.id, company).await?));
        }
        let (_, administrator) = scopes.first().context("nobody works there")?;
        let mut channels = HashMap::new();
        for channel in &story.channels {
            let bot = cast.bots.iter().find(|(key, _)| *key == channel.key).map(|(_, bot)| bot);
            let connected = connect(app, administrator, channel, bot).await?;
            channels.insert(channel.key.clone(), connected);
        }
        for quick_reply in &story.quick_replies {
            let author = scopes.iter().find(|(key, _)| *key == quick_reply.by);
            let (_, author) = author.context("nobody wrote a quick reply")?;
            offer(app, author, quick_reply).await?;
        }
        Ok(Self { app, scopes, channels, said: HashMap::new(), sends: 0 })
    }

    fn scope(&self, key: &str) -> anyhow::Result<&Scope> {
        let found = self.scopes.iter().find(|(known, _)| known == key);
        found.map(|(_, scope)| scope).with_context(|| format!("nobody is called `{key}`"))
    }

    fn channel(&self, actor: &Actor) -> anyhow::Result<&Channel> {
        self.channels.get(&actor.who.channel).context("no such channel")
    }

    async fn conversation(&self, actor: &Actor) -> anyhow::Result<Conversation> {
        let (channel, client) = (self.channel(actor)?.id, actor.external_id());
        let mut reader = self.app.store.reader().await?;
        let found = reader.db().conversation_of_identity(channel, &client).await?;
        found.context("the client has not written yet")
    }

    async fn take(
        &mut self,
        actor: &Actor,
        step: &Step,
        seen_by_all: bool,
        telegram: &Telegram,
    ) -> anyhow::Result<()> {
        let Some(by) = &step.by else { return self.client_acts(actor, &step.act).await };
        let scope = self.scope(by)?.clone();
        let conversation = self.conversation(actor).await?;
        let store = &self.app.store;
        match &step.act {
            Act::Assign(to) => {
                let to = self.scope(to)?.member_id;
                assign(store, &scope, conversation.id, Some(to)).await?;
            }
            Act::Archive => {
                let archived = ConversationState::Archived;
                set_conversation_state(store, &scope, conversation.id, archived).await?;
            }
            act => self.employee_writes(actor, &scope, conversation.id, act, telegram).await?,
        }
        for (_, reader) in &self.scopes {
            if seen_by_all || reader.member_id == scope.member_id {
                move_read_marker(&self.app.store, reader, conversation.id, i64::MAX).await?;
            }
        }
        Ok(())
    }

    async fn client_acts(&mut self, actor: &Actor, act: &Act) -> anyhow::Result<()> {
        let client = match &actor.hand {
            Hand::Messenger(client) => client,
            Hand::Site(visitor) => {
                let widget =
                    OpenWidget::by_key(self.app, &self.channel(actor)?.external_id).await?;
                visitor.reads(self.app, &widget).await?;
                return visitor.does(self.app, &widget, act).await;
            }
        };
        let said = self.said.entry(actor.external_id()).or_default();
        let numbers: Vec<i64> = said.numbers.iter().map(|id| id.unwrap_or_default()).collect();
        let made = perform(client, act, &numbers, said.own)?;
        if let Some(number) = made {
            said.numbers.push(Some(number));
            said.own = number;
        }
        let bot = client.bot();
        wait("intake", async || Ok((bot.pending_updates() == 0).then_some(()))).await
    }

    async fn employee_writes(
        &mut self,
        actor: &Actor,
        scope: &Scope,
        conversation: ConversationId,
        act: &Act,
        telegram: &Telegram,
    ) -> anyhow::Result<()> {
        let client = match &actor.hand {
            Hand::Messenger(client) => Some(client),
            Hand::Site(_) => None,
        };
        let fault_in_chat = |fault| {
            let client = client.context("this happens at the messenger only")?;
            telegram.fault(When::once("sendMessage").in_chat(client.id()), fault);
            anyhow::Ok(())
        };
        let mut reply_to = None;
        let mut attachment = None;
        let text = match act {
            Act::Text(text) => text.clone(),
            Act::Refused(text) => {
                fault_in_chat(refusal())?;
                text.clone()
            }
            Act::Unknown(text) => {
                fault_in_chat(CallFault::AcceptedThenCut)?;
                text.clone()
            }
            Act::Reply { back, text } => {
                reply_to = Some(self.message_back(actor, *back).await?);
                text.clone()
            }
            Act::Photo { name, caption } => {
                let bytes = media::named(name).context("no such picture")?;
                attachment = Some(self.upload(actor, scope, &format!("{name}.jpg"), bytes).await?);
                caption.clone()
            }
            Act::File { name, caption } => {
                let bytes = media::named("paper").context("no paper")?;
                attachment = Some(self.upload(actor, scope, name, bytes).await?);
                caption.clone()
            }
            other => bail!("employees cannot do this: {other:?}"),
        };
        let newest = || client?.inbox().last().map(|message| message.message_id);
        let before = newest();
        self.sends += 1;
        let request = SendMessage {
            conversation_id: conversation,
            client_message_id: format!("demo-{}", self.sends),
            text,
            attachment_id: attachment,
            reply_to_message_id: reply_to,
        };
        let (message, _) = send_message(&self.app.store, scope, request).await?;
        wait("outcome", async || {
            let mut reader = self.app.store.reader().await?;
            let status = reader.db().message(scope.company_id, message.id).await?;
            let status = status.and_then(|message| message.status);
            let open = [Some(MessageStatus::Queued), Some(MessageStatus::Sending)];
            Ok((!open.contains(&status)).then_some(()))
        })
        .await?;
        let after = newest();
        let said = self.said.entry(actor.external_id()).or_default();
        said.numbers.push(after.filter(|_| after != before));
        Ok(())
    }

    /// The message so many back, as the product knows it.
    async fn message_back(&self, actor: &Actor, back: usize) -> anyhow::Result<MessageId> {
        let chat = actor.external_id();
        let numbers = self.said.get(&chat).map(|said| said.numbers.as_slice()).unwrap_or_default();
        let number = numbers.len().checked_sub(back).and_then(|at| numbers[at]);
        let external_id = format!("{chat}:{}", number.context("nothing to reply to")?);
        let channel = self.channel(actor)?.id;
        let mut reader = self.app.store.reader().await?;
        let found = reader.db().message_by_external(channel, &external_id).await?;
        Ok(found.context("the message is not known")?.id)
    }

    async fn upload(
        &self,
        actor: &Actor,
        scope: &Scope,
        name: &str,
        bytes: Bytes,
    ) -> anyhow::Result<AttachmentId> {
        let channel_id = self.channel(actor)?.id;
        let stored = stored(self.app, scope.company_id, bytes).await?;
        let upload = Upload { channel_id, stored, file_name: name.to_owned(), kind: None };
        Ok(upload_attachment(&self.app.store, scope, upload).await?.id)
    }

    async fn settle(&self, actor: &Actor) -> anyhow::Result<()> {
        let conversation = self.conversation(actor).await?.id;
        for (_, scope) in &self.scopes {
            move_read_marker(&self.app.store, scope, conversation, i64::MAX).await?;
        }
        if let Some((_, scope)) = self.scopes.first() {
            mark_answered(&self.app.store, scope, conversation).await?;
        }
        Ok(())
    }
}

/// Connects a channel of the story; `bot` is its account at the messenger.
async fn connect(
    app: &App,
    administrator: &Scope,
    channel: &StoryChannel,
    bot: Option<&Bot>,
) -> anyhow::Result<Channel> {
    let driver = app.drivers.get(channel.kind).context("no driver for the channel")?;
    let request = ConnectChannel {
        kind: channel.kind,
        credential: bot.map_or_else(random::token, Bot::token).into(),
        name: Some(channel.name.clone()),
        intake: if bot.is_some() { IntakeMode::Polling } else { IntakeMode::Webhook },
    };
    let id = connect_channel(&app.store, driver, administrator, request).await?.id;
    let connected = wait("channel", async || {
        let mut reader = app.store.reader().await?;
        let channel = reader.db().channel(administrator.company_id, id).await?;
        Ok(channel.filter(|channel| channel.state == ChannelState::Enabled))
    })
    .await?;
    if let Some(bot) = bot {
        listening(bot).await?;
        return Ok(connected);
    }
    let settings = channel.widget.clone().checked().context("settings of the widget")?;
    Ok(change_widget(&app.store, administrator, id, settings).await?)
}

/// Adds a quick reply of the story.
async fn offer(app: &App, author: &Scope, quick_reply: &StoryQuickReply) -> anyhow::Result<()> {
    let wording = Wording { name: quick_reply.name.clone(), text: quick_reply.text.clone() };
    let id = add_quick_reply(&app.store, author, wording).await?.id;
    let Some(name) = &quick_reply.file else { return Ok(()) };
    let stored = stored(app, author.company_id, media::named("paper").context("no paper")?).await?;
    let file = QuickReplyFile {
        name: name.clone(),
        mime_type: stored.mime_type.unwrap_or_else(|| "application/pdf".to_owned()),
        size_bytes: stored.size_bytes,
    };
    let change = QuickReplyChange::File(Some(NewFile { key: stored.key, file }));
    change_quick_reply(&app.store, author, id, change).await?;
    Ok(())
}

/// Waits until the product asks the messenger for updates.
async fn listening(bot: &Bot) -> anyhow::Result<()> {
    wait("poll", async || Ok((bot.begun_polls() > 0).then_some(()))).await
}
