import { IconDots, IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from '@tabler/icons-react';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ActionMenu } from '../../components/ActionMenu';
import { Logo } from '../../components/Logo';
import { Tip } from '../../components/Tip';
import { Toasts } from '../../components/Toasts';
import { t } from '../../i18n';
import { OPEN_KEY } from '../../state/chat-lists';
import { menuWidth } from '../../state/preferences';
import { useStore, useValue } from '../../state/store';
import { connected } from '../channels/connected';
import { isTroubled } from '../channels/words';
import { ChannelBanner } from '../connection/ChannelBanner';
import { ConnectionBanner } from '../connection/ConnectionBanner';
import { DemoBanner } from '../connection/DemoBanner';
import { SearchField } from '../search/SearchField';
import { CompanySwitch } from './CompanySwitch';
import { ProfileMenu } from './ProfileMenu';
import classes from './Shell.module.css';
import { ShortcutSheet } from './ShortcutSheet';
import { SECTIONS } from './sections';
import { UpdateBanner } from './UpdateBanner';
import { usePageTitle } from './usePageTitle';
import { useInside } from './workspace-context';

const TABS = 5;

const short = (count: number) => (count > 99 ? '99+' : count);

/** With a tip, unless the name is on screen. */
const Named = ({ name, children }: { name: string | null; children: ReactNode }) =>
  name === null ? (
    children
  ) : (
    <Tip label={name} side="right">
      {children}
    </Tip>
  );

/** The frame around every page: menu, top bar, banners, one sheet. */
export function Shell({ children }: { children: ReactNode }) {
  const { workspace } = useInside();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const company = String(workspace.company.id);
  const counts = useStore(workspace.store, (state) => state.counts[OPEN_KEY]);
  const unanswered = counts?.unanswered ?? 0;
  const troubled = useStore(workspace.store, (state) => connected(state.entities.channels).some(isTroubled));
  const inChat = /\/messages\/\d+/.test(pathname);
  const sections = SECTIONS.map((section) => ({
    ...section,
    title: t(section.name),
    on: new RegExp(`^/c/\\d+/${section.path}(?:/|$)`).test(pathname),
    count: section.path === 'messages' ? unanswered : 0,
    dot: section.path === 'settings' && troubled,
  }));
  type Shown = (typeof sections)[number];
  usePageTitle(sections.find(({ on }) => on)?.title ?? t('product.name'), counts?.unanswered_mine ?? 0);

  const describe = (section: Shown) => {
    if (section.count > 0) return t('section.with_count', { name: section.title, count: section.count });
    if (section.dot) return t('section.with_trouble', { name: section.title });
    return section.title;
  };
  const wide = useValue(menuWidth.store) === 'wide';
  // As many as a thumb can hit; the rest behind one more.
  const tabs = sections.length <= TABS ? sections : sections.slice(0, TABS - 1);
  const rest = sections.slice(tabs.length);

  return (
    <div className={`${classes.shell} ${inChat ? classes.inChat : ''}`}>
      <nav className={`${classes.rail} ${wide ? classes.wide : ''}`} aria-label={t('shell.menu')}>
        <Link
          to="/c/$company/messages"
          params={{ company }}
          className={classes.logo}
          aria-label={t('product.name')}
        >
          <Logo size={30} />
        </Link>
        {sections.map((section) => (
          <Named key={section.path} name={wide ? null : describe(section)}>
            <Link
              to={`/c/$company/${section.path}`}
              params={{ company }}
              className={[classes.item, section.on && classes.on, section.apart && classes.apart]
                .filter(Boolean)
                .join(' ')}
              aria-label={describe(section)}
              aria-current={section.on ? 'page' : undefined}
            >
              <section.Icon size={22} stroke={section.on ? 1.9 : 1.6} aria-hidden="true" />
              {wide && <span className={classes.name}>{section.title}</span>}
              {section.count > 0 && <b className={classes.count}>{short(section.count)}</b>}
              {section.dot && <i className={classes.dot} />}
            </Link>
          </Named>
        ))}
        <span className={classes.grow} />
        <Named name={wide ? null : t('shell.pin')}>
          <button
            type="button"
            className={classes.item}
            aria-label={wide ? t('shell.unpin') : t('shell.pin')}
            aria-pressed={wide}
            onClick={() => menuWidth.choose(wide ? 'narrow' : 'wide')}
          >
            {wide ? (
              <IconLayoutSidebarLeftCollapse size={20} stroke={1.6} aria-hidden="true" />
            ) : (
              <IconLayoutSidebarLeftExpand size={20} stroke={1.6} aria-hidden="true" />
            )}
            {wide && <span className={classes.name}>{t('shell.unpin')}</span>}
          </button>
        </Named>
      </nav>
      <div className={classes.column}>
        <header className={classes.top}>
          <SearchField />
          <CompanySwitch />
          <ProfileMenu />
        </header>
        <UpdateBanner />
        <ConnectionBanner />
        <ChannelBanner />
        <DemoBanner />
        <main className={classes.sheet}>{children}</main>
      </div>
      <nav className={classes.tabs} aria-label={t('shell.menu')}>
        {tabs.map((section) => (
          <Link
            key={section.path}
            to={`/c/$company/${section.path}`}
            params={{ company }}
            className={section.on ? classes.on : ''}
            aria-label={describe(section)}
            aria-current={section.on ? 'page' : undefined}
          >
            <span>
              <section.Icon size={24} stroke={section.on ? 1.9 : 1.6} aria-hidden="true" />
              {section.count > 0 && <b>{short(section.count)}</b>}
              {section.dot && <i className={classes.dot} />}
            </span>
            {section.title}
          </Link>
        ))}
        {rest.length > 0 && (
          <ActionMenu
            className={classes.rest}
            trigger={
              <button type="button" className={rest.some(({ on }) => on) ? classes.on : ''}>
                <span>
                  <IconDots size={24} stroke={1.6} aria-hidden="true" />
                  {rest.some(({ dot }) => dot) && <i className={classes.dot} />}
                </span>
                {t('shell.more')}
              </button>
            }
            entries={() =>
              rest.map((section) => ({
                key: section.path,
                label: describe(section),
                icon: <section.Icon size={18} stroke={1.7} aria-hidden="true" />,
                onSelect: () => void navigate({ to: `/c/$company/${section.path}`, params: { company } }),
              }))
            }
          />
        )}
      </nav>
      <Toasts />
      <ShortcutSheet />
    </div>
  );
}
