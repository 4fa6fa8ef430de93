import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Avatar } from '../../components/Avatar';
import { t } from '../../i18n';
import { clock, dateTime } from '../../i18n/format';
import classes from './NoteCard.module.css';
import { RichText } from './RichText';

/** A comment of a member, across the log: it cannot be taken for something the client sees. */
export function NoteCard({
  id,
  author,
  at,
  text,
  highlighted = false,
  children,
}: {
  id?: number;
  author: string;
  at: string;
  text: string;
  highlighted?: boolean;
  children?: ReactNode;
}) {
  return (
    <div className={classes.line} data-message={id}>
      <article
        className={`${classes.card} ${highlighted ? classes.highlighted : ''}`}
        aria-label={t('message.label.note', { author, time: clock(at) })}
      >
        <Avatar name={author} size={26} />
        <div className={classes.body}>
          <p className={classes.head}>
            <b>{author}</b>
            <span>
              <IconLock size={14} stroke={1.8} aria-hidden="true" />
              {t('message.note.unseen')}
            </span>
            <time dateTime={at} title={dateTime(at)}>
              {clock(at)}
            </time>
          </p>
          <RichText text={text} />
          {children}
        </div>
      </article>
    </div>
  );
}
