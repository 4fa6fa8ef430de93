import { type ReactNode, Suspense, useState } from 'react';

/** Draws a dialog once it is asked for, so that its code is loaded only then; keeps it for its way out. */
export function Lazily({ when, children }: { when: boolean; children: ReactNode }) {
  const [asked, setAsked] = useState(when);
  if (when && !asked) setAsked(true);
  return asked && <Suspense fallback={null}>{children}</Suspense>;
}
