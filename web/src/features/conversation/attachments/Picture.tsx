import { useState } from 'react';
import { attachmentUrl } from '../../../api/files';
import type { Attachment, Message } from '../../../api/types';
import { t } from '../../../i18n';
import { useThread } from '../thread-context';
import { openViewer } from '../viewer';
import classes from './attachments.module.css';
import { FileLine } from './FileLine';

const WIDEST = 340;
const TALLEST = 360;

/** The size on screen is known before the picture is here, so that nothing moves when it comes. */
export function boxOf(attachment: Attachment, widest = WIDEST, tallest = TALLEST) {
  const width = attachment.width ?? 320;
  const height = attachment.height ?? 240;
  const scale = Math.min(1, widest / width, tallest / height);
  return {
    width: Math.max(120, Math.round(width * scale)),
    height: Math.max(60, Math.round(height * scale)),
  };
}

export function Picture({
  attachment,
  message,
  sticker = false,
}: {
  attachment: Attachment;
  message: Message;
  sticker?: boolean;
}) {
  const { workspace } = useThread();
  const [broken, setBroken] = useState(false);
  const url = attachmentUrl(workspace.company.id, attachment.id);
  if (broken) return <FileLine attachment={attachment} />;
  const box = sticker ? boxOf(attachment, 160, 160) : boxOf(attachment);
  const image = (
    <img
      src={url}
      alt={sticker ? (attachment.emoji ?? t('attachment.sticker')) : t('attachment.photo')}
      {...box}
      loading="lazy"
      decoding="async"
      className={sticker ? classes.sticker : classes.picture}
      onError={() => setBroken(true)}
    />
  );
  if (sticker) return image;
  return (
    <button
      type="button"
      className={classes.open}
      style={box}
      aria-label={t('attachment.open_photo')}
      onClick={() => openViewer({ company: workspace.company.id, message, attachmentId: attachment.id })}
    >
      {image}
    </button>
  );
}

/** Parts of an album as one mosaic: the first one large. */
export function Mosaic({ parts }: { parts: { attachment: Attachment; message: Message }[] }) {
  const { workspace } = useThread();
  return (
    <div className={`${classes.mosaic} ${parts.length === 2 ? classes.pair : ''}`}>
      {parts.map(({ attachment, message }) => (
        <button
          key={attachment.id}
          type="button"
          aria-label={attachment.kind === 'photo' ? t('attachment.open_photo') : t('attachment.open_video')}
          onClick={() => openViewer({ company: workspace.company.id, message, attachmentId: attachment.id })}
        >
          {attachment.kind === 'photo' ? (
            <img
              src={attachmentUrl(workspace.company.id, attachment.id)}
              alt={t('attachment.photo')}
              loading="lazy"
            />
          ) : (
            <video
              src={attachmentUrl(workspace.company.id, attachment.id)}
              preload="metadata"
              muted
              aria-label={t('attachment.video')}
            />
          )}
        </button>
      ))}
    </div>
  );
}
