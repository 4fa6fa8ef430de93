import { defaultStringifySearch, useNavigate } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react';
import type { MessagesSearch } from './search';

/**
 * The way to a chat. The router's own link works out its address and whether it is the open one, anew
 * for every row and at every step; a list knows both.
 */
export function ChatLink({
  company,
  conversation,
  search,
  children,
  onClick,
  ...rest
}: {
  company: string;
  conversation: number;
  search: MessagesSearch;
  children: ReactNode;
} & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const navigate = useNavigate();
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0) return;
    // Into another tab or window, by the browser.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void navigate({
      to: '/c/$company/messages/$conversation',
      params: { company, conversation: String(conversation) },
      search,
    });
  };
  return (
    <a
      {...rest}
      href={`/c/${company}/messages/${conversation}${defaultStringifySearch(search)}`}
      onClick={follow}
    >
      {children}
    </a>
  );
}
