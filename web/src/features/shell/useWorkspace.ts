import { useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { Session } from '../../api/types';
import { browserWorld, type Socket } from '../../realtime/socket';
import { Sync } from '../../realtime/sync';
import { database } from '../../state/session';
import { Workspace } from '../../state/workspace';
import { type MessagesSearch, queryOf } from '../inbox/search';

/** Opens the workspace of a company with its connection, and closes both when the company changes. */
export function useWorkspace(
  session: Session,
  companyId: number,
): { workspace: Workspace; socket: Socket } | null {
  const router = useRouter();
  const [open, setOpen] = useState<{ workspace: Workspace; socket: Socket } | null>(null);

  useEffect(() => {
    const place = session.companies.find(({ company }) => company.id === companyId);
    if (!place) return;
    let close: (() => void) | null = null;
    let left = false;
    void database().then((kept) => {
      if (left) return;
      const workspace = new Workspace(place.company, place.member, place.preferences.chat_order, kept);
      const sync = new Sync(workspace, browserWorld);
      const listeners = listen(workspace, sync.socket);
      // The list on screen is asked for together with all else, not when it is drawn.
      const messages = router.state.matches.find(({ routeId }) => routeId === '/c/$company/messages');
      workspace.start(messages ? queryOf(messages.search as MessagesSearch) : null);
      sync.start();
      setOpen({ workspace, socket: sync.socket });
      close = () => {
        listeners();
        sync.stop();
        workspace.stop();
        setOpen(null);
      };
    });
    return () => {
      left = true;
      close?.();
    };
  }, [router, session, companyId]);

  return open;
}

/** What the browser tells: the network, sleep, and that the page is about to go. */
function listen(workspace: Workspace, socket: Socket): () => void {
  const online = () => {
    socket.networkChanged(true);
    workspace.outbox.flush();
  };
  const offline = () => socket.networkChanged(false);
  const visibility = () => {
    if (document.visibilityState === 'visible') socket.woken();
    else leaving();
  };
  const leaving = () => {
    void workspace.drafts.save();
    void workspace.drafts.handOver();
  };
  const unsaved = (event: BeforeUnloadEvent) => {
    if (workspace.cardDrafts.isDirty()) event.preventDefault();
  };
  window.addEventListener('beforeunload', unsaved);
  window.addEventListener('online', online);
  window.addEventListener('offline', offline);
  window.addEventListener('pagehide', leaving);
  document.addEventListener('visibilitychange', visibility);
  return () => {
    window.removeEventListener('beforeunload', unsaved);
    window.removeEventListener('online', online);
    window.removeEventListener('offline', offline);
    window.removeEventListener('pagehide', leaving);
    document.removeEventListener('visibilitychange', visibility);
  };
}
