/** Runs something once the browser has nothing better to do; gives how to call it off. */
export function whenIdle(run: () => void): () => void {
  // Safari has no idle callbacks.
  if (!('requestIdleCallback' in window)) {
    const timer = setTimeout(run, 1000);
    return () => clearTimeout(timer);
  }
  const call = requestIdleCallback(run, { timeout: 5000 });
  return () => cancelIdleCallback(call);
}
