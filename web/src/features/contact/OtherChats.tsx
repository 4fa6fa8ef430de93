import { IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { listContactConversations } from '../../api/contacts';
import { type ApiError, asApiError } from '../../api/error';
import type { Conversation } from '../../api/types';
import { ChannelBadge } from '../../components/ChannelBadge';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { dateTime, rowTime } from '../../i18n/format';
import { useStore } from '../../state/store';
import { isDeleted } from '../channels/words';
import { contactName } from '../conversation/words';
import { useMessagesRoute } from '../inbox/useMessagesRoute';
import { useInside } from '../shell/workspace-context';
import classes from './ContactPanel.module.css';

/** The client's chats on other channels, and those of clients with the same phone. */
export function OtherChats({ conversation }: { conversation: Conversation }) {
  const { workspace } = useInside();
  const { params } = useMessagesRoute();
  const { id, contact } = conversation;
  const [found, setFound] = useState<readonly number[]>([]);
  const [error, setError] = useState<ApiError | null>(null);
  const company = workspace.company.id;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another phone brings other chats
  useEffect(() => {
    let outdated = false;
    listContactConversations(company, contact.id).then(
      ({ items }) => {
        if (outdated) return;
        workspace.absorb({ conversations: items });
        setFound(items.map((item) => item.id));
        setError(null);
      },
      (cause) => !outdated && setError(asApiError(cause)),
    );
    return () => {
      outdated = true;
    };
  }, [workspace, company, contact.id, contact.phone]);

  const held = useStore(workspace.store, (state) => state.entities.conversations);
  const channels = useStore(workspace.store, (state) => state.entities.channels);
  const others = useMemo(
    () => found.flatMap((other) => (other !== id && held[other] ? [held[other]] : [])),
    [found, id, held],
  );
  if (error) {
    return (
      <section className={classes.others} aria-label={t('contact.other_chats')}>
        <h3>{t('contact.other_chats')}</h3>
        <p className={classes.dim}>{sentenceOf(error)}</p>
      </section>
    );
  }
  if (others.length === 0) return null;
  return (
    <section className={classes.others} aria-label={t('contact.other_chats')}>
      <h3>{t('contact.other_chats')}</h3>
      <ul>
        {others.map((other) => {
          const channel = channels[other.channel_id];
          const last = other.last_message?.sent_at ?? other.created_at;
          return (
            <li key={other.id}>
              <Link
                to="/c/$company/messages/$conversation"
                params={{ ...params, conversation: String(other.id) }}
                className={classes.other}
              >
                {channel && <ChannelBadge kind={channel.kind} size={28} deleted={isDeleted(channel)} />}
                <span>
                  <span>{channel?.name ?? contactName(other)}</span>
                  <small title={dateTime(last)}>
                    {other.contact.id !== contact.id && `${contactName(other)} · `}
                    {t('contact.last_at', { time: rowTime(last) })}
                  </small>
                </span>
                <IconChevronRight size={18} stroke={1.7} aria-hidden="true" />
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
