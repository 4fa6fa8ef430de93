import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { Notice } from '../components/Notice';
import { connected } from '../features/channels/connected';
import { isTroubled } from '../features/channels/words';
import { PAGES } from '../features/settings/pages';
import { useInside } from '../features/shell/workspace-context';
import { t } from '../i18n';
import { useStore } from '../state/store';
import classes from './settings.module.css';

/** The list of settings beside the one that is open. */
export function SettingsFrame() {
  const { workspace } = useInside();
  const { pathname } = useLocation();
  const company = String(workspace.company.id);
  const administrator = workspace.me.role === 'administrator';
  const channels = useStore(workspace.store, (state) => state.entities.channels);
  const troubled = connected(channels).filter(isTroubled).length;
  const here = useRef<HTMLUListElement>(null);
  // On a phone the list is a row that may be longer than the screen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address says which one is current
  useEffect(() => {
    here.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [pathname]);
  const open = PAGES.find(({ path }) => pathname.endsWith(`/settings/${path}`));

  return (
    <div className={classes.layout}>
      <nav className={classes.sub} aria-label={t('section.settings')}>
        <h2>{t('section.settings')}</h2>
        <ul ref={here}>
          {PAGES.filter((page) => administrator || !page.administrators).map((page) => (
            <li key={page.path}>
              <Link
                to={`/c/$company/settings/${page.path}`}
                params={{ company }}
                className={page === open ? classes.here : classes.link}
                aria-current={page === open ? 'page' : undefined}
              >
                <page.Icon size={19} stroke={1.7} aria-hidden="true" />
                {t(page.name)}
                {page.path === 'channels' && troubled > 0 && <span className={classes.mark}>{troubled}</span>}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {open?.administrators && !administrator ? (
        <Notice alert title={t('page.forbidden.title')} text={t('page.forbidden.text')} />
      ) : (
        <Outlet />
      )}
    </div>
  );
}
