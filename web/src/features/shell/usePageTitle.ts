import { useEffect } from 'react';
import { t } from '../../i18n';

/** `(3) Сообщения`, a dot on the tab's icon and the number on the installed app: how many chats wait for me. */
export function usePageTitle(name: string, unanswered: number): void {
  useEffect(() => {
    document.title = t('page.title', { name, count: unanswered });
    document
      .querySelector('link[rel="icon"]')
      ?.setAttribute('href', unanswered > 0 ? '/favicon-unread.svg' : '/favicon.svg');
    // Only installed apps have a badge; others refuse.
    if (unanswered > 0) void navigator.setAppBadge?.(unanswered).catch(() => undefined);
    else void navigator.clearAppBadge?.().catch(() => undefined);
  }, [name, unanswered]);
}
