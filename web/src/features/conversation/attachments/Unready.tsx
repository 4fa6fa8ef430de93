import { Button } from '@mantine/core';
import { IconCloudDownload, IconCloudOff, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { type ApiError, asApiError } from '../../../api/error';
import { fetchAttachment } from '../../../api/files';
import type { Attachment } from '../../../api/types';
import { t, tByCode } from '../../../i18n';
import { sentenceOf } from '../../../i18n/errors';
import { bytes } from '../../../i18n/format';
import { isDeleted } from '../../channels/words';
import { useThread } from '../thread-context';
import classes from './attachments.module.css';

/** A file that is still at the provider, or that it does not hand out. */
export function Unready({ attachment }: { attachment: Attachment }) {
  const { workspace, channel } = useThread();
  const [asked, setAsked] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const name = attachment.file_name ?? t(`attachment.${attachment.kind}`);
  const pending = attachment.state === 'pending';

  const ask = async () => {
    setAsked(true);
    setError(null);
    try {
      await fetchAttachment(workspace.company.id, attachment.id);
    } catch (cause) {
      setError(asApiError(cause));
      setAsked(false);
    }
  };

  const why = attachment.failure
    ? (tByCode(`attachment.failure.${attachment.failure}`) ?? t('attachment.failure_other'))
    : t('attachment.failure_other');
  return (
    <div className={classes.file}>
      <span className={`${classes.icon} ${classes.other}`}>
        {pending ? (
          <IconCloudDownload size={22} stroke={1.6} aria-hidden="true" />
        ) : (
          <IconCloudOff size={22} stroke={1.6} aria-hidden="true" />
        )}
      </span>
      <span className={classes.names}>
        <b>{name}</b>
        <small>
          {pending
            ? t('attachment.pending')
            : error
              ? sentenceOf(error)
              : asked
                ? t('attachment.asked')
                : why}
          {pending && attachment.size_bytes !== null && ` · ${bytes(attachment.size_bytes)}`}
        </small>
      </span>
      {!pending && !asked && !isDeleted(channel) && (
        <Button
          size="compact-xs"
          variant="light"
          leftSection={<IconRefresh size={13} aria-hidden="true" />}
          onClick={() => void ask()}
        >
          {t('action.retry')}
        </Button>
      )}
    </div>
  );
}
