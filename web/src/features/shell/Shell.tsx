import { IconBolt, IconMessageCircle, IconSettings } from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Logo } from '../../components/Logo';
import { Tip } from '../../components/Tip';
import { Toasts } from '../../components/Toasts';
import { t } from '../../i18n';
import { useStore } from '../../state/store';
import { connected } from '../channels/connected';
import { ChannelBanner } from '../connection/ChannelBanner';
import { ConnectionBanner } from '../connection/ConnectionBanner';
import { DemoBanner } from '../connection/DemoBanner';
import { CompanySwitch } from './CompanySwitch';
import { ProfileMenu } from './ProfileMenu';
import classes from './Shell.module.css';
import { useDocumentTitle } from './useDocumentTitle';
import { useInside } from './workspace-context';

/** The frame around every page: menu, top bar, banners, one sheet. */
export function Shell({ children }: { children: ReactNode }) {
  const { workspace } = useInside();
  const { pathname } = useLocation();
  const company = String(workspace.company.id);
  const unanswered = useStore(workspace.store, (state) => state.counts?.unanswered ?? 0);
  const troubled = useStore(workspace.store, (state) =>
    connected(state.entities.channels).some(
      (channel) => channel.state === 'disabled' || channel.state === 'needs_action',
    ),
  );
  useDocumentTitle(unanswered);

  const inMessages = pathname.includes('/messages');
  const inQuickReplies = pathname.endsWith('/quick-replies');
  const inChat = /\/messages\/\d+/.test(pathname);
  const sections = [
    {
      to: '/c/$company/messages' as const,
      name: t('section.messages'),
      Icon: IconMessageCircle,
      on: inMessages,
      count: unanswered,
      dot: false,
    },
    {
      to: '/c/$company/quick-replies' as const,
      name: t('section.quick_replies'),
      Icon: IconBolt,
      on: inQuickReplies,
      count: 0,
      dot: false,
    },
    {
      to: '/c/$company/settings/channels' as const,
      name: t('section.settings'),
      Icon: IconSettings,
      on: !inMessages && !inQuickReplies,
      count: 0,
      dot: troubled,
    },
  ];
  const describe = (section: (typeof sections)[number]) => {
    if (section.count > 0) return t('section.with_count', { name: section.name, count: section.count });
    if (section.dot) return t('section.with_trouble', { name: section.name });
    return section.name;
  };

  return (
    <div className={`${classes.shell} ${inChat ? classes.inChat : ''}`}>
      <nav className={classes.rail} aria-label={t('shell.menu')}>
        <Link
          to="/c/$company/messages"
          params={{ company }}
          className={classes.logo}
          aria-label={t('product.name')}
        >
          <Logo size={30} />
        </Link>
        {sections.map((section) => (
          <Tip key={section.to} label={describe(section)} side="right">
            <Link
              to={section.to}
              params={{ company }}
              className={`${classes.item} ${section.on ? classes.on : ''}`}
              aria-label={describe(section)}
              aria-current={section.on ? 'page' : undefined}
            >
              <section.Icon size={22} stroke={section.on ? 1.9 : 1.6} aria-hidden="true" />
              {section.count > 0 && (
                <b className={classes.count}>{section.count > 99 ? '99+' : section.count}</b>
              )}
              {section.dot && <i className={classes.dot} />}
            </Link>
          </Tip>
        ))}
      </nav>
      <div className={classes.column}>
        <header className={classes.top}>
          <CompanySwitch />
          <ProfileMenu />
        </header>
        <ConnectionBanner />
        <ChannelBanner />
        <DemoBanner />
        <main className={classes.sheet}>{children}</main>
      </div>
      <nav className={classes.tabs} aria-label={t('shell.menu')}>
        {sections.map((section) => (
          <Link
            key={section.to}
            to={section.to}
            params={{ company }}
            className={section.on ? classes.on : ''}
            aria-label={describe(section)}
            aria-current={section.on ? 'page' : undefined}
          >
            <span>
              <section.Icon size={24} stroke={section.on ? 1.9 : 1.6} aria-hidden="true" />
              {section.count > 0 && <b>{section.count > 99 ? '99+' : section.count}</b>}
              {section.dot && <i className={classes.dot} />}
            </span>
            {section.name}
          </Link>
        ))}
      </nav>
      <Toasts />
    </div>
  );
}
