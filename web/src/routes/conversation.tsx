import { getRouteApi, useParams } from '@tanstack/react-router';
import { ConversationView } from '../features/conversation/ConversationView';
import { NoConversation } from './messages';

const route = getRouteApi('/c/$company/messages/$conversation');

/** An open conversation. Apart from the list, which can be used before this is here. */
export function ConversationPane() {
  const { conversation } = useParams({ from: '/c/$company/messages/$conversation' });
  const { message } = route.useSearch();
  const id = Number(conversation);
  return Number.isSafeInteger(id) && id > 0 ? (
    <ConversationView key={id} id={id} target={message ?? null} />
  ) : (
    <NoConversation />
  );
}
