//! The pretended provider as the hub's port sees it.

use async_trait::async_trait;
use futures_util::StreamExt as _;
use hub_domain::channel::{
    Account, Capabilities, ChannelAccess, ChannelDriver, ChannelKind, Download, DriverError,
    IntakeMode, NumberedUpdate, OutboundMessage, ParseError, PollBatch, SendReceipt,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Call, FakeChannel, HoldAt, SECRET_HEADER, Script, account_of};

#[async_trait]
impl ChannelDriver for FakeChannel {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    fn capabilities(&self) -> Capabilities {
        self.lock().capabilities.clone()
    }

    fn credential_is_well_formed(&self, secret: &SecretString) -> bool {
        account_of(secret).is_some()
    }

    async fn account(&self, access: &ChannelAccess) -> Result<Account, DriverError> {
        self.called(Call::Account);
        let external_id = self.check_token(access)?;
        let mut state = self.lock();
        let name = state.names.entry(external_id.clone());
        let name = name.or_insert_with(|| format!("Fake {external_id}")).clone();
        Ok(Account { username: Some(format!("fake_{external_id}_bot")), external_id, name })
    }

    fn webhook_is_genuine(
        &self,
        access: &ChannelAccess,
        headers: &http::HeaderMap,
        _body: &[u8],
    ) -> bool {
        let secret = access.webhook_secret.expose_secret();
        let shown = headers.get(SECRET_HEADER);
        !secret.is_empty() && shown.is_some_and(|shown| shown == secret)
    }

    fn parse_webhook(
        &self,
        _access: &ChannelAccess,
        body: &[u8],
    ) -> Result<Vec<NumberedUpdate>, ParseError> {
        let unreadable = || ParseError { detail: "not a body of the fake channel".to_owned() };
        let body: serde_json::Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let numbers = body.get("fake_updates").and_then(serde_json::Value::as_array);
        let state = self.lock();
        let update = |number: &serde_json::Value| {
            let index = usize::try_from(number.as_u64()?).ok()?;
            state.posted.get(index).cloned()
        };
        numbers
            .ok_or_else(unreadable)?
            .iter()
            .map(|number| update(number).ok_or_else(unreadable))
            .collect()
    }

    async fn poll(
        &self,
        access: &ChannelAccess,
        cursor: Option<&str>,
    ) -> Result<PollBatch, DriverError> {
        self.called(Call::Poll { cursor: cursor.map(ToOwned::to_owned) });
        let account_id = self.check_token(access)?;
        let offset: i64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let mut changes = self.changes.subscribe();
        let deadline = tokio::time::Instant::now() + self.lock().poll_wait;
        loop {
            changes.borrow_and_update();
            let failure = self.lock().poll_errors.pop_front();
            if let Some(error) = failure {
                return Err(error);
            }
            self.check_token(access)?;
            let (updates, confirmed): (Vec<_>, bool) = {
                let mut state = self.lock();
                let queue = state.waiting.entry(account_id.clone()).or_default();
                let before = queue.len();
                queue.retain(|update| update.update_id.is_none_or(|id| id >= offset));
                (queue.iter().take(100).cloned().collect(), queue.len() < before)
            };
            if confirmed {
                self.change(|_| ());
            }
            if !updates.is_empty() {
                let last = updates.iter().filter_map(|update| update.update_id).max();
                let next_cursor = last.map(|last| (last + 1).to_string());
                return Ok(PollBatch { updates, next_cursor });
            }
            let changed = tokio::time::timeout_at(deadline, changes.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                let next_cursor = cursor.map(ToOwned::to_owned);
                return Ok(PollBatch { updates: Vec::new(), next_cursor });
            }
        }
    }

    async fn configure_intake(
        &self,
        access: &ChannelAccess,
        mode: IntakeMode,
        webhook_url: Option<&str>,
    ) -> Result<(), DriverError> {
        self.called(Call::ConfigureIntake {
            mode,
            webhook_url: webhook_url.map(ToOwned::to_owned),
        });
        let failure = self.lock().configure_errors.pop_front();
        failure.map_or(Ok(()), Err)?;
        self.check_token(access).map(drop)
    }

    async fn send(
        &self,
        access: &ChannelAccess,
        message: &OutboundMessage,
    ) -> Result<SendReceipt, DriverError> {
        self.called(Call::Send { chat_id: message.chat_id.clone(), text: message.text.clone() });
        self.pass_gate(HoldAt::BeforeAccepting).await;
        let account_id = self.check_token(access)?;
        self.check_message(message)?;
        let refused = self.lock().refused_chats.get(&message.chat_id).cloned();
        if let Some(error) = refused {
            return Err(error);
        }
        let script = self.lock().send_scripts.pop_front();
        if let Some(Script { accept: false, error }) = script {
            return Err(error);
        }
        let receipt = self.accept(account_id, access, message);
        self.pass_gate(HoldAt::AfterAccepting).await;
        match script {
            Some(script) => Err(script.error),
            None => Ok(receipt),
        }
    }

    async fn edit(
        &self,
        access: &ChannelAccess,
        external_id: &str,
        text: &str,
        caption: bool,
    ) -> Result<(), DriverError> {
        self.called(Call::Edit {
            external_id: external_id.to_owned(),
            text: text.to_owned(),
            caption,
        });
        self.check_token(access)?;
        self.change(|state| {
            if let Some(error) = state.change_errors.pop_front() {
                return Err(error);
            }
            let sent = state.sent.iter_mut().find(|sent| sent.external_id == external_id);
            match sent {
                Some(sent) if !sent.deleted => {
                    text.clone_into(&mut sent.text);
                    Ok(())
                }
                _ => Err(DriverError::Refused {
                    code: "message_not_found",
                    detail: "message to edit not found".to_owned(),
                }),
            }
        })
    }

    async fn delete(&self, access: &ChannelAccess, external_id: &str) -> Result<(), DriverError> {
        self.called(Call::Delete { external_id: external_id.to_owned() });
        self.check_token(access)?;
        self.change(|state| {
            if let Some(error) = state.change_errors.pop_front() {
                return Err(error);
            }
            for sent in state.sent.iter_mut().filter(|sent| sent.external_id == external_id) {
                sent.deleted = true;
            }
            Ok(())
        })
    }

    async fn answer_button(
        &self,
        access: &ChannelAccess,
        external_id: &str,
    ) -> Result<(), DriverError> {
        self.called(Call::AnswerButton { external_id: external_id.to_owned() });
        self.check_token(access)?;
        let failure = self.lock().change_errors.pop_front();
        failure.map_or(Ok(()), Err)
    }

    async fn download(
        &self,
        access: &ChannelAccess,
        file_ref: &str,
    ) -> Result<Download, DriverError> {
        self.called(Call::Download { file_ref: file_ref.to_owned() });
        self.check_token(access)?;
        let file = self.lock().files.get(file_ref).cloned();
        let bytes = file.unwrap_or_else(|| {
            Err(DriverError::Refused { code: "file_not_found", detail: "no such file".to_owned() })
        })?;
        let size_bytes = u64::try_from(bytes.len()).ok();
        // Several chunks, so that a reader that takes only the first is found out.
        let middle = bytes.len() / 2;
        let chunks = [Ok(bytes.slice(..middle)), Ok(bytes.slice(middle..))];
        let bytes = futures_util::stream::iter(chunks).boxed();
        Ok(Download { size_bytes, mime_type: None, bytes })
    }
}
