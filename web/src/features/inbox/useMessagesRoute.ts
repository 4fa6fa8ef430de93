import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { queryKey } from '../../state/chat-list';
import { queryOf, searchOf } from './search';

const route = getRouteApi('/c/$company/messages');

/** The company and the list in the address, for links that keep them. */
export function useMessagesRoute() {
  const params = route.useParams();
  const given = queryOf(route.useSearch());
  const key = queryKey(given);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the query
  const query = useMemo(() => given, [key]);
  const search = useMemo(() => searchOf(query), [query]);
  return { params, search, query };
}
