import { getRouteApi } from '@tanstack/react-router';
import type { MessagesSearch } from '../../router';
import type { ListQuery } from '../../state/order';

const route = getRouteApi('/c/$company/messages');

/** The company and the filters in the address, for links that keep them. */
export function useMessagesRoute() {
  const params = route.useParams();
  const { filter, channel } = route.useSearch();
  const search = { ...(filter && { filter }), ...(channel && { channel }) };
  return { params, search, query: queryOf({ filter, channel }) };
}

/** The list that an address asks for. */
export const queryOf = ({ filter, channel }: MessagesSearch): ListQuery => ({
  filter: filter ?? 'open',
  channelId: channel ?? null,
});
