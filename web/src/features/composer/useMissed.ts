import { useEffect, useState } from 'react';
import type { Socket } from '../../realtime/socket';
import type { Workspace } from '../../state/workspace';

export interface Missed {
  count: number;
  /** The first of them, to go to. */
  first: number;
}

/**
 * What others wrote in this conversation while we could not see it: an answer that was begun before may
 * no longer fit. Told once the connection is back, until it is looked at.
 */
export function useMissed(
  workspace: Workspace,
  socket: Socket,
  conversationId: number,
): [Missed | null, () => void] {
  const [missed, setMissed] = useState<Missed | null>(null);
  useEffect(() => {
    const held = () => Object.values(workspace.store.get().entities.messages[conversationId] ?? {});
    /** Position of the last message known when the connection was lost. */
    let lastKnown: number | null = null;
    const look = () => {
      if (socket.state.get().phase !== 'live') {
        lastKnown ??= Math.max(0, ...held().map(({ position }) => position));
        return;
      }
      const after = lastKnown;
      lastKnown = null;
      // Nothing was on screen yet: what came is no news.
      if (after === null || after === 0) return;
      const [first, ...more] = held()
        .filter(
          ({ position, direction, author_member_id: author }) =>
            position > after &&
            (direction === 'incoming' || (direction === 'outgoing' && author !== workspace.me.id)),
        )
        .sort((a, b) => a.position - b.position);
      if (first) setMissed({ count: more.length + 1, first: first.id });
    };
    look();
    return socket.state.subscribe(look);
  }, [workspace, socket, conversationId]);
  return [missed, () => setMissed(null)];
}
