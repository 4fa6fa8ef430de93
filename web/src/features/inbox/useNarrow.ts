import { useNavigate } from '@tanstack/react-router';
import type { ListQuery } from '../../state/chat-list';
import { searchOf } from './search';
import { useMessagesRoute } from './useMessagesRoute';

/** Shows the list narrowed otherwise. */
export function useNarrow() {
  const { params, query } = useMessagesRoute();
  const navigate = useNavigate();
  return (change: Partial<ListQuery>) =>
    void navigate({ to: '/c/$company/messages', params, search: searchOf({ ...query, ...change }) });
}
