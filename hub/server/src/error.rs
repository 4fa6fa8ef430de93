//! How a request fails: one envelope, one table of codes.
//!
//! A code is stable and translated by the interface; the detail is English for whoever reads the
//! answer of the API. 4xx says what to change, 5xx says nothing but the request's id: its cause goes to
//! the log, once, here.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

tokio::task_local! {
    /// The id of the request being answered, set by the outermost layer.
    pub static REQUEST_ID: String;
}

macro_rules! codes {
    ($($name:ident $status:literal $text:literal $detail:literal,)+) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($name,)+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            pub fn status(self) -> StatusCode {
                let status = match self { $(Self::$name => $status,)+ };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// What the answer says unless something more exact is known.
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)+ }
            }
        }
    };
}

codes! {
    // Who asks
    Unauthenticated 401 "unauthenticated" "Sign in first.",
    Csrf 403 "csrf" "The request does not prove that it comes from this interface: send the X-CSRF-Token header of your session, from our own pages.",
    Forbidden 403 "forbidden" "Your role does not allow this.",
    NotFound 404 "not_found" "There is nothing here.",
    WebhookSecretWrong 401 "webhook_secret_wrong" "The call does not carry the secret of this channel.",
    // What is asked
    MethodNotAllowed 405 "method_not_allowed" "This address does not take that method.",
    UnsupportedMediaType 415 "unsupported_media_type" "Send the body as application/json.",
    InvalidJson 400 "invalid_json" "The body is not valid JSON.",
    InvalidRequest 422 "invalid_request" "A field is missing or of the wrong kind.",
    BodyTooLarge 413 "body_too_large" "The body is too large.",
    RequestTimeout 408 "request_timeout" "The body did not arrive in time.",
    RateLimited 429 "rate_limited" "Too many requests; wait before the next one.",
    // Sign-in
    SetupLinkInvalid 404 "setup_link_invalid" "This set-up link was used or never existed.",
    SignInLinkInvalid 404 "sign_in_link_invalid" "This sign-in link was used, has expired or never existed.",
    PhoneInvalid 422 "phone_invalid" "This is not a phone number we can send a code to.",
    CodeWrong 422 "code_wrong" "This is not the code.",
    CodeExpired 422 "code_expired" "The code has expired; ask for another one.",
    CodeTooManyAttempts 422 "code_too_many_attempts" "Too many wrong tries; ask for another code.",
    CodeResendTooEarly 429 "code_resend_too_early" "A code was sent just now; wait before asking for another one.",
    NameInvalid 422 "name_invalid" "A name has 1 to 120 characters.",
    // Channels
    CredentialMalformed 422 "credential_malformed" "The credential does not have the right form.",
    CredentialRefused 422 "credential_refused" "The provider does not accept this credential.",
    CredentialOfOtherAccount 422 "credential_of_other_account" "This credential belongs to another account.",
    ProviderUnreachable 502 "provider_unreachable" "The provider does not answer; try again later.",
    ChannelExists 409 "channel_exists" "This account is already connected.",
    ChannelDisabled 409 "channel_disabled" "The channel is disabled.",
    ChannelDeleted 409 "channel_deleted" "The channel was deleted.",
    ChannelKindUnknown 422 "channel_kind_unknown" "This kind of channel cannot be connected.",
    PublicUrlNeeded 422 "public_url_needed" "Webhooks need a public address of this server; use polling.",
    // Messages
    TextEmpty 422 "text_empty" "A message needs text or a file.",
    TextTooLong 422 "text_too_long" "The text is too long for this channel.",
    CaptionTooLong 422 "caption_too_long" "The text under a file is too long for this channel.",
    ClientMessageIdInvalid 422 "client_message_id_invalid" "client_message_id has 1 to 64 characters.",
    ClientMessageIdConflict 409 "client_message_id_conflict" "Another message was sent under this client_message_id.",
    ConversationUnreachable 409 "conversation_unreachable" "The client does not take messages from this channel.",
    NotOutgoing 409 "not_outgoing" "Only messages of your side can be changed.",
    StatusConflict 409 "status_conflict" "This is not possible in the present state of the message.",
    EditNotSupported 409 "edit_not_supported" "This channel cannot edit messages.",
    DeleteNotSupported 409 "delete_not_supported" "This channel cannot delete messages.",
    NoteEmpty 422 "note_empty" "A comment needs text.",
    NoteTooLong 422 "note_too_long" "The comment is too long.",
    DraftTooLong 422 "draft_too_long" "The draft is too long.",
    // Clients
    ContactPhoneInvalid 422 "contact_phone_invalid" "This is not a phone number.",
    CommentTooLong 422 "comment_too_long" "The comment on the client is too long.",
    CommentConflict 409 "comment_conflict" "Somebody else has changed the comment; `params.comment` is what it says now.",
    // Quick replies
    QuickReplyNameInvalid 422 "quick_reply_name_invalid" "A template has a name of 1 to 120 characters.",
    QuickReplyEmpty 422 "quick_reply_empty" "A template needs text.",
    QuickReplyTooLong 422 "quick_reply_too_long" "The text of the template is too long.",
    TooManyQuickReplies 409 "too_many_quick_replies" "There is no room for another template; delete some.",
    // Files
    FileTooBig 413 "file_too_big" "The file is too big.",
    FileKindRefused 415 "file_kind_refused" "This channel does not take files of this kind.",
    FileEmpty 422 "file_empty" "The file is empty.",
    FileNotReady 409 "file_not_ready" "The file is not here yet.",
    // Site widget
    OriginNotAllowed 403 "origin_not_allowed" "This widget may not be shown on this site.",
    VisitorTokenInvalid 401 "visitor_token_invalid" "This is not the token of a visitor of this widget.",
    IdentityNotBelieved 401 "identity_not_believed" "The site's token for its user is not signed with the secret of this widget, or has expired.",
    WidgetSettingInvalid 422 "widget_setting_invalid" "This setting cannot be kept.",
    ColourTooLight 422 "colour_too_light" "White text cannot be read on this colour; take a darker one.",
    OriginInvalid 422 "origin_invalid" "This is not the address of a site, as https://shop.ru.",
    // Us
    Internal 500 "internal" "Something went wrong on our side.",
    Unavailable 503 "unavailable" "The server cannot take this now; try again in a moment.",
}

/// A refusal or a failure, as the client gets it.
#[derive(Debug)]
pub struct ApiError {
    pub code: Code,
    detail: Option<Cow<'static, str>>,
    field: Option<Cow<'static, str>>,
    params: serde_json::Map<String, Value>,
    retry_after_seconds: Option<u64>,
    source: Option<anyhow::Error>,
    status: Option<StatusCode>,
}

impl ApiError {
    pub fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            field: None,
            params: serde_json::Map::new(),
            retry_after_seconds: None,
            source: None,
            status: None,
        }
    }

    /// Our fault. The cause is logged and not told.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        Self { source: Some(source.into()), ..Self::new(Code::Internal) }
    }

    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// A field that is missing or cannot be read.
    pub fn invalid_field(
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Code::InvalidRequest).field(field).detail(detail)
    }

    /// Too early; `params` and the header say how long to wait.
    pub fn wait(code: Code, seconds: u64) -> Self {
        let seconds = seconds.max(1);
        let error = Self::new(code).param("retry_after_seconds", seconds);
        Self { retry_after_seconds: Some(seconds), ..error }
    }

    /// Overloaded or on the way down.
    pub fn unavailable() -> Self {
        Self { retry_after_seconds: Some(1), ..Self::new(Code::Unavailable) }
    }

    /// Something more exact than the code's own sentence. Never repeats secrets or message text.
    pub fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub fn field(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    pub fn param(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// One refusal among the answers of a call that asked for many things.
    pub fn into_item(self) -> ErrorItem {
        if let Some(source) = &self.source {
            tracing::error!(error = format!("{source:#}"), "request failed");
        }
        ErrorItem {
            code: self.code.as_str(),
            detail: self.detail.unwrap_or(Cow::Borrowed(self.code.detail())).into_owned(),
            field: self.field.map(Cow::into_owned),
            params: (!self.params.is_empty()).then_some(self.params),
        }
    }

    /// The same code under another status, where the form rather than the content is wrong.
    pub fn status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let detail = self.detail.as_deref().unwrap_or(self.code.detail());
        write!(f, "{}: {detail}", self.code.as_str())
    }
}

impl std::error::Error for ApiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(AsRef::as_ref)
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<hub_store::StoreError> for ApiError {
    fn from(error: hub_store::StoreError) -> Self {
        match error {
            hub_store::StoreError::Closed => Self::unavailable(),
            hub_store::StoreError::ChannelDeleted => Code::ChannelDeleted.into(),
            error => Self::internal(error),
        }
    }
}

/// The body of every refusal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    pub errors: Vec<ErrorItem>,
    /// Tell it to whoever runs the server: the log has the rest under it.
    #[schema(example = "k3v9x2c81m0q")]
    pub request_id: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorItem {
    /// Stable; what programs and translations go by.
    #[schema(example = "text_too_long")]
    pub code: &'static str,
    /// For people, in English.
    pub detail: String,
    /// The field the refusal is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Numbers that belong to the code (`limit`, `retry_after_seconds`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub params: Option<serde_json::Map<String, Value>>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status.unwrap_or_else(|| self.code.status());
        let retry_after_seconds = self.retry_after_seconds;
        let request_id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
        let body = ErrorBody { errors: vec![self.into_item()], request_id };
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_errors() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{}", code.as_str());
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[tokio::test]
    async fn a_failure_of_ours_tells_nothing_but_the_request_id() {
        let error = ApiError::internal(anyhow::anyhow!("password of the database is hunter2"));
        let response = REQUEST_ID.scope("abc".into(), async { error.into_response() }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
        let body: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "errors": [{ "code": "internal", "detail": "Something went wrong on our side." }],
                "request_id": "abc",
            })
        );
    }
}
