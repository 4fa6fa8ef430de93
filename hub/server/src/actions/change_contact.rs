//! A member writes on a client's card: name, phone, comment.
//!
//! What a member wrote as name or phone stays, whatever the messenger says; emptied, it is the messenger's
//! again. A comment is changed only by who has seen what it says now: two members never write over each
//! other unknowingly. Every conversation of the client tells of the change in the log, to those who see it.

use hub_domain::contact::{CONTACT_COMMENT_LIMIT, CONTACT_NAME_LIMIT};
use hub_domain::content::without_nul;
use hub_domain::event::{Changes, EventType};
use hub_domain::{ContactId, Conversation, Scope, Visibility, phone};
use hub_store::records::ContactRecord;
use hub_store::{Store, Tx};

use super::by_member;
use super::set_up::checked_name;
use crate::error::{ApiError, Code};

/// What is wanted changed; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ContactChange {
    /// Empty: as the messenger calls the client.
    pub name: Option<String>,
    /// In any spelling. Empty: as the messenger tells.
    pub phone: Option<String>,
    pub comment: Option<CommentChange>,
}

/// A new comment, and the one it takes the place of.
#[derive(Debug, Clone)]
pub struct CommentChange {
    pub before: String,
    pub after: String,
}

impl ContactChange {
    fn checked(self) -> Result<Self, ApiError> {
        let name = self
            .name
            .map(|name| match name.trim() {
                "" => Ok(String::new()),
                name => checked_name(name, CONTACT_NAME_LIMIT, "name"),
            })
            .transpose()?;
        let phone = self
            .phone
            .map(|text| match text.trim() {
                "" => Ok(String::new()),
                text => phone::normalize(text)
                    .ok_or_else(|| ApiError::from(Code::ContactPhoneInvalid).field("phone")),
            })
            .transpose()?;
        let comment = self
            .comment
            .map(|CommentChange { before, after }| {
                let after = without_nul(after).trim().to_owned();
                if after.chars().count() > CONTACT_COMMENT_LIMIT {
                    return Err(ApiError::from(Code::CommentTooLong)
                        .field("comment")
                        .param("limit", CONTACT_COMMENT_LIMIT));
                }
                Ok(CommentChange { before: without_nul(before).trim().to_owned(), after })
            })
            .transpose()?;
        Ok(Self { name, phone, comment })
    }

    fn apply(self, contact: &mut ContactRecord) -> Result<(), ApiError> {
        if let Some(name) = self.name {
            contact.named_by_member = !name.is_empty();
            contact.name = name;
        }
        if let Some(phone) = self.phone {
            contact.phone_by_member = !phone.is_empty();
            contact.phone = Some(phone).filter(|phone| !phone.is_empty());
        }
        if let Some(CommentChange { before, after }) = self.comment
            && after != contact.comment
        {
            if before != contact.comment {
                return Err(ApiError::from(Code::CommentConflict)
                    .field("comment")
                    .param("comment", contact.comment.clone()));
            }
            contact.comment = after;
        }
        Ok(())
    }
}

/// Answers with the conversations of the client that the member sees, as they are now.
pub async fn change_contact(
    store: &Store,
    scope: &Scope,
    id: ContactId,
    change: ContactChange,
) -> Result<Vec<Conversation>, ApiError> {
    let change = change.checked()?;
    let scope = scope.clone();
    store
        .write(scope.company_id, move |tx| {
            Box::pin(async move {
                let seen = tx.db().conversations_of_contacts(&scope, &[id.0]).await?;
                if seen.is_empty() {
                    return Err(ApiError::not_found());
                }
                let contact = tx.db().contact(scope.company_id, id).await?;
                let before = contact.ok_or_else(ApiError::not_found)?;
                let mut contact = before.clone();
                change.apply(&mut contact)?;
                if contact == before {
                    return Ok(seen);
                }
                tx.db().save_contact(scope.company_id, &contact).await?;
                tell(tx, &scope, id).await
            })
        })
        .await
}

/// One event a conversation: each has its audience, and its version says what is newer.
async fn tell(tx: &mut Tx, scope: &Scope, id: ContactId) -> Result<Vec<Conversation>, ApiError> {
    let everything = Scope { visibility: Visibility::All, ..scope.clone() };
    let mut seen = Vec::new();
    for conversation in tx.db().conversations_of_contacts(&everything, &[id.0]).await? {
        let channel_id = Some(conversation.channel_id);
        let changes = Changes { conversation: Some(conversation), ..Changes::default() };
        let changes =
            tx.append(EventType::ContactChanged, by_member(scope), channel_id, changes).await?;
        seen.extend(changes.conversation.filter(|_| scope.sees_channel(channel_id)));
    }
    Ok(seen)
}
