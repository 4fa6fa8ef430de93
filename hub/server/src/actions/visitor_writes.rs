//! A visitor of a site widget writes.
//!
//! The first message makes the visitor known: contact, conversation, what the site and the form told. A
//! message sent again under the same `client_message_id` is the first one.

use channel_widget::identity::VisitorId;
use channel_widget::settings::{FormField, WidgetLanguage};
use channel_widget::{TEXT_LIMIT, WidgetSettings};
use hub_domain::channel::{Channel, InboundMessage, Sender};
use hub_domain::content::{self, Content, utf16_len};
use hub_domain::message::CLIENT_MESSAGE_ID_LIMIT;
use hub_domain::{AttachmentId, Message, phone};
use hub_store::ingest::ingest_within;
use hub_store::records::{Incoming, Ingested, WidgetVisitor};
use hub_store::{Store, StoreError, Tx};

use crate::error::{ApiError, Code};
use crate::widget::KnownVisitor;

/// Most files of one message.
const FILES_LIMIT: usize = 5;

/// What the form asked for.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// The page the visitor writes from.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub url: Option<String>,
    pub title: Option<String>,
}

/// What a visitor wants sent.
#[derive(Debug, Clone)]
pub struct VisitorWrites {
    pub visitor: KnownVisitor,
    pub client_message_id: String,
    pub text: String,
    /// Uploaded by this visitor: the caller has checked.
    pub files: Vec<AttachmentId>,
    pub profile: Profile,
    pub page: Page,
    pub user_agent: String,
}

/// The number of a visitor's message within the channel.
pub fn external_id(visitor: &VisitorId, client_message_id: &str) -> String {
    format!("{}:{client_message_id}", visitor.as_str())
}

/// The message, and whether this call made it (`false`: an earlier call of the same intention did).
pub async fn visitor_writes(
    store: &Store,
    channel: &Channel,
    settings: &WidgetSettings,
    mut request: VisitorWrites,
) -> Result<(Message, bool), ApiError> {
    let id_length = request.client_message_id.len();
    if id_length == 0
        || id_length > CLIENT_MESSAGE_ID_LIMIT
        || request.client_message_id.chars().any(char::is_control)
    {
        return Err(ApiError::from(Code::ClientMessageIdInvalid).field("client_message_id"));
    }
    let text = content::without_nul(std::mem::take(&mut request.text));
    text.trim().clone_into(&mut request.text);
    if request.text.is_empty() && request.files.is_empty() {
        return Err(ApiError::from(Code::TextEmpty).field("text"));
    }
    if utf16_len(&request.text) > TEXT_LIMIT {
        let refusal = ApiError::from(Code::TextTooLong).field("text");
        return Err(refusal.param("limit", TEXT_LIMIT));
    }
    if request.files.len() > FILES_LIMIT {
        return Err(ApiError::invalid_field("files", "A message carries at most 5 files."));
    }
    request.profile = checked_profile(request.profile)?;
    request.page = checked_page(request.page);
    let (channel, settings) = (channel.clone(), settings.clone());
    store
        .write(channel.company_id, move |tx| {
            Box::pin(async move { write(tx, &channel, &settings, request).await })
        })
        .await
}

async fn write(
    tx: &mut Tx,
    channel: &Channel,
    settings: &WidgetSettings,
    request: VisitorWrites,
) -> Result<(Message, bool), ApiError> {
    let external_id = external_id(&request.visitor.id, &request.client_message_id);
    let content = Content::text(request.text.clone());
    if let Some(earlier) = tx.db().message_by_external(channel.id, &external_id).await? {
        let files: Vec<AttachmentId> = earlier.attachments.iter().map(|file| file.id).collect();
        return if earlier.content == content && files == request.files {
            Ok((earlier, false))
        } else {
            Err(ApiError::from(Code::ClientMessageIdConflict).field("client_message_id"))
        };
    }
    let now = tx.now();
    let visitor_id = request.visitor.id.as_str().to_owned();
    let known = tx.db().widget_visitor(channel.id, &visitor_id).await?;
    let first = known.is_none();
    if first && request.visitor.user.is_none() {
        check_form(settings, &request.profile)?;
    }
    let before = match known {
        Some(known) => known,
        None => WidgetVisitor {
            channel_id: channel.id.0,
            visitor_id: visitor_id.clone(),
            number: tx.db().next_visitor_number(channel.company_id).await?,
            user_id: None,
            name: None,
            phone: None,
            email: None,
            page_url: None,
            page_title: None,
            user_agent: String::new(),
            created_at: now.as_millis(),
            changed_at: now.as_millis(),
        },
    };
    let visitor = told(&before, &request, now.as_millis());
    // Said once, when it is new.
    let name = match &visitor.name {
        Some(name) if first || visitor.name != before.name => name.clone(),
        None if first => name_of_nobody(settings, visitor.number),
        _ => String::new(),
    };
    let vouched = request.visitor.user.as_ref().and_then(|user| user.phone.clone());
    let incoming = Incoming {
        channel_id: channel.id,
        message: InboundMessage {
            external_id,
            sender: Sender {
                external_id: visitor_id.clone(),
                chat_id: visitor_id,
                name,
                username: None,
                language: None,
            },
            by_us: false,
            // The order in which messages come is the order.
            ordinal: 0,
            sent_at: now,
            edited_at: None,
            content,
            attachments: Vec::new(),
            album_id: None,
            reply_to: None,
            forwarded_from: None,
            verified_phone: vouched,
            raw: None,
        },
        download_limit_bytes: 0,
        answer_button: None,
        uploaded: request.files,
    };
    let message_id = match ingest_within(tx, vec![incoming]).await?.first().copied() {
        Some(Ingested::Stored { message_id, .. }) => message_id,
        Some(Ingested::ChannelDeleted) => return Err(Code::ChannelDeleted.into()),
        Some(Ingested::Duplicate) | None => {
            let what = "a visitor's message is neither new nor known";
            return Err(StoreError::inconsistent(what).into());
        }
    };
    tx.db().save_widget_visitor(channel.company_id, &visitor).await?;
    let message = tx.db().message(channel.company_id, message_id).await?;
    let message = message.ok_or_else(|| StoreError::inconsistent("a stored message has gone"))?;
    if (&visitor.phone, &visitor.email) != (&before.phone, &before.email) {
        // The card does not say them, as nobody vouches for them; the search finds them all the same.
        let (company, id) = (channel.company_id, message.conversation_id);
        if let Some(conversation) = tx.db().conversation_of_company(company, id).await? {
            tx.db().index_contacts(&[conversation.contact.id.0]).await?;
        }
    }
    metrics::counter!("uzel_messages_received_total").increment(1);
    Ok((message, true))
}

fn name_of_nobody(settings: &WidgetSettings, number: i64) -> String {
    match settings.language {
        WidgetLanguage::En => format!("Visitor #{number}"),
        WidgetLanguage::Auto | WidgetLanguage::Ru => format!("Посетитель №{number}"),
    }
}

/// The visitor with what is told now. The site's word counts for more than the form's.
fn told(before: &WidgetVisitor, request: &VisitorWrites, now: i64) -> WidgetVisitor {
    let user = request.visitor.user.as_ref();
    let of = |site: Option<&String>, form: &Option<String>, before: &Option<String>| {
        site.or(form.as_ref()).or(before.as_ref()).cloned()
    };
    let profile = &request.profile;
    WidgetVisitor {
        user_id: of(user.map(|user| &user.user_id), &None, &before.user_id),
        name: of(user.and_then(|user| user.name.as_ref()), &profile.name, &before.name),
        phone: of(user.and_then(|user| user.phone.as_ref()), &profile.phone, &before.phone),
        email: of(user.and_then(|user| user.email.as_ref()), &profile.email, &before.email),
        page_url: request.page.url.clone().or_else(|| before.page_url.clone()),
        page_title: request.page.title.clone().or_else(|| before.page_title.clone()),
        user_agent: request.user_agent.clone(),
        changed_at: now,
        ..before.clone()
    }
}

fn bounded(text: Option<String>, limit: usize) -> Option<String> {
    let text: String = text?.chars().filter(|c| !c.is_control()).take(limit).collect();
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn checked_profile(profile: Profile) -> Result<Profile, ApiError> {
    let email = bounded(profile.email, 200);
    if email.as_deref().is_some_and(|email| !looks_like_email(email)) {
        return Err(ApiError::invalid_field("profile.email", "This is no e-mail address."));
    }
    let phone =
        match bounded(profile.phone, 40) {
            Some(text) => Some(phone::normalize(&text).ok_or_else(|| {
                ApiError::invalid_field("profile.phone", "This is no phone number.")
            })?),
            None => None,
        };
    Ok(Profile { name: bounded(profile.name, 120), phone, email })
}

fn looks_like_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
    })
}

fn check_form(settings: &WidgetSettings, profile: &Profile) -> Result<(), ApiError> {
    let form = &settings.form;
    for (field, rule, given) in [
        ("profile.name", form.name, &profile.name),
        ("profile.phone", form.phone, &profile.phone),
        ("profile.email", form.email, &profile.email),
    ] {
        if rule == FormField::Required && given.is_none() {
            return Err(ApiError::invalid_field(field, "The form asks for it."));
        }
    }
    Ok(())
}

/// The address without what a browser keeps to itself.
fn checked_page(page: Page) -> Page {
    let url = page.url.as_deref().and_then(|text| url::Url::parse(text).ok());
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https")).map(|mut url| {
        url.set_fragment(None);
        let _ = url.set_password(None);
        let _ = url.set_username("");
        url.to_string().chars().take(1000).collect()
    });
    Page { url, title: bounded(page.title, 200) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_an_address_of_the_web_without_secrets() {
        let of = |url: &str| {
            checked_page(Page { url: Some(url.to_owned()), title: Some(" \0Курс ".to_owned()) })
        };
        let page = of("https://me:pass@shop.ru/a?utm=1#token");
        assert_eq!(page.url.as_deref(), Some("https://shop.ru/a?utm=1"));
        assert_eq!(page.title.as_deref(), Some("Курс"));
        for strange in ["javascript:alert(1)", "file:///etc/passwd", "nonsense", ""] {
            assert_eq!(of(strange).url, None, "{strange}");
        }
    }

    #[test]
    fn what_the_form_brings_is_checked() {
        let of = |phone: &str, email: &str| {
            checked_profile(Profile {
                name: Some("  ".to_owned()),
                phone: Some(phone.to_owned()),
                email: Some(email.to_owned()),
            })
        };
        let good = of("8 926 123-45-67", "a@b.ru").unwrap();
        assert_eq!(good.name, None);
        assert_eq!(good.phone.as_deref(), Some("79261234567"));
        assert!(of("нет", "a@b.ru").is_err());
        assert!(of("", "нет").is_err());
        assert!(of("", "").is_ok());
    }
}
