import { useNavigate } from '@tanstack/react-router';
import * as api from '../../api/conversations';
import { asApiError } from '../../api/error';
import type { Conversation } from '../../api/types';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { neighbourOf } from '../inbox/shown';
import { useMessagesRoute } from '../inbox/useMessagesRoute';
import { useInside } from '../shell/workspace-context';
import { contactName } from './words';

/** What members do with a conversation. The answer goes through the reducer; a refusal is told. */
export function useConversationActions(conversation: Conversation) {
  const { workspace } = useInside();
  const navigate = useNavigate();
  const { params, search } = useMessagesRoute();
  const company = workspace.company.id;
  const { id } = conversation;

  const run = async (ask: () => Promise<Conversation>): Promise<boolean> => {
    try {
      workspace.absorb({ conversations: [await ask()] });
      return true;
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
      return false;
    }
  };

  const unarchive = () => run(() => api.setState(company, id, 'open'));

  const archive = async () => {
    const next = neighbourOf(id);
    if (!(await run(() => api.setState(company, id, 'archived')))) return;
    showToast({
      text: t('conversation.archived', { name: contactName(conversation) }),
      action: {
        name: t('action.undo'),
        run: () => {
          void unarchive();
          void navigate({
            to: '/c/$company/messages/$conversation',
            params: { ...params, conversation: String(id) },
            search,
          });
        },
      },
    });
    // The work goes on with the next one; on a phone back to the list.
    if (search.filter === 'all' || search.filter === 'archived') return;
    if (next !== null && matchMedia('(min-width: 720px)').matches) {
      void navigate({
        to: '/c/$company/messages/$conversation',
        params: { ...params, conversation: String(next) },
        search,
      });
    } else void navigate({ to: '/c/$company/messages', params, search });
  };

  return {
    archive,
    unarchive,
    assign: (member: number | null) => run(() => api.assign(company, id, member)),
    markAnswered: () => run(() => api.markAnswered(company, id)),
  };
}
