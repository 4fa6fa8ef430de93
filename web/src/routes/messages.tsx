import { getRouteApi, Outlet, useParams } from '@tanstack/react-router';
import { Logo } from '../components/Logo';
import { Notice } from '../components/Notice';
import { ConversationView } from '../features/conversation/ConversationView';
import { ChatList } from '../features/inbox/ChatList';
import { t } from '../i18n';
import classes from './messages.module.css';

const route = getRouteApi('/c/$company/messages/$conversation');

export const MessagesPage = () => (
  <>
    <ChatList />
    <Outlet />
  </>
);

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

export function ConversationPane() {
  const { conversation } = useParams({ from: '/c/$company/messages/$conversation' });
  const { message } = route.useSearch();
  const id = Number(conversation);
  return Number.isSafeInteger(id) && id > 0 ? (
    <ConversationView key={id} id={id} target={message ?? null} />
  ) : (
    <NoConversation />
  );
}
