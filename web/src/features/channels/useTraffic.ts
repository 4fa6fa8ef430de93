import { useEffect, useState } from 'react';
import { getTraffic } from '../../api/channels';
import { useInside } from '../shell/workspace-context';

export type Traffic = Awaited<ReturnType<typeof getTraffic>>['items'][number];

const LOOK_AGAIN_MS = 30_000;

/** What went through each channel in the last 24 hours. */
export function useTraffic(): Record<number, Traffic | undefined> {
  const { workspace } = useInside();
  const company = workspace.company.id;
  const [traffic, setTraffic] = useState<Record<number, Traffic>>({});
  useEffect(() => {
    let left = false;
    // The numbers are beside the point of the page: without them it stays as it is.
    const look = () => {
      if (document.visibilityState !== 'visible') return;
      getTraffic(company).then(
        ({ items }) => !left && setTraffic(Object.fromEntries(items.map((item) => [item.channel_id, item]))),
        () => undefined,
      );
    };
    look();
    const timer = setInterval(look, LOOK_AGAIN_MS);
    return () => {
      left = true;
      clearInterval(timer);
    };
  }, [company]);
  return traffic;
}
