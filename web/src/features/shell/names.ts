import { useStore } from '../../state/store';
import { useInside } from './workspace-context';

/** The company that is open, as it is called now. */
export function useCompany() {
  const { workspace } = useInside();
  return useStore(
    workspace.store,
    ({ entities }) => entities.companies[workspace.company.id] ?? workspace.company,
  );
}

/** The name that colleagues see. */
export function useOwnName(): string {
  const { session, workspace } = useInside();
  return useStore(
    workspace.store,
    ({ entities }) => entities.members[workspace.me.id]?.name ?? session.user.name,
  );
}
