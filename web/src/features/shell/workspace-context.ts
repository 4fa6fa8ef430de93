import { createContext, useContext } from 'react';
import type { Session } from '../../api/types';
import type { Socket } from '../../realtime/socket';
import type { Workspace } from '../../state/workspace';

export interface Inside {
  session: Session;
  workspace: Workspace;
  socket: Socket;
}

export const InsideContext = createContext<Inside | null>(null);

/** The company that is open, for everything inside the shell. */
export function useInside(): Inside {
  const inside = useContext(InsideContext);
  if (!inside) throw new Error('used outside of a company');
  return inside;
}
