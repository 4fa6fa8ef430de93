import { Outlet } from '@tanstack/react-router';
import { useEffect } from 'react';
import { Logo } from '../components/Logo';
import { Notice } from '../components/Notice';
import { ChatList } from '../features/inbox/ChatList';
import { whenIdle } from '../features/shell/idle';
import { t } from '../i18n';
import classes from './messages.module.css';

export function MessagesPage() {
  // What the first click needs is here before it.
  useEffect(() => whenIdle(() => void import('./conversation').catch(() => undefined)), []);
  return (
    <>
      <ChatList />
      <Outlet />
    </>
  );
}

export function NoConversation() {
  return (
    <section className={classes.none} aria-label={t('thread.section')}>
      <Notice
        art={<Logo size={52} mono="var(--uz-line-2)" />}
        title={t('inbox.choose.title')}
        text={t('inbox.choose.text')}
      />
    </section>
  );
}
