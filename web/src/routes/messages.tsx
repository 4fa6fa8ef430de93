import { Outlet } from '@tanstack/react-router';
import { Logo } from '../components/Logo';
import { Notice } from '../components/Notice';
import { t } from '../i18n';

export const MessagesPage = () => <Outlet />;

export const NoConversation = () => (
  <Notice
    art={<Logo size={52} mono="var(--uz-line-2)" />}
    title={t('inbox.choose.title')}
    text={t('inbox.choose.text')}
  />
);

export const ConversationPane = NoConversation;
