import { useCallback, useEffect, useRef } from 'react';
import { moveReadMarker } from '../../api/conversations';
import type { Workspace } from '../../state/workspace';

const SEND_AFTER_MS = 200;

/** Moves the member's read marker behind what was on screen. It never goes back. */
export function useSeen(workspace: Workspace, conversationId: number): (position: number) => void {
  const wanted = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  const send = useCallback(async () => {
    timer.current = null;
    const { readMarkers } = workspace.store.get().entities;
    const known = readMarkers[conversationId]?.[workspace.me.id]?.position ?? -1;
    if (wanted.current <= known) return;
    try {
      const marker = await moveReadMarker(workspace.company.id, conversationId, wanted.current);
      workspace.absorb({ readMarkers: [marker] });
    } catch {
      // The next look sends it again.
    }
  }, [workspace, conversationId]);

  useEffect(() => {
    const flush = () => {
      if (timer.current === null) return;
      clearTimeout(timer.current);
      void send();
    };
    // Also when the page goes right after something was read.
    window.addEventListener('pagehide', flush);
    return () => {
      window.removeEventListener('pagehide', flush);
      flush();
      wanted.current = 0;
    };
  }, [send]);

  return useCallback(
    (position: number) => {
      if (position <= wanted.current) return;
      wanted.current = position;
      timer.current ??= setTimeout(() => void send(), SEND_AFTER_MS);
    },
    [send],
  );
}
