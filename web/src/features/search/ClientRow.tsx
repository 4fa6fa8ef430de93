import type { ReactNode } from 'react';
import { Avatar } from '../../components/Avatar';
import { ChannelBadge } from '../../components/ChannelBadge';
import { t } from '../../i18n';
import { dateTime, phone, rowTime } from '../../i18n/format';
import { useStore } from '../../state/store';
import { isDeleted } from '../channels/words';
import { contactName, previewText } from '../conversation/words';
import { useInside } from '../shell/workspace-context';
import { Marked } from './Marked';
import { marked, markedNumber } from './match';
import classes from './Palette.module.css';

/** A client that was found: what is known, with what was asked for marked; the chat it opens. */
export function ClientRow({ id, query }: { id: number; query: string }) {
  const { workspace } = useInside();
  const conversation = useStore(workspace.store, (state) => state.entities.conversations[id]);
  const channel = useStore(workspace.store, (state) =>
    conversation ? state.entities.channels[conversation.channel_id] : undefined,
  );
  if (!conversation) return null;
  const { contact, last_message: last } = conversation;
  const details: [string, ReactNode][] = [];
  if (contact.phone && contact.name.trim() !== '') {
    details.push(['phone', <Marked key="phone" pieces={markedNumber(phone(contact.phone), query)} />]);
  }
  if (contact.username) {
    details.push(['username', <Marked key="username" pieces={marked(`@${contact.username}`, query)} />]);
  }
  if (contact.comment) {
    details.push(['comment', <Marked key="comment" pieces={excerpt(contact.comment, query)} />]);
  }
  if (details.length === 0 && last) details.push(['last', previewText(last)]);
  const name = contactName(conversation);
  return (
    <>
      <Avatar
        name={contact.name}
        size={36}
        badge={channel && <ChannelBadge kind={channel.kind} size={15} ring deleted={isDeleted(channel)} />}
      />
      <span className={classes.client}>
        <b dir="auto">
          <Marked pieces={contact.name.trim() === '' ? markedNumber(name, query) : marked(name, query)} />
        </b>
        <small>
          {details.map(([key, detail], index) => (
            <span key={key}>
              {index > 0 && ' · '}
              {detail}
            </span>
          ))}
        </small>
      </span>
      {conversation.state === 'archived' && <small className={classes.aside}>{t('search.archived')}</small>}
      {last && (
        <time className={classes.aside} dateTime={last.sent_at} title={dateTime(last.sent_at)}>
          {rowTime(last.sent_at)}
        </time>
      )}
    </>
  );
}

/** A comment from a little before its first mark on. */
function excerpt(comment: string, query: string) {
  const pieces = marked(comment.replace(/\s+/g, ' '), query);
  const [first, ...rest] = pieces;
  if (!first || first.hit || rest.length === 0 || first.text.length <= 24) return pieces;
  return [{ text: `…${first.text.slice(-20)}`, hit: false }, ...rest];
}
