import { useEffect, useState } from 'react';

/** Seconds left until a moment, and a way to set another one. Right after sleep too. */
export function useCountdown(seconds: number): [number, (seconds: number) => void] {
  const [end, setEnd] = useState(() => Date.now() + seconds * 1000);
  const [now, setNow] = useState(Date.now);
  const left = Math.max(0, Math.ceil((end - now) / 1000));
  const running = left > 0;
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [running]);
  const restart = (next: number) => {
    setNow(Date.now());
    setEnd(Date.now() + next * 1000);
  };
  return [left, restart];
}
