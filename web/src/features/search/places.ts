import type { Icon } from '@tabler/icons-react';
import type { Role } from '../../api/types';
import { t } from '../../i18n';
import { PAGES } from '../settings/pages';
import { SECTIONS } from '../shell/sections';
import { matches } from './match';

/** A section, or a page of the settings, to jump to. */
export interface Place {
  path: string;
  name: string;
  Icon: Icon;
}

export function placesFor(role: Role, query: string): Place[] {
  const sections = SECTIONS.map(({ path, name, Icon }) => ({ path, name: t(name), Icon }));
  const pages = PAGES.filter((page) => role === 'administrator' || !page.administrators).map(
    ({ path, name, Icon }) => ({
      path: `settings/${path}`,
      name: t('search.page_of', { section: t('section.settings'), page: t(name) }),
      Icon,
    }),
  );
  return [...sections, ...pages].filter(({ name }) => matches(name, query));
}
