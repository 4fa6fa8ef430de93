import { IconPaperclip } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { QuickReply } from '../../api/types';
import { t } from '../../i18n';
import { bytes } from '../../i18n/format';
import { useThread } from '../conversation/thread-context';
import { memberName } from '../conversation/words';
import classes from './QuickReplyList.module.css';
import { fill, LIST_ID, optionId } from './quick-replies';

/** Quick replies that fit what was typed, and how the chosen one will look to the client. */
export default function QuickReplyList({
  found,
  total,
  active,
  onActive,
  onChoose,
}: {
  found: readonly QuickReply[];
  total: number;
  active: number;
  onActive: (place: number) => void;
  onChoose: (chosen: QuickReply) => void;
}) {
  const { workspace, conversation, members } = useThread();
  const chosen = found[active];
  const list = useRef<HTMLDivElement>(null);
  const shown = chosen?.id;
  useEffect(() => {
    if (shown !== undefined) document.getElementById(optionId(shown))?.scrollIntoView({ block: 'nearest' });
  }, [shown]);

  return (
    <div className={classes.panel}>
      <div className={classes.side}>
        <div className={classes.head}>
          <span>{t('quick_replies.title')}</span>
          <span>{t('quick_replies.found', { count: found.length, total })}</span>
        </div>
        {total === 0 ? (
          <p className={classes.none}>
            {t('quick_replies.none')}{' '}
            <Link to="/c/$company/quick-replies" params={{ company: String(workspace.company.id) }}>
              {t('quick_replies.add_first')}
            </Link>
          </p>
        ) : (
          <div
            ref={list}
            id={LIST_ID}
            role="listbox"
            aria-label={t('quick_replies.title')}
            className={classes.list}
          >
            {found.map((one, place) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the field walk the list
              <div
                key={one.id}
                id={optionId(one.id)}
                role="option"
                tabIndex={-1}
                aria-selected={place === active}
                className={`${classes.option} ${place === active ? classes.active : ''}`}
                onPointerMove={() => onActive(place)}
                // The focus stays in the field.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => onChoose(one)}
              >
                <b>{one.name}</b>
                {one.file && <IconPaperclip size={14} stroke={1.8} aria-hidden="true" />}
                <span>{one.text}</span>
              </div>
            ))}
          </div>
        )}
        <p className={classes.keys} aria-hidden="true">
          <kbd>↑</kbd> <kbd>↓</kbd> {t('quick_replies.keys.choose')} <kbd>Enter</kbd>{' '}
          {t('quick_replies.keys.insert')} <kbd>Esc</kbd> {t('quick_replies.keys.close')}
        </p>
      </div>
      {chosen && (
        <div className={classes.preview}>
          <span className={classes.head}>{t('quick_replies.preview')}</span>
          <div className={classes.bubble} dir="auto">
            {fill(chosen.text, conversation)}
          </div>
          {chosen.file && (
            <p className={classes.file}>
              <IconPaperclip size={16} stroke={1.8} aria-hidden="true" />
              <span>{chosen.file.name}</span>
              <small>{bytes(chosen.file.size_bytes)}</small>
            </p>
          )}
          <small className={classes.by}>{memberName(members, chosen.author_member_id)}</small>
        </div>
      )}
    </div>
  );
}
