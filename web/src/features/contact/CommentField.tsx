import { ActionIcon, Button, Textarea } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import type { Conversation } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import classes from './ContactPanel.module.css';
import { useCardField } from './useCardField';

const LIMIT = 2000;

/** What colleagues know about the client. Two who write at once see each other's words and choose. */
export function CommentField({ conversation }: { conversation: Conversation }) {
  const { comment } = conversation.contact;
  const { editing, text, theirs, busy, error, begin, write, save, cancel } = useCardField(
    conversation,
    'comment',
    comment,
  );
  const pencil = useRef<HTMLButtonElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    if (!asked.current) return;
    asked.current = false;
    if (!editing) pencil.current?.focus();
    else if (field.current) {
      field.current.focus();
      field.current.setSelectionRange(field.current.value.length, field.current.value.length);
    }
  }, [editing]);
  const leave = () => {
    asked.current = true;
    cancel();
  };
  const finish = async (over?: string) => {
    asked.current = true;
    if (!(await save(over))) asked.current = false;
  };

  if (!editing) {
    return (
      <dd>
        <div className={classes.comment}>
          {comment ? <p dir="auto">{comment}</p> : <p className={classes.dim}>{t('contact.no_comment')}</p>}
          <ActionIcon
            ref={pencil}
            size={24}
            className={classes.pencil}
            aria-label={t('contact.change', { field: t('contact.comment') })}
            onClick={() => {
              asked.current = true;
              begin();
            }}
          >
            <IconPencil size={15} stroke={1.8} aria-hidden="true" />
          </ActionIcon>
        </div>
      </dd>
    );
  }
  return (
    <dd>
      <form
        className={classes.area}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void finish();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.stopPropagation();
            leave();
          } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && theirs === null) {
            event.preventDefault();
            void finish();
          }
        }}
      >
        <Textarea
          ref={field}
          aria-label={t('contact.comment')}
          value={text}
          maxLength={LIMIT}
          autosize
          minRows={3}
          maxRows={10}
          error={error ? sentenceOf(error) : undefined}
          onChange={(event) => write(event.currentTarget.value)}
        />
        {theirs === null ? (
          <div className={classes.foot}>
            <Button type="submit" size="compact-sm" loading={busy}>
              {t('action.save')}
            </Button>
            <Button size="compact-sm" variant="subtle" color="gray" onClick={leave}>
              {t('action.cancel')}
            </Button>
          </div>
        ) : (
          <div className={classes.quarrel} role="alert">
            <b>{t('contact.comment_conflict')}</b>
            <blockquote dir="auto">{theirs || t('contact.comment_removed')}</blockquote>
            <div className={classes.foot}>
              <Button size="compact-sm" loading={busy} onClick={() => void finish(theirs)}>
                {t('contact.keep_mine')}
              </Button>
              <Button size="compact-sm" variant="default" onClick={leave}>
                {t('contact.take_theirs')}
              </Button>
            </div>
          </div>
        )}
      </form>
    </dd>
  );
}
