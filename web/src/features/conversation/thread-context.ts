import { createContext, useContext } from 'react';
import type { Channel, Conversation, Member, Message } from '../../api/types';
import type { Workspace } from '../../state/workspace';

/** What every bubble of an open conversation may need. */
export interface ThreadScope {
  workspace: Workspace;
  conversation: Conversation;
  channel: Channel | undefined;
  members: Record<number, Member>;
  jumpTo(messageId: number): void;
  reply(message: Message): void;
  edit(message: Message): void;
}

export const ThreadContext = createContext<ThreadScope | null>(null);

export function useThread(): ThreadScope {
  const scope = useContext(ThreadContext);
  if (!scope) throw new Error('used outside of a conversation');
  return scope;
}
