import { Button, Modal } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useState } from 'react';
import { useCombobox } from '../../components/useCombobox';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useStore, useValue } from '../../state/store';
import { useInside } from '../shell/workspace-context';
import { ClientRow } from './ClientRow';
import { Marked } from './Marked';
import { marked } from './match';
import classes from './Palette.module.css';
import { type Place, placesFor } from './places';
import { useContactSearch } from './useContactSearch';

const RECENT = 6;

type Entry =
  | { kind: 'chat'; key: string; id: number }
  | { kind: 'more'; key: string }
  | { kind: 'place'; key: string; place: Place };

interface Group {
  name: string;
  entries: Entry[];
}

/** Search over clients, and a way to chats and sections, by the keys of one field. */
export function Palette({
  opened,
  initial,
  onClose,
  onLeave,
}: {
  opened: boolean;
  /** What was searched for when this page was left. */
  initial: string;
  onClose: () => void;
  /** Another page is about to be opened; `query` is what led there. */
  onLeave: (query: string) => Promise<void>;
}) {
  return (
    <Modal.Root
      opened={opened}
      onClose={onClose}
      size={680}
      yOffset="min(80px, 9vh)"
      transitionProps={{ duration: 120 }}
    >
      <Modal.Overlay backgroundOpacity={1} color="var(--uz-scrim)" />
      <Modal.Content radius="lg" shadow="lg" className={classes.content} aria-label={t('search.open')}>
        <Modal.Body className={classes.body}>
          <Search initial={initial} onClose={onClose} onLeave={onLeave} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Search({
  initial,
  onClose,
  onLeave,
}: {
  initial: string;
  onClose: () => void;
  onLeave: (query: string) => Promise<void>;
}) {
  const { workspace } = useInside();
  const router = useRouter();
  const [query, setQuery] = useState(initial);
  const search = useContactSearch(workspace, query);
  const role = useStore(
    workspace.store,
    ({ entities }) => entities.members[workspace.me.id]?.role ?? workspace.me.role,
  );
  const recent = useRecent();
  const company = String(workspace.company.id);
  const asked = query.trim() !== '';
  const chat = (id: number): Entry => ({ kind: 'chat', key: `chat/${id}`, id });
  const clients: Entry[] = asked ? search.found.ids.map(chat) : recent.map(chat);
  if (asked && search.found.cursor !== null) clients.push({ kind: 'more', key: 'more' });
  const places = placesFor(role, query).map<Entry>((place) => ({
    kind: 'place',
    key: place.path,
    place,
  }));
  const groups: Group[] = [
    { name: asked ? t('search.clients') : t('search.recent'), entries: clients },
    { name: t('search.sections'), entries: places },
  ].filter(({ entries }) => entries.length > 0);
  const entries = groups.flatMap((group) => group.entries);

  const choose = async (place: number, event: KeyboardEvent | MouseEvent) => {
    const entry = entries[place];
    if (!entry) return;
    if (entry.kind === 'more') {
      search.more();
      return;
    }
    const target =
      entry.kind === 'chat'
        ? ({
            to: '/c/$company/messages/$conversation',
            params: { company, conversation: String(entry.id) },
          } as const)
        : ({ to: `/c/${company}/${entry.place.path}` } as const);
    if (event.ctrlKey || event.metaKey) {
      window.open(router.buildLocation(target as never).href, '_blank', 'noopener');
      return;
    }
    await onLeave(query.trim());
    await router.navigate(target as never);
  };
  const combobox = useCombobox({ count: entries.length, query, onChoose: choose });

  const draw = (entry: Entry): ReactNode => {
    if (entry.kind === 'chat') return <ClientRow id={entry.id} query={asked ? search.found.query : ''} />;
    if (entry.kind === 'more') return <span className={classes.more}>{t('search.more')}</span>;
    const { Icon, name } = entry.place;
    return (
      <>
        <span className={classes.tile}>
          <Icon size={20} stroke={1.7} aria-hidden="true" />
        </span>
        <b className={classes.place}>
          <Marked pieces={marked(name, query)} />
        </b>
      </>
    );
  };
  const nothing = asked && !search.busy && !search.error && entries.length === 0;

  return (
    <>
      <div className={classes.head}>
        <IconSearch size={20} stroke={1.8} aria-hidden="true" />
        <input
          {...combobox.input}
          data-autofocus
          className={classes.field}
          aria-label={t('search.open')}
          placeholder={t('search.placeholder')}
          maxLength={200}
          enterKeyHint="go"
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
        />
        <button type="button" className={classes.close} onClick={onClose}>
          <kbd>Esc</kbd> <span>{t('action.close')}</span>
        </button>
      </div>
      <div
        role="listbox"
        id={combobox.listId}
        className={classes.list}
        aria-label={t('search.results')}
        aria-busy={search.busy}
      >
        {groups.map((group, number) => {
          const before = groups.slice(0, number).reduce((sum, one) => sum + one.entries.length, 0);
          return (
            // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a list of options
            <div key={group.name} role="group" aria-label={group.name}>
              <div className={classes.group} aria-hidden="true">
                {group.name}
              </div>
              {group.entries.map((entry, index) => {
                const place = before + index;
                const active = place === combobox.active;
                return (
                  // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the field walk the list
                  <div
                    key={entry.key}
                    role="option"
                    tabIndex={-1}
                    {...combobox.option(place)}
                    className={`${classes.option} ${active ? classes.active : ''}`}
                    onClick={(event) => void choose(place, event)}
                  >
                    {draw(entry)}
                    {active && (
                      <span className={classes.enter} aria-hidden="true">
                        Enter
                      </span>
                    )}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
      {nothing && (
        <div className={classes.nothing}>
          <b>{t('search.nothing')}</b>
          <p>{t('search.nothing_hint')}</p>
        </div>
      )}
      {search.error && (
        <div className={classes.nothing} role="alert">
          <p>{sentenceOf(search.error)}</p>
          <Button size="compact-sm" variant="default" onClick={search.retry}>
            {t('action.retry')}
          </Button>
        </div>
      )}
      <div className={classes.foot}>
        <span aria-hidden="true" className={classes.keys}>
          <kbd>↑</kbd> <kbd>↓</kbd> {t('search.keys.choose')} <kbd>Enter</kbd> {t('search.keys.open')}{' '}
          <kbd>Ctrl Enter</kbd> {t('search.keys.new_tab')}
        </span>
        <span role="status">
          {asked &&
            !search.busy &&
            !search.error &&
            told(search.found.ids.length, search.found.cursor !== null)}
        </span>
      </div>
    </>
  );
}

const told = (count: number, more: boolean) =>
  more ? t('search.found_more', { count }) : t('search.found', { count });

/** Chats that were open lately, the present one aside; before there are any, those at the top of the list. */
function useRecent(): number[] {
  const { workspace } = useInside();
  const visited = useValue(workspace.visited);
  const held = useStore(workspace.store, (state) => state.entities.conversations);
  const open = workspace.openThread;
  const known = visited.filter((id) => id !== open && held[id]);
  const latest = Object.values(held)
    .filter(({ id, state }) => id !== open && state === 'open' && !known.includes(id))
    .sort((a, b) => b.activity - a.activity)
    .map(({ id }) => id);
  return [...known, ...latest].slice(0, RECENT);
}
