//! Members write, change and delete quick replies. Any member may: they are the company's.
//!
//! Bytes of files are stored before these actions and removed after them; an action only says which ones
//! are no longer needed.

use hub_domain::content::{self, utf16_len};
use hub_domain::event::{Changes, EventType};
use hub_domain::quick_reply::{
    QUICK_REPLIES_LIMIT, QUICK_REPLY_NAME_LIMIT, QUICK_REPLY_TEXT_LIMIT, QuickReply, QuickReplyFile,
};
use hub_domain::{QuickReplyId, Scope};
use hub_store::records::QuickReplyRecord;
use hub_store::{Store, Tx};

use super::by_member;
use crate::error::{ApiError, Code};

/// Name and text as a member wrote them.
#[derive(Debug, Clone)]
pub struct Wording {
    pub name: String,
    pub text: String,
}

impl Wording {
    fn checked(self) -> Result<Self, ApiError> {
        let name = content::without_nul(self.name).trim().to_owned();
        let text = content::without_nul(self.text).trim().to_owned();
        if !(1..=QUICK_REPLY_NAME_LIMIT).contains(&name.chars().count()) {
            return Err(ApiError::from(Code::QuickReplyNameInvalid)
                .field("name")
                .param("limit", QUICK_REPLY_NAME_LIMIT));
        }
        if text.is_empty() {
            return Err(ApiError::from(Code::QuickReplyEmpty).field("text"));
        }
        if text.len() > QUICK_REPLY_TEXT_LIMIT * 3 || utf16_len(&text) > QUICK_REPLY_TEXT_LIMIT {
            return Err(ApiError::from(Code::QuickReplyTooLong)
                .field("text")
                .param("limit", QUICK_REPLY_TEXT_LIMIT));
        }
        Ok(Self { name, text })
    }
}

/// A file whose bytes are stored.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub key: String,
    pub file: QuickReplyFile,
}

/// What is done to a quick reply.
#[derive(Debug, Clone)]
pub enum QuickReplyChange {
    Word(Wording),
    /// `None`: without a file.
    File(Option<NewFile>),
    Delete,
}

/// A change that was made, and the key of the file that is no longer needed.
#[derive(Debug)]
pub struct Changed {
    pub quick_reply: QuickReply,
    pub dropped_file: Option<String>,
}

pub async fn add_quick_reply(
    store: &Store,
    scope: &Scope,
    wording: Wording,
) -> Result<QuickReply, ApiError> {
    let Wording { name, text } = wording.checked()?;
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let (company, now) = (scope.company_id, tx.now());
                if tx.db().quick_reply_count(company).await? >= QUICK_REPLIES_LIMIT {
                    return Err(ApiError::from(Code::TooManyQuickReplies)
                        .param("limit", QUICK_REPLIES_LIMIT));
                }
                let author = scope.member_id;
                let id = tx.db().insert_quick_reply(company, author, &name, &text, now).await?;
                let record = offered(tx, &scope, id).await?;
                tell(tx, &scope, EventType::QuickReplyChanged, record.quick_reply).await
            })
        })
        .await
}

pub async fn change_quick_reply(
    store: &Store,
    scope: &Scope,
    id: QuickReplyId,
    change: QuickReplyChange,
) -> Result<Changed, ApiError> {
    let change = match change {
        QuickReplyChange::Word(wording) => QuickReplyChange::Word(wording.checked()?),
        other => other,
    };
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let company = scope.company_id;
                let QuickReplyRecord { mut quick_reply, file_key } =
                    offered(tx, &scope, id).await?;
                let mut dropped_file = None;
                let mut event_type = EventType::QuickReplyChanged;
                match change {
                    QuickReplyChange::Word(Wording { name, text }) => {
                        if (&quick_reply.name, &quick_reply.text) == (&name, &text) {
                            return Ok(Changed { quick_reply, dropped_file });
                        }
                        quick_reply.name = name;
                        quick_reply.text = text;
                    }
                    QuickReplyChange::File(new) => {
                        if new.is_none() && quick_reply.file.is_none() {
                            return Ok(Changed { quick_reply, dropped_file });
                        }
                        let key = new.as_ref().map(|new| new.key.as_str());
                        tx.db().set_quick_reply_file(company, id, key).await?;
                        quick_reply.file = new.map(|new| new.file);
                        dropped_file = file_key;
                    }
                    QuickReplyChange::Delete => {
                        tx.db().set_quick_reply_file(company, id, None).await?;
                        quick_reply.file = None;
                        quick_reply.deleted_at = Some(tx.now());
                        dropped_file = file_key;
                        event_type = EventType::QuickReplyDeleted;
                    }
                }
                quick_reply.author_member_id = scope.member_id;
                quick_reply.changed_at = tx.now();
                let quick_reply = tell(tx, &scope, event_type, quick_reply).await?;
                Ok(Changed { quick_reply, dropped_file })
            })
        })
        .await
}

async fn offered(
    tx: &mut Tx,
    scope: &Scope,
    id: QuickReplyId,
) -> Result<QuickReplyRecord, ApiError> {
    let record = tx.db().quick_reply(scope.company_id, id).await?;
    record.filter(|record| record.quick_reply.deleted_at.is_none()).ok_or_else(ApiError::not_found)
}

async fn tell(
    tx: &mut Tx,
    scope: &Scope,
    event_type: EventType,
    quick_reply: QuickReply,
) -> Result<QuickReply, ApiError> {
    let changes = Changes { quick_reply: Some(quick_reply), ..Changes::default() };
    let changes = tx.append(event_type, by_member(scope), None, changes).await?;
    changes
        .quick_reply
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("an appended quick reply has gone")))
}
