//! Visitors of the sample company's site. They write through the action behind the widget, and see what the widget
//! would show them: neither notes nor what has not been sent.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use channel_widget::identity::VisitorId;
use hub_domain::content::Content;
use hub_domain::{Conversation, Direction, Message};
use hub_store::Commit;
use hub_store::records::MessageKey;
use sha2::{Digest as _, Sha256};
use simulator::faults::Chance;
use tokio::sync::broadcast::error::RecvError;

use super::clients::{between, generic_answer, typing};
use super::story::{Act, Story, StoryClient, act};
use super::{media, stored};
use crate::actions::take_receipt::take_receipt;
use crate::actions::upload_attachment::{Upload, keep_attachment};
use crate::actions::visitor_writes::{Page, Profile, VisitorWrites, visitor_writes};
use crate::app::App;
use crate::error::Code;
use crate::random;
use crate::widget::{KnownVisitor, OpenWidget};

/// The site of the sample company; its pages are in the story.
const SITE: &str = "https://tochka.example.com";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
/// As far back as a visitor looks for what is new.
const LOOK_BACK: i64 = 20;

/// Somebody on the site.
#[derive(Clone)]
pub struct Visitor {
    id: VisitorId,
    profile: Profile,
    page: Page,
}

impl Visitor {
    /// The same person every time the demo starts.
    pub fn new(who: &StoryClient) -> Self {
        let hash = Sha256::digest(format!("a visitor of the demo: {}", who.key));
        let mut random = [0; 16];
        random.copy_from_slice(&hash[..16]);
        Self {
            id: VisitorId::anonymous(random),
            profile: Profile {
                name: (!who.name.is_empty()).then(|| who.name.clone()),
                phone: who.phone.clone(),
                email: None,
            },
            page: Page { url: Some(format!("{SITE}/{}", who.key)), title: who.page.clone() },
        }
    }

    pub fn external_id(&self) -> &str {
        self.id.as_str()
    }

    async fn conversation(
        &self,
        app: &App,
        widget: &OpenWidget,
    ) -> anyhow::Result<Option<Conversation>> {
        let mut reader = app.store.reader().await?;
        let (channel, visitor) = (widget.channel.id, self.id.as_str());
        Ok(reader.db().conversation_of_identity(channel, visitor).await?)
    }

    /// What members have written since the message at `seen`.
    async fn news(
        &self,
        app: &App,
        widget: &OpenWidget,
        seen: i64,
    ) -> anyhow::Result<Vec<Message>> {
        let Some(conversation) = self.conversation(app, widget).await? else {
            return Ok(Vec::new());
        };
        let mut reader = app.store.reader().await?;
        let end = MessageKey::END;
        let mut messages =
            reader.db().client_messages_before(conversation.id, end, LOOK_BACK).await?;
        messages.retain(|one| one.direction == Direction::Outgoing && one.position > seen);
        Ok(messages)
    }

    /// Whatever stands there has been read, as the browser tells when the chat is open.
    pub async fn reads(&self, app: &App, widget: &OpenWidget) -> anyhow::Result<()> {
        if let Some(conversation) = self.conversation(app, widget).await? {
            let (company, channel) = (widget.channel.company_id, widget.channel.id);
            take_receipt(&app.store, company, channel, conversation.id, i64::MAX, true).await?;
        }
        Ok(())
    }

    /// Says something; what a browser cannot do is an error of the story.
    pub async fn does(&self, app: &App, widget: &OpenWidget, act: &Act) -> anyhow::Result<()> {
        let (text, file) = match act {
            Act::Text(text) => (text, None),
            Act::Photo { name, caption } => (caption, Some((format!("{name}.jpg"), name.as_str()))),
            Act::File { name, caption } => (caption, Some((name.clone(), "paper"))),
            other => bail!("visitors cannot do this: {other:?}"),
        };
        let channel = &widget.channel;
        let mut files = Vec::new();
        if let Some((file_name, name)) = file {
            let bytes = media::named(name).context("no such file")?;
            let stored = stored(app, channel.company_id, bytes).await?;
            let upload = Upload { channel_id: channel.id, stored, file_name, kind: None };
            files.push(keep_attachment(&app.store, channel, None, upload).await?.id);
        }
        let request = VisitorWrites {
            visitor: KnownVisitor { id: self.id.clone(), user: None },
            client_message_id: random::token(),
            text: text.clone(),
            files,
            profile: self.profile.clone(),
            page: self.page.clone(),
            user_agent: BROWSER.to_owned(),
        };
        visitor_writes(&app.store, channel, &widget.settings, request).await?;
        Ok(())
    }

    /// Says something in the notation of the story, if the site still has its widget.
    pub async fn says(&self, app: &App, words: &str) -> anyhow::Result<()> {
        match the_widget(app).await? {
            Some(widget) => self.does(app, &widget, &act(words)?).await,
            None => Ok(()),
        }
    }
}

/// The widget that the site of the demo shows, unless somebody has switched it off or deleted it.
async fn the_widget(app: &App) -> anyhow::Result<Option<OpenWidget>> {
    let key = app.store.reader().await?.db().first_widget_key().await?;
    let Some(key) = key else { return Ok(None) };
    match OpenWidget::by_key(app, &key).await {
        Ok(widget) => Ok(Some(widget)),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads what members write, and answers at the pace of somebody who reads and types.
pub async fn answer_forever(
    app: App,
    visitor: Visitor,
    who: StoryClient,
    story: Arc<Story>,
    mut chance: Chance,
) {
    let mut commits = app.store.commits();
    let mut answers = who.answers.iter();
    let mut seen = i64::MAX;
    loop {
        let turn = answer_once(&app, &visitor, &mut seen, &mut answers, &story, &mut chance).await;
        if let Err(error) = turn {
            tracing::warn!(error = format!("{error:#}"), "a visitor of the demo is confused");
        }
        // Several commits in one go are one reason to look.
        loop {
            match commits.recv().await {
                Ok(Commit::Events { .. }) | Err(RecvError::Lagged(_)) => break,
                Ok(Commit::Deliveries) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// `seen`: position of the newest message that was answered; `i64::MAX`: not known yet.
async fn answer_once(
    app: &App,
    visitor: &Visitor,
    seen: &mut i64,
    answers: &mut std::slice::Iter<'_, String>,
    story: &Story,
    chance: &mut Chance,
) -> anyhow::Result<()> {
    let Some(widget) = the_widget(app).await? else { return Ok(()) };
    if *seen == i64::MAX {
        // What was written before the start is history.
        let old = visitor.news(app, &widget, i64::MIN).await?;
        *seen = old.last().map_or(0, |message| message.position);
        return Ok(());
    }
    if visitor.news(app, &widget, *seen).await?.is_empty() {
        return Ok(());
    }
    tokio::time::sleep(between(chance, 2, 4)).await;
    visitor.reads(app, &widget).await?;
    let news = visitor.news(app, &widget, *seen).await?;
    let Some(last) = news.last() else { return Ok(()) };
    *seen = last.position;
    let heard = match &last.content {
        Content::Text { text, .. } => text.as_str(),
        _ => "",
    };
    let answer = match answers.next() {
        Some(answer) => answer.as_str(),
        None => generic_answer(story, heard, chance),
    };
    tokio::time::sleep(typing(answer)).await;
    visitor.says(app, answer).await
}
