//! What a bot sends: texts, media, albums, places, and that it is typing.

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, Refusal, Success};
use super::super::files::MediaKind;
use super::super::params::Upload;
use super::super::text::{TEXT_LIMIT, formatted, formatted_item, utf16_length};
use super::super::world::{Author, Message, Noticed};
use super::{ACTIONS, Context, Markup, PHOTO_LIMIT, checked_caption, text_content};
use crate::media;

impl Context<'_> {
    /// Sends one or several messages (an album) and gives their ids.
    fn send(
        &mut self,
        chat_id: i64,
        contents: Vec<Map<String, Value>>,
    ) -> Result<Vec<i64>, Refusal> {
        let reply_to = self.reply(chat_id)?;
        let markup = self.markup(chat_id)?;
        let (date, bound) = (self.now, self.inner.options.kept_messages);
        let bot = self.bot()?;
        let mut ids = Vec::with_capacity(contents.len());
        for mut content in contents {
            let keyboard = match &markup {
                Markup::None => None,
                Markup::Inline(markup) => {
                    content.insert("reply_markup".into(), markup.clone());
                    None
                }
                Markup::Keyboard(keyboard) => Some(keyboard.clone()),
            };
            let message = Message {
                id: 0,
                author: Author::Bot,
                date,
                edit_date: None,
                content,
                reply_to,
                keyboard,
                reaction: None,
                deleted: false,
            };
            let id = bot.keep(chat_id, message, bound);
            if let Some(chat) = bot.chats.get_mut(&chat_id) {
                chat.notice(Noticed::Message, Some(id), None);
            }
            ids.push(id);
        }
        Ok(ids)
    }

    fn send_one(&mut self, chat_id: i64, content: Map<String, Value>) -> Answer {
        let ids = self.send(chat_id, vec![content])?;
        let id = ids.first().copied().unwrap_or_default();
        Ok(self.as_answer(chat_id, id))
    }

    pub(super) fn as_answer(&self, chat_id: i64, id: i64) -> Success {
        let message = self.world.render(self.bot_id, chat_id, id).unwrap_or_default();
        Success::message(id, message)
    }

    pub(super) fn message_text(&self) -> Result<Map<String, Value>, Refusal> {
        if self.params.text("text").unwrap_or_default().is_empty() {
            return Err(Refusal::bad("message text is empty"));
        }
        let formatted = formatted(self.params, "text", "entities")?;
        if formatted.text.is_empty() {
            return Err(Refusal::bad("text must be non-empty"));
        }
        if utf16_length(&formatted.text) > TEXT_LIMIT {
            return Err(Refusal::bad("message is too long"));
        }
        Ok(text_content("text", "entities", formatted))
    }

    pub(super) fn caption(&self) -> Result<Map<String, Value>, Refusal> {
        checked_caption(formatted(self.params, "caption", "caption_entities")?)
    }

    pub(super) fn send_message(&mut self) -> Answer {
        let content = self.message_text()?;
        let chat_id = self.chat()?;
        self.send_one(chat_id, content)
    }

    pub(super) fn send_media(&mut self, kind: MediaKind) -> Answer {
        let field = kind.field();
        let caption = if kind.has_caption() { self.caption()? } else { Map::new() };
        let chat_id = self.chat()?;
        if matches!(kind, MediaKind::Voice | MediaKind::VideoNote)
            && self.world.people.get(&chat_id).is_some_and(|person| person.forbids_voice)
        {
            return Err(Refusal::bad("VOICE_MESSAGES_FORBIDDEN"));
        }
        let reference = self.params.text(field);
        // Refusals of the reply and of the buttons come before the file is kept.
        self.reply(chat_id)?;
        self.markup(chat_id)?;
        let params = self.params;
        let mut content = match params.file(field) {
            Some(upload) => self.store(kind, upload)?,
            None => self.referred(kind, reference.as_deref())?,
        };
        content.extend(caption);
        self.send_one(chat_id, content)
    }

    /// A file given as `file_id`, as `attach://part` or by address.
    fn referred(
        &mut self,
        kind: MediaKind,
        reference: Option<&str>,
    ) -> Result<Map<String, Value>, Refusal> {
        let missing = || {
            Refusal::bad(format!("there is no {} in the request", kind.field().replace('_', " ")))
        };
        let reference = reference.filter(|reference| !reference.is_empty()).ok_or_else(missing)?;
        let params = self.params;
        if let Some(upload) = params.file(reference.strip_prefix("attach://").unwrap_or(reference))
        {
            return self.store(kind, upload);
        }
        if reference.starts_with("attach://") {
            return Err(missing());
        }
        let files = &self.bot()?.files;
        match files.get(reference) {
            Some(file) if file.kind == kind => {
                files.content_of(kind, reference).ok_or_else(missing)
            }
            Some(_) => Err(Refusal::bad("type of file mismatch")),
            None => Err(Refusal::bad("wrong file identifier/HTTP URL specified")),
        }
    }

    fn store(&mut self, kind: MediaKind, upload: &Upload) -> Result<Map<String, Value>, Refusal> {
        if upload.bytes.is_empty() {
            return Err(Refusal::bad("file must be non-empty"));
        }
        if kind == MediaKind::Photo {
            if upload.bytes.len() > PHOTO_LIMIT {
                return Err(Refusal::bad("file is too big for a photo"));
            }
            let (width, height) = media::picture_size(&upload.bytes)
                .ok_or_else(|| Refusal::bad("IMAGE_PROCESS_FAILED"))?;
            let too_narrow = width.max(height) > width.min(height).saturating_mul(20);
            if width.saturating_add(height) > 10_000 || too_narrow {
                return Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"));
            }
        }
        let bound = self.inner.options.kept_file_bytes;
        let duration = self.params.integer("duration").unwrap_or(0);
        let bot = self.bot()?;
        let content_type = upload.content_type.as_deref();
        Ok(bot.files.add_of_bot(
            kind,
            &upload.file_name,
            content_type,
            upload.bytes.clone(),
            duration,
            bound,
        ))
    }

    fn location(&self) -> Result<Value, Refusal> {
        let number = |name: &str, limit: f64| {
            self.params.number(name).filter(|number| number.abs() <= limit)
        };
        match (number("latitude", 90.0), number("longitude", 180.0)) {
            (Some(latitude), Some(longitude)) => {
                Ok(json!({ "latitude": latitude, "longitude": longitude }))
            }
            _ => Err(Refusal::bad("bad latitude or longitude")),
        }
    }

    pub(super) fn send_location(&mut self) -> Answer {
        let location = self.location()?;
        let chat_id = self.chat()?;
        self.send_one(chat_id, Map::from_iter([("location".to_owned(), location)]))
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        self.params
            .text(name)
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| Refusal::bad(format!("parameter \"{name}\" is required")))
    }

    pub(super) fn send_venue(&mut self) -> Answer {
        let location = self.location()?;
        let venue = json!({ "location": location, "title": self.required("title")?, "address": self.required("address")? });
        let chat_id = self.chat()?;
        self.send_one(
            chat_id,
            Map::from_iter([("location".to_owned(), location), ("venue".to_owned(), venue)]),
        )
    }

    pub(super) fn send_contact(&mut self) -> Answer {
        let contact = json!({ "phone_number": self.required("phone_number")?, "first_name": self.required("first_name")? });
        let chat_id = self.chat()?;
        self.send_one(chat_id, Map::from_iter([("contact".to_owned(), contact)]))
    }

    pub(super) fn send_media_group(&mut self) -> Answer {
        let Some(Value::Array(items)) = self.params.nested("media")? else {
            return Err(Refusal::bad(
                "can't parse media JSON object: expected an Array of InputMedia",
            ));
        };
        if items.len() < 2 {
            return Err(Refusal::bad("too few messages to send as an album"));
        }
        if items.len() > 10 {
            return Err(Refusal::bad("too many messages to send as an album"));
        }
        let mut kinds = Vec::new();
        let mut captions = Vec::new();
        for item in &items {
            let Some(object) = item.as_object() else {
                return Err(Refusal::bad("can't parse InputMedia: expected an Object"));
            };
            kinds.push(match object.get("type").and_then(Value::as_str) {
                Some("photo") => MediaKind::Photo,
                Some("video") => MediaKind::Video,
                Some("document") => MediaKind::Document,
                Some("audio") => MediaKind::Audio,
                _ => {
                    return Err(Refusal::bad(
                        "can't parse InputMedia: type must be one of photo, video, document, audio",
                    ));
                }
            });
            captions.push(checked_caption(formatted_item(object)?)?);
        }
        for alone in [MediaKind::Document, MediaKind::Audio] {
            let same = kinds.iter().filter(|kind| **kind == alone).count();
            if same > 0 && same < kinds.len() {
                return Err(Refusal::bad(format!(
                    "{} can't be mixed with other media types",
                    alone.field()
                )));
            }
        }
        let chat_id = self.chat()?;
        self.reply(chat_id)?;
        let media_group = self.bot()?.next_media_group();
        let mut contents = Vec::new();
        for ((item, kind), caption) in items.iter().zip(kinds).zip(captions) {
            let mut content = self.referred(kind, item.get("media").and_then(Value::as_str))?;
            content.extend(caption);
            content.insert("media_group_id".into(), media_group.clone().into());
            contents.push(content);
        }
        let ids = self.send(chat_id, contents)?;
        let messages =
            ids.iter().filter_map(|id| self.world.render(self.bot_id, chat_id, *id)).collect();
        Ok(Success { message_ids: ids, ..Success::of(Value::Array(messages)) })
    }

    pub(super) fn send_chat_action(&mut self) -> Answer {
        let action = self.params.text("action").unwrap_or_default().to_ascii_lowercase();
        if !ACTIONS.contains(&action.as_str()) {
            return Err(Refusal::bad("wrong parameter action in request"));
        }
        let chat_id = self.chat()?;
        if let Some(chat) = self.bot()?.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Action, None, Some(action.into()));
        }
        Ok(Success::done())
    }

    // Changing what was sent
}
