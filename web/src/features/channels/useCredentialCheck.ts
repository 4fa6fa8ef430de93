import { useEffect, useState } from 'react';
import { type Account, checkCredential } from '../../api/channels';
import { type ApiError, asApiError } from '../../api/error';
import type { ChannelKind } from '../../api/types';

export type Check =
  | { state: 'empty' }
  | { state: 'malformed' }
  | { state: 'checking' }
  | { state: 'good'; account: Account }
  | { state: 'refused'; error: ApiError };

/** Digits of the bot, a colon, the secret: what a token of a Telegram bot looks like. */
const TOKEN = /^\d{5,}:[\w-]{20,}$/;
const CHECK_AFTER_MS = 400;

/** Asks the provider whose token it is, as soon as it looks like one. */
export function useCredentialCheck(company: number, kind: ChannelKind, token: string): [Check, () => void] {
  const [check, setCheck] = useState<Check>({ state: 'empty' });
  const [again, setAgain] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks once more about the same token
  useEffect(() => {
    if (token === '') {
      setCheck({ state: 'empty' });
      return;
    }
    if (!TOKEN.test(token)) {
      setCheck({ state: 'malformed' });
      return;
    }
    let outdated = false;
    setCheck({ state: 'checking' });
    const timer = setTimeout(async () => {
      try {
        const account = await checkCredential(company, kind, token);
        if (!outdated) setCheck({ state: 'good', account });
      } catch (cause) {
        if (!outdated) setCheck({ state: 'refused', error: asApiError(cause) });
      }
    }, CHECK_AFTER_MS);
    return () => {
      outdated = true;
      clearTimeout(timer);
    };
  }, [company, kind, token, again]);

  return [check, () => setAgain((count) => count + 1)];
}
