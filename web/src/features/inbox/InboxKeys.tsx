import { useNavigate } from '@tanstack/react-router';
import type { Conversation } from '../../api/types';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { useStore, useValue } from '../../state/store';
import { useConversationActions } from '../conversation/actions';
import { useShortcuts } from '../shell/shortcuts';
import { useInside } from '../shell/workspace-context';
import { selection } from './selection';
import { nextOf, stepFrom } from './shown';
import { useBulk } from './useBulk';
import { useMessagesRoute } from './useMessagesRoute';

/** Keys of the messages: from chat to chat, and what is done to the open one or to those selected. */
export function InboxKeys({ opened }: { opened: number | null }) {
  const { workspace } = useInside();
  const { params, search } = useMessagesRoute();
  const navigate = useNavigate();
  const { ids } = useValue(selection);
  const run = useBulk();
  const conversation = useStore(workspace.store, (state) =>
    opened === null ? undefined : state.entities.conversations[opened],
  );
  const go = (id: number | null) => {
    if (id === null || id === opened) return;
    void navigate({
      to: '/c/$company/messages/$conversation',
      params: { ...params, conversation: String(id) },
      search,
    });
  };
  useShortcuts({
    next_chat: () => go(stepFrom(opened, 1)),
    previous_chat: () => go(stepFrom(opened, -1)),
    next_unanswered: () => {
      const { conversations } = workspace.store.get().entities;
      const waits = (id: number) => (conversations[id]?.unanswered_count ?? 0) > 0;
      const next = nextOf(opened, waits);
      if (next === null) showToast({ text: t('shortcuts.none_unanswered') });
      else go(next);
    },
    ...(ids.length > 0 && {
      assign_me: () => void run({ kind: 'assign', member_id: workspace.me.id }),
      archive: () => {
        const { conversations } = workspace.store.get().entities;
        const archived = ids.every((id) => conversations[id]?.state === 'archived');
        void run({ kind: archived ? 'reopen' : 'archive' });
      },
      mark_answered: () => void run({ kind: 'mark_answered' }),
    }),
  });
  return conversation && ids.length === 0 ? <ChatKeys conversation={conversation} /> : null;
}

function ChatKeys({ conversation }: { conversation: Conversation }) {
  const { workspace } = useInside();
  const actions = useConversationActions(conversation);
  useShortcuts({
    assign_me: () => void actions.assign(workspace.me.id),
    archive: () => void (conversation.state === 'archived' ? actions.unarchive() : actions.archive()),
    mark_answered: () => {
      if (conversation.unanswered_count > 0) void actions.markAnswered();
    },
  });
  return null;
}
