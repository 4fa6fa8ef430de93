//! What a bot asks for or sets up: files, chats, its webhook.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::super::answer::{Answer, Refusal, Success};
use super::super::webhook::Webhook;
use super::{Context, DOWNLOAD_LIMIT, is_loopback};

impl Context<'_> {
    pub(super) fn get_file(&mut self) -> Answer {
        let file_id = self.params.text("file_id").unwrap_or_default();
        if file_id.is_empty() {
            return Err(Refusal::bad("file_id not specified"));
        }
        let wrong = || Refusal::bad("wrong file_id or the file is temporarily unavailable");
        let files = &mut self.bot()?.files;
        let file = files.get(&file_id).ok_or_else(wrong)?;
        if file.size_bytes > DOWNLOAD_LIMIT {
            return Err(Refusal::bad("file is too big"));
        }
        let (unique_id, size) = (file.unique_id.clone(), file.size_bytes);
        let path = files.path_of(&file_id).ok_or_else(wrong)?;
        Ok(Success::of(
            json!({ "file_id": file_id, "file_unique_id": unique_id, "file_size": size, "file_path": path }),
        ))
    }

    pub(super) fn get_chat(&mut self) -> Answer {
        let chat_id = self.chat()?;
        Ok(Success::of(self.world.chat_object(chat_id)))
    }

    // Webhook

    pub(super) fn set_webhook(&mut self) -> Answer {
        let url = self.params.text("url").unwrap_or_default();
        if url.trim().is_empty() {
            return self.delete_webhook();
        }
        let allowed = self.params.nested("allowed_updates")?;
        let parsed: Option<url::Url> = url.parse().ok();
        let parsed = parsed.filter(|url| matches!(url.scheme(), "http" | "https"));
        let parsed = parsed.ok_or_else(|| {
            Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook")
        })?;
        let loopback = is_loopback(&parsed);
        if parsed.scheme() == "http" && !loopback {
            return Err(Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook"));
        }
        if !loopback {
            // Nothing is ever posted to another machine.
            return Err(Refusal::bad(
                "bad webhook: Failed to resolve host: Name or service not known",
            ));
        }
        let secret = self.params.text("secret_token").filter(|secret| !secret.is_empty());
        if let Some(secret) = &secret {
            if secret.len() > 256 {
                return Err(Refusal::bad("secret token is too long"));
            }
            if !secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            {
                return Err(Refusal::bad("secret token contains unallowed characters"));
            }
        }
        let connections =
            self.params.integer("max_connections").unwrap_or(40).clamp(1, 100) as usize;
        let drop_pending = self.params.flag("drop_pending_updates");
        let generation = self.inner.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let bot = self.bot()?;
        bot.queue.set_allowed(allowed.as_ref())?;
        if drop_pending {
            bot.queue.drop_all();
        }
        let same = bot.webhook.as_ref().is_some_and(|webhook| {
            webhook.url == url && webhook.secret == secret && webhook.max_connections == connections
        });
        if same && !drop_pending {
            return Ok(Success::done_with("Webhook is already set"));
        }
        if let Some(old) = bot.webhook.take() {
            old.retire();
        }
        bot.webhook = Some(Webhook::new(url, secret, connections, generation, &bot.queue));
        bot.queue.interrupt_poll();
        self.started_webhook = Some(generation);
        Ok(Success::done_with("Webhook was set"))
    }

    pub(super) fn delete_webhook(&mut self) -> Answer {
        let drop_pending = self.params.flag("drop_pending_updates");
        let bot = self.bot()?;
        if drop_pending {
            bot.queue.drop_all();
        }
        match bot.webhook.take() {
            Some(webhook) => {
                webhook.retire();
                Ok(Success::done_with("Webhook was deleted"))
            }
            None => Ok(Success::done_with("Webhook is already deleted")),
        }
    }

    pub(super) fn webhook_info(&mut self) -> Answer {
        let bot = self.bot()?;
        let mut info = json!({
            "url": "", "has_custom_certificate": false, "pending_update_count": bot.queue.len(),
        });
        if let Some(webhook) = &bot.webhook {
            info["url"] = webhook.url.clone().into();
            info["max_connections"] = webhook.max_connections.into();
            info["ip_address"] = "127.0.0.1".into();
            if let Some((at, reason)) = &webhook.last_error {
                info["last_error_date"] = (*at).into();
                info["last_error_message"] = reason.clone().into();
            }
        }
        if let Some(allowed) = bot.queue.allowed_list() {
            info["allowed_updates"] = json!(allowed);
        }
        Ok(Success::of(info))
    }
}
