import { attachmentUrl } from '../../../api/files';
import type { Attachment } from '../../../api/types';
import { t } from '../../../i18n';
import { useThread } from '../thread-context';
import classes from './attachments.module.css';
import { boxOf } from './Picture';

export function VideoBox({ attachment }: { attachment: Attachment }) {
  const { workspace } = useThread();
  const url = attachmentUrl(workspace.company.id, attachment.id);
  const round = attachment.kind === 'video_note';
  const silent = attachment.kind === 'animation' || attachment.kind === 'sticker';
  const box = round
    ? { width: 200, height: 200 }
    : boxOf(attachment, attachment.kind === 'sticker' ? 160 : 320, attachment.kind === 'sticker' ? 160 : 320);
  return (
    <video
      src={url}
      {...box}
      className={round ? classes.round : classes.video}
      controls={!silent}
      muted={silent}
      loop={silent}
      autoPlay={silent && !matchMedia('(prefers-reduced-motion: reduce)').matches}
      playsInline
      preload="metadata"
      aria-label={silent ? t('attachment.animation') : t('attachment.video')}
    />
  );
}
