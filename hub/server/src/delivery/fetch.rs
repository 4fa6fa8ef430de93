//! Files of clients on their way into our files.

use hub_domain::AttachmentId;
use hub_store::StoreError;
use hub_store::records::Delivery;

use super::engine::{EngineParts, Ready, channel_for};
use super::outcome::Outcome;
use crate::files::FilesError;

pub async fn fetch(parts: &EngineParts, delivery: &Delivery) -> Result<Outcome, StoreError> {
    let gone = || Outcome::refused("subject_gone", "the file is not wanted any more");
    let Some(company) = delivery.company_id else { return Ok(gone()) };
    let id = AttachmentId(delivery.subject_id);
    let record = parts.store.reader().await?.db().attachment(company, id).await?;
    let Some(record) = record else { return Ok(gone()) };
    let Some(file_ref) = &record.file_ref else { return Ok(gone()) };
    let Ready { channel, driver, access } = match channel_for(parts, record.channel_id).await? {
        Ok(ready) => ready,
        Err(outcome) => return Ok(outcome),
    };
    let download = match driver.download(&access, file_ref).await {
        Ok(download) => download,
        Err(error) => return Ok(error.into()),
    };
    let limit = channel.capabilities.download_limit_bytes.unsigned_abs().min(parts.max_file_bytes);
    let claimed = record.attachment.mime_type.clone().or(download.mime_type);
    Ok(match parts.files.put(company, download.bytes, limit, claimed).await {
        Ok(file) => Outcome::Fetched(file),
        Err(FilesError::TooBig { .. }) => {
            Outcome::refused("file_too_big", "the file is larger than is taken in")
        }
        Err(FilesError::Source(detail)) => Outcome::retry("download_interrupted", detail),
        Err(error) => {
            tracing::error!(%error, attachment.id = id.0, "a file cannot be stored");
            Outcome::retry("file_storage_failed", "the file could not be stored")
        }
    })
}
