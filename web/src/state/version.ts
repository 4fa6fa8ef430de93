import { createStore } from './store';

/**
 * Which interface this page is, against the one the server has now. The build writes its name into the
 * page; the server tells its own in the first frame of the realtime connection.
 */

/** Null while developing: there the page changes by itself. */
const OURS = document.querySelector('meta[name="uzel-build"]')?.getAttribute('content') ?? null;

/** The server has another one. */
export const versionIsOld = createStore(false);

export function serverHas(build: string | null | undefined): void {
  if (OURS !== null && build) versionIsOld.set(build !== OURS);
}

/** Loads the page of the server. What has to survive that is stored by now. */
export async function takeNewVersion(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  registration?.waiting?.postMessage('take_over');
  location.reload();
}
