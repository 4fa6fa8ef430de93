import { Button, TextInput } from '@mantine/core';
import { IconPaperclip, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import type { QuickReply } from '../api/types';
import { ArtInbox } from '../components/Art';
import { Confirm } from '../components/Confirm';
import { Notice } from '../components/Notice';
import { Skeleton } from '../components/Skeleton';
import { matching, offered } from '../features/composer/quick-replies';
import { QuickReplyForm } from '../features/quick-replies/QuickReplyForm';
import { useInside } from '../features/shell/workspace-context';
import { t } from '../i18n';
import { useStore } from '../state/store';
import classes from './quick-replies.module.css';

/** «Шаблоны»: saved answers on the left, the one being written or changed beside them. */
export function QuickRepliesPage() {
  const { workspace } = useInside();
  const held = useStore(workspace.store, (state) => state.entities.quickReplies);
  const basics = useStore(workspace.store, (state) => state.basics);
  const [query, setQuery] = useState('');
  /** The one in the panel; `new`: one being written. */
  const [chosen, setChosen] = useState<number | 'new' | null>(null);
  const [dirty, setDirty] = useState(false);
  const [wanted, setWanted] = useState<number | 'new' | 'none' | null>(null);
  const all = offered(held);
  const found = matching(all, query);
  const open: QuickReply | null = typeof chosen === 'number' ? (held[chosen] ?? null) : null;

  const go = (next: number | 'new' | null) => {
    if (dirty && next !== chosen) setWanted(next ?? 'none');
    else setChosen(next);
  };

  return (
    <div className={classes.layout}>
      <section className={classes.page} aria-labelledby="quick-replies-title">
        <header className={classes.head}>
          <div>
            <h1 id="quick-replies-title">{t('quick_replies.title')}</h1>
            <p>{t('quick_replies.facts')}</p>
          </div>
          <div className={classes.tools}>
            <TextInput
              type="search"
              className={classes.search}
              leftSection={<IconSearch size={17} stroke={1.7} aria-hidden="true" />}
              placeholder={t('quick_replies.search')}
              aria-label={t('quick_replies.search')}
              value={query}
              onChange={(event) => setQuery(event.currentTarget.value)}
            />
            <Button
              leftSection={<IconPlus size={17} stroke={2.2} aria-hidden="true" />}
              onClick={() => go('new')}
            >
              {t('quick_replies.add')}
            </Button>
          </div>
        </header>
        {basics === 'loading' && all.length === 0 ? (
          <Skeleton lines={5} label={t('state.loading')} />
        ) : basics === 'failed' && all.length === 0 ? (
          <Notice alert title={t('error.network')}>
            <Button size="compact-sm" onClick={() => void workspace.loadBasics()}>
              {t('action.retry')}
            </Button>
          </Notice>
        ) : all.length === 0 ? (
          <Notice
            art={<ArtInbox />}
            title={t('quick_replies.empty.title')}
            text={t('quick_replies.empty.text')}
          />
        ) : found.length === 0 ? (
          <Notice title={t('quick_replies.nothing', { query })}>
            <Button size="compact-sm" variant="default" onClick={() => setQuery('')}>
              {t('quick_replies.clear')}
            </Button>
          </Notice>
        ) : (
          <ul className={classes.list} aria-label={t('quick_replies.title')}>
            {found.map((one) => (
              <li key={one.id}>
                <button
                  type="button"
                  className={one.id === chosen ? classes.chosen : ''}
                  aria-current={one.id === chosen ? 'true' : undefined}
                  onClick={() => go(one.id)}
                >
                  <b>{one.name}</b>
                  {one.file && (
                    <IconPaperclip
                      size={15}
                      stroke={1.8}
                      role="img"
                      aria-label={t('quick_replies.with_file')}
                    />
                  )}
                  <span>{one.text}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </section>
      {(chosen === 'new' || open) && (
        <QuickReplyForm
          key={chosen}
          quickReply={open}
          onDirty={setDirty}
          onSaved={(saved) => setChosen(saved.id)}
          onClose={() => go(null)}
          onDeleted={() => {
            setDirty(false);
            setChosen(null);
          }}
        />
      )}
      <Confirm
        opened={wanted !== null}
        title={t('quick_replies.leave.title')}
        text={t('quick_replies.leave.text')}
        action={t('quick_replies.leave.action')}
        onClose={() => setWanted(null)}
        onConfirm={() => {
          setDirty(false);
          setChosen(wanted === 'none' ? null : wanted);
        }}
      />
    </div>
  );
}
