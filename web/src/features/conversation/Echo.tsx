import { Button } from '@mantine/core';
import { IconRefresh, IconTrash, IconX } from '@tabler/icons-react';
import { Avatar } from '../../components/Avatar';
import { Ticks } from '../../components/Ticks';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { bytes, clock } from '../../i18n/format';
import type { OutboxItem } from '../../state/outbox';
import { useStore } from '../../state/store';
import fileClasses from './attachments/attachments.module.css';
import { fileIcon } from './attachments/FileLine';
import classes from './Bubble.module.css';
import { NoteCard } from './NoteCard';
import { RichText } from './RichText';
import { useThread } from './thread-context';

/** A message that is on its way to the server. */
export function Echo({ item, first, last }: { item: OutboxItem; first: boolean; last: boolean }) {
  const { workspace } = useThread();
  const sent = useStore(workspace.outbox.store, (state) => state.progress[item.clientMessageId]);
  const { file, refusal } = item;
  const me = workspace.me.name;
  const icon = file && fileIcon(file.name, file.type);
  if (item.note) {
    return (
      <NoteCard author={me} at={item.createdAt} text={item.text}>
        {refusal ? (
          <Refused item={item} />
        ) : (
          <span className={classes.waiting}>
            <Ticks status="queued" />
          </span>
        )}
      </NoteCard>
    );
  }
  return (
    <div
      className={[classes.line, classes.out, first ? classes.first : '', last ? classes.last : ''].join(' ')}
      data-echo={item.clientMessageId}
    >
      <div className={classes.column} data-side="out">
        <article
          className={`${classes.bubble} ${refusal ? classes.failed : ''}`}
          aria-label={t('message.label.outgoing', { author: me, time: clock(item.createdAt) })}
        >
          {first && <div className={classes.author}>{me}</div>}
          {file && icon && (
            <div className={fileClasses.file}>
              <span className={`${fileClasses.icon} ${icon.look}`}>
                <icon.Icon size={22} stroke={1.6} aria-hidden="true" />
              </span>
              <span className={fileClasses.names}>
                <b>{file.name}</b>
                <small>
                  {sent !== undefined && item.attachmentId === null
                    ? t('message.uploading', {
                        sent: bytes(Math.min(sent, file.size)),
                        total: bytes(file.size),
                      })
                    : bytes(file.size)}
                </small>
                {sent !== undefined && item.attachmentId === null && !refusal && (
                  <span
                    className={fileClasses.bar}
                    role="progressbar"
                    aria-label={file.name}
                    aria-valuemin={0}
                    aria-valuemax={100}
                    aria-valuenow={percent(sent, file.size)}
                  >
                    <i style={{ width: `${percent(sent, file.size)}%` }} />
                  </span>
                )}
              </span>
              {item.attachmentId === null && !refusal && (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  color="gray"
                  aria-label={t('message.cancel_upload', { name: file.name })}
                  onClick={() => workspace.outbox.remove(item.clientMessageId)}
                >
                  <IconX size={16} aria-hidden="true" />
                </Button>
              )}
            </div>
          )}
          {item.text !== '' && <RichText text={item.text} />}
          <span className={classes.meta}>
            <time dateTime={item.createdAt}>{clock(item.createdAt)}</time>
            <Ticks status={refusal ? 'failed' : 'queued'} />
          </span>
        </article>
        {refusal && <Refused item={item} />}
      </div>
      <span className={classes.avatar}>{last && <Avatar name={me} size={26} />}</span>
    </div>
  );
}

/** Why the server does not take it, and what can be done about it. */
function Refused({ item }: { item: OutboxItem }) {
  const { workspace } = useThread();
  const { refusal } = item;
  if (!refusal) return null;
  return (
    <div className={classes.trouble}>
      <span role="alert">{sentenceOf(refusal)}</span>
      <Button
        size="compact-xs"
        variant="light"
        color="red"
        leftSection={<IconRefresh size={13} aria-hidden="true" />}
        onClick={() => workspace.outbox.retry(item.clientMessageId)}
      >
        {t('action.retry')}
      </Button>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        leftSection={<IconTrash size={13} aria-hidden="true" />}
        onClick={() => workspace.outbox.remove(item.clientMessageId)}
      >
        {t('action.delete')}
      </Button>
    </div>
  );
}

const percent = (sent: number, total: number) =>
  total > 0 ? Math.min(100, Math.round((sent / total) * 100)) : 0;
