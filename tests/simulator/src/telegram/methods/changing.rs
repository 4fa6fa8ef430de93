//! What a bot changes of what is there: texts, buttons, reactions, and what it takes back.

use serde_json::{Map, Value};

use super::super::answer::{Answer, Refusal, Success};
use super::super::params::integer;
use super::super::text::utf16_length;
use super::super::world::{Author, Noticed};
use super::{CALLBACK_ANSWER_SECONDS, Context, DELETE_WITHIN_SECONDS, Markup, REACTIONS};

impl Context<'_> {
    fn message_id(&self) -> Result<i64, Refusal> {
        let given = self.params.integer("message_id").filter(|id| *id > 0);
        given.ok_or_else(|| Refusal::bad("message identifier is not specified"))
    }

    /// Replaces members of an own message.
    fn edit(&mut self, needs: &str, gone: &[&str], content: Map<String, Value>) -> Answer {
        let id = self.message_id()?;
        let chat_id = self.chat()?;
        let markup = match self.markup(chat_id)? {
            Markup::Inline(markup) => Some(markup),
            _ => None,
        };
        let now = self.now;
        let bot = self.bot()?;
        let message = bot
            .message_mut(chat_id, id)
            .ok_or_else(|| Refusal::bad("message to edit not found"))?;
        if message.author != Author::Bot {
            return Err(Refusal::bad("message can't be edited"));
        }
        if needs == "text" && !message.content.contains_key("text") {
            return Err(Refusal::bad("there is no text in the message to edit"));
        }
        let captioned = ["photo", "document", "video", "animation", "voice", "audio"];
        if needs == "caption" && !captioned.iter().any(|kind| message.content.contains_key(*kind)) {
            return Err(Refusal::bad("there is no caption in the message to edit"));
        }
        let mut edited = message.content.clone();
        for name in gone {
            edited.remove(*name);
        }
        edited.extend(content);
        match markup {
            Some(markup) => edited.insert("reply_markup".into(), markup),
            None => edited.remove("reply_markup"),
        };
        if edited == message.content {
            return Err(Refusal::bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message",
            ));
        }
        message.content = edited;
        message.edit_date = Some(now);
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Edited, Some(id), None);
        }
        Ok(self.as_answer(chat_id, id))
    }

    pub(super) fn edit_text(&mut self) -> Answer {
        let content = self.message_text()?;
        self.edit("text", &["text", "entities"], content)
    }

    pub(super) fn edit_caption(&mut self) -> Answer {
        let content = self.caption()?;
        self.edit("caption", &["caption", "caption_entities"], content)
    }

    pub(super) fn edit_markup(&mut self) -> Answer {
        self.edit("", &[], Map::new())
    }

    pub(super) fn delete_message(&mut self) -> Answer {
        let id = self.message_id()?;
        let chat_id = self.chat()?;
        self.delete(chat_id, id)?;
        Ok(Success { message_ids: vec![id], ..Success::done() })
    }

    fn delete(&mut self, chat_id: i64, id: i64) -> Result<(), Refusal> {
        let now = self.now;
        let bot = self.bot()?;
        let message = bot
            .message_mut(chat_id, id)
            .ok_or_else(|| Refusal::bad("message to delete not found"))?;
        if message.date + DELETE_WITHIN_SECONDS < now {
            return Err(Refusal::bad("message can't be deleted for everyone"));
        }
        if message.author != Author::Bot && chat_id < 0 {
            return Err(Refusal::bad("message can't be deleted"));
        }
        message.deleted = true;
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Deleted, Some(id), None);
        }
        Ok(())
    }

    /// Ids that cannot be found are skipped, as the provider does.
    pub(super) fn delete_messages(&mut self) -> Answer {
        let Some(Value::Array(ids)) = self.params.nested("message_ids")? else {
            return Err(Refusal::bad("message identifiers are not specified"));
        };
        if ids.is_empty() {
            return Err(Refusal::bad("message identifiers are not specified"));
        }
        if ids.len() > 100 {
            return Err(Refusal::bad("too many message identifiers specified"));
        }
        let chat_id = self.chat()?;
        let ids: Vec<i64> = ids.iter().filter_map(integer).collect();
        let deleted = ids.into_iter().filter(|id| self.delete(chat_id, *id).is_ok()).collect();
        Ok(Success { message_ids: deleted, ..Success::done() })
    }

    pub(super) fn set_reaction(&mut self) -> Answer {
        let id = self.message_id()?;
        let reactions = match self.params.nested("reaction")? {
            None => Vec::new(),
            Some(Value::Array(reactions)) => reactions,
            Some(_) => return Err(Refusal::bad("can't parse reaction types JSON object")),
        };
        if reactions.len() > 1 {
            return Err(Refusal::bad("REACTIONS_TOO_MANY"));
        }
        let reaction = reactions.into_iter().next();
        if let Some(reaction) = &reaction {
            let emoji = reaction.get("emoji").and_then(Value::as_str).unwrap_or_default();
            let known = reaction["type"] == "emoji"
                && !emoji.is_empty()
                && REACTIONS.contains(emoji.trim_end_matches('\u{fe0f}'));
            if !known {
                return Err(Refusal::bad("REACTION_INVALID"));
            }
        }
        let chat_id = self.chat()?;
        let bot = self.bot()?;
        let message = bot
            .message_mut(chat_id, id)
            .ok_or_else(|| Refusal::bad("message to react not found"))?;
        message.reaction.clone_from(&reaction);
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::Reaction, Some(id), reaction);
        }
        Ok(Success { message_ids: vec![id], ..Success::done() })
    }

    pub(super) fn answer_callback(&mut self) -> Answer {
        let id = self.params.text("callback_query_id").unwrap_or_default();
        let text = self.params.text("text");
        if text.as_deref().is_some_and(|text| utf16_length(text) > 200) {
            return Err(Refusal::bad("MESSAGE_TOO_LONG"));
        }
        let now = self.now;
        let bot = self.bot()?;
        let late =
            || Refusal::bad("query is too old and response timeout expired or query ID is invalid");
        let callback = bot.callbacks.get_mut(&id).ok_or_else(late)?;
        if callback.answered || callback.asked_at + CALLBACK_ANSWER_SECONDS < now {
            return Err(late());
        }
        callback.answered = true;
        let chat_id = callback.chat_id;
        if let Some(chat) = bot.chats.get_mut(&chat_id) {
            chat.notice(Noticed::CallbackAnswered, None, text.map(Value::from));
        }
        Ok(Success::done())
    }

    // Files and chats
}
