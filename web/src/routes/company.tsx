import { getRouteApi, Outlet, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { tellSignedOut } from '../api/client';
import type { Session } from '../api/types';
import { Shell } from '../features/shell/Shell';
import { useWorkspace } from '../features/shell/useWorkspace';
import { InsideContext } from '../features/shell/workspace-context';
import { session as signedIn } from '../state/session';
import { useValue } from '../state/store';

const route = getRouteApi('/c/$company');

export function CompanyPage() {
  const session = useValue(signedIn);
  const navigate = useNavigate();
  const signedOut = session === null;
  useEffect(() => {
    if (signedOut) {
      const next = location.pathname + location.search;
      void navigate({ to: '/sign-in', search: { next }, replace: true });
    }
  }, [signedOut, navigate]);
  return session ? <Inside session={session} /> : null;
}

function Inside({ session }: { session: Session }) {
  const company = Number(route.useParams().company);
  const open = useWorkspace(session, company);
  const inside = useMemo(() => open && { session, ...open }, [session, open]);
  const socket = open?.socket;
  useEffect(
    () =>
      socket?.state.subscribe(() => {
        const state = socket.state.get();
        if (state.phase === 'stopped' && state.reason === 'signed_out') tellSignedOut();
      }),
    [socket],
  );
  return (
    inside && (
      <InsideContext.Provider value={inside}>
        <Shell>
          <Outlet />
        </Shell>
      </InsideContext.Provider>
    )
  );
}
