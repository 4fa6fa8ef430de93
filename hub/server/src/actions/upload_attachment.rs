//! A member's file for a message still to be written. Its bytes are stored already; refused ones are
//! removed by the caller.

use hub_domain::channel::{Capabilities, Channel, MediaLimit};
use hub_domain::{Attachment, AttachmentKind, AttachmentState, ChannelId, MemberId, Scope};
use hub_store::Store;
use hub_store::records::NewAttachment;

use super::send_message::check_file;
use crate::error::{ApiError, Code};
use crate::files::StoredFile;

/// Longest file name, in characters.
const FILE_NAME_LIMIT: usize = 200;

/// A file as it was sent.
#[derive(Debug, Clone)]
pub struct Upload {
    pub channel_id: ChannelId,
    pub stored: StoredFile,
    pub file_name: String,
    /// As the member wants it shown; by its content unless given.
    pub kind: Option<AttachmentKind>,
}

/// Checks the file against what the channel can send and keeps what is known of it.
pub async fn upload_attachment(
    store: &Store,
    scope: &Scope,
    upload: Upload,
) -> Result<Attachment, ApiError> {
    let channel_id = upload.channel_id;
    if !scope.sees_channel(Some(channel_id)) {
        return Err(unknown_channel());
    }
    let channel = store.reader().await?.db().channel(scope.company_id, channel_id).await?;
    let channel = channel.ok_or_else(unknown_channel)?;
    keep_attachment(store, &channel, Some(scope.member_id), upload).await
}

/// Keeps what is known of a file that is stored, for a message still to be written on this channel.
/// `uploaded_by` `None`: by a client.
pub async fn keep_attachment(
    store: &Store,
    channel: &Channel,
    uploaded_by: Option<MemberId>,
    upload: Upload,
) -> Result<Attachment, ApiError> {
    if channel.deleted_at.is_some() {
        return Err(ApiError::new(Code::ChannelDeleted).field("channel_id"));
    }
    let mime_type =
        upload.stored.mime_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    let size_bytes = upload.stored.size_bytes;
    let picture = upload.stored.picture;
    let (width, height) = (picture.map(|size| size.width), picture.map(|size| size.height));
    if size_bytes == 0 {
        return Err(ApiError::new(Code::FileEmpty).field("file"));
    }
    let kind = kind_of(&channel.capabilities, upload.kind, &mime_type, size_bytes)?;
    let file_name = clean_name(&upload.file_name);
    let new = NewAttachment {
        company_id: channel.company_id,
        channel_id: channel.id,
        uploaded_by,
        kind,
        file_key: upload.stored.key,
        file_name: file_name.clone(),
        mime_type: mime_type.clone(),
        size_bytes,
        width,
        height,
        created_at: store.clock().now(),
    };
    let id = store
        .write(channel.company_id, move |tx| {
            Box::pin(async move { tx.db().insert_attachment(&new).await.map_err(ApiError::from) })
        })
        .await?;
    Ok(Attachment {
        id,
        kind,
        state: AttachmentState::Ready,
        failure: None,
        file_name: Some(file_name),
        mime_type: Some(mime_type),
        size_bytes: Some(size_bytes),
        width,
        height,
        duration_seconds: None,
        emoji: None,
    })
}

fn unknown_channel() -> ApiError {
    ApiError::not_found().field("channel_id")
}

/// The kind asked for, when the channel takes such a file as that; else the best one by its content,
/// which for a photo too large to be one is a document.
fn kind_of(
    capabilities: &Capabilities,
    asked: Option<AttachmentKind>,
    mime_type: &str,
    size_bytes: i64,
) -> Result<AttachmentKind, ApiError> {
    if let Some(kind) = asked {
        check_file(capabilities, kind, size_bytes)?;
        let takes = capabilities.media_limit(kind).is_some_and(|limit| takes(limit, mime_type));
        return if takes { Ok(kind) } else { Err(refused(kind, mime_type)) };
    }
    let guess = match mime_type.split('/').next() {
        Some("image") => AttachmentKind::Photo,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        _ => AttachmentKind::Document,
    };
    let fits = |kind: AttachmentKind| {
        capabilities
            .media_limit(kind)
            .is_some_and(|limit| size_bytes <= limit.max_bytes && takes(limit, mime_type))
    };
    if fits(guess) {
        return Ok(guess);
    }
    check_file(capabilities, AttachmentKind::Document, size_bytes)?;
    if fits(AttachmentKind::Document) {
        Ok(AttachmentKind::Document)
    } else {
        Err(refused(AttachmentKind::Document, mime_type))
    }
}

fn refused(kind: AttachmentKind, mime_type: &str) -> ApiError {
    ApiError::new(Code::FileKindRefused)
        .field("file")
        .param("kind", kind.as_str())
        .param("mime_type", mime_type)
}

fn takes(limit: &MediaLimit, mime_type: &str) -> bool {
    limit.mime_types.is_empty()
        || limit.mime_types.iter().any(|accepted| match accepted.strip_suffix("/*") {
            Some(family) => mime_type.split('/').next() == Some(family),
            None => accepted == mime_type,
        })
}

/// A name without folders and without what cannot be seen.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // Marks that turn the direction of writing make `exe.jpg` look like `gpj.exe`.
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let clean: String =
        last.chars().filter(|c| !c.is_control() && !turns(*c)).take(FILE_NAME_LIMIT).collect();
    let clean = clean.trim().trim_start_matches('.');
    if clean.is_empty() { "file".to_owned() } else { clean.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities() -> Capabilities {
        let limit = |kind, max_bytes, mime_types: &[&str]| MediaLimit {
            kind,
            max_bytes,
            mime_types: mime_types.iter().map(|text| (*text).to_owned()).collect(),
        };
        Capabilities {
            text_limit: 4096,
            caption_limit: 1024,
            media: vec![
                limit(AttachmentKind::Photo, 10, &["image/jpeg", "image/png"]),
                limit(AttachmentKind::Video, 20, &["video/*"]),
                limit(AttachmentKind::Document, 50, &[]),
            ],
            download_limit_bytes: 20,
            reply: true,
            edit: true,
            delete: true,
            reactions: false,
            delivered_receipts: false,
            read_receipts: false,
            write_first: false,
            sends_per_second: 25,
        }
    }

    #[test]
    fn a_file_is_what_it_contains_as_far_as_the_channel_takes_it() {
        let of = |mime, size| kind_of(&capabilities(), None, mime, size).unwrap();
        assert_eq!(of("image/png", 10), AttachmentKind::Photo);
        assert_eq!(of("image/png", 11), AttachmentKind::Document);
        assert_eq!(of("image/svg+xml", 5), AttachmentKind::Document);
        assert_eq!(of("video/mp4", 20), AttachmentKind::Video);
        assert_eq!(of("audio/mpeg", 5), AttachmentKind::Document);
        assert_eq!(of("application/pdf", 5), AttachmentKind::Document);
        let too_big = kind_of(&capabilities(), None, "image/png", 51).unwrap_err();
        assert_eq!(too_big.code, Code::FileTooBig);
    }

    #[test]
    fn a_kind_asked_for_is_kept_or_refused_never_changed() {
        let of = |kind, mime, size| kind_of(&capabilities(), Some(kind), mime, size);
        assert_eq!(of(AttachmentKind::Document, "image/png", 5).unwrap(), AttachmentKind::Document);
        let refused = of(AttachmentKind::Photo, "application/pdf", 5).unwrap_err();
        assert_eq!(refused.code, Code::FileKindRefused);
        let refused = of(AttachmentKind::Sticker, "image/webp", 5).unwrap_err();
        assert_eq!(refused.code, Code::FileKindRefused);
        assert_eq!(of(AttachmentKind::Photo, "image/png", 11).unwrap_err().code, Code::FileTooBig);
    }

    #[test]
    fn a_name_carries_no_folder_and_nothing_unseen() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\secret\\a.txt"), "a.txt");
        assert_eq!(clean_name("photo\u{202E}gpj.exe\0"), "photogpj.exe");
        assert_eq!(clean_name(" .. "), "file");
        assert_eq!(clean_name("Программа 5 класс.pdf"), "Программа 5 класс.pdf");
    }
}
