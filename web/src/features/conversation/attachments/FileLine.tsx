import {
  IconDownload,
  IconFile,
  IconFileTypePdf,
  IconFileTypeXls,
  IconPhoto,
  IconVideo,
} from '@tabler/icons-react';
import { attachmentUrl } from '../../../api/files';
import type { Attachment } from '../../../api/types';
import { t } from '../../../i18n';
import { bytes } from '../../../i18n/format';
import { useThread } from '../thread-context';
import classes from './attachments.module.css';

export function fileIcon(name: string, mime: string | null) {
  if (mime === 'application/pdf' || /\.pdf$/i.test(name)) return { Icon: IconFileTypePdf, look: classes.pdf };
  if (/\.(?:xlsx?|csv|ods)$/i.test(name)) return { Icon: IconFileTypeXls, look: classes.sheet };
  if (mime?.startsWith('video/')) return { Icon: IconVideo, look: classes.other };
  if (mime?.startsWith('image/')) return { Icon: IconPhoto, look: classes.other };
  return { Icon: IconFile, look: classes.other };
}

export function FileLine({ attachment }: { attachment: Attachment }) {
  const { workspace } = useThread();
  const name = attachment.file_name ?? t('attachment.document');
  const { Icon, look } = fileIcon(name, attachment.mime_type);
  return (
    <a
      className={classes.file}
      href={attachmentUrl(workspace.company.id, attachment.id)}
      download={name}
      aria-label={t('attachment.download', { name })}
    >
      <span className={`${classes.icon} ${look}`}>
        <Icon size={22} stroke={1.6} aria-hidden="true" />
      </span>
      <span className={classes.names}>
        <b>{name}</b>
        {attachment.size_bytes !== null && <small>{bytes(attachment.size_bytes)}</small>}
      </span>
      <IconDownload size={18} stroke={1.7} aria-hidden="true" className={classes.download} />
    </a>
  );
}
