import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import {
  countDeliveries,
  type Delivery,
  type DeliveryState,
  listDeliveries,
  replayDelivery,
} from '../api/deliveries';
import { type ApiError, asApiError } from '../api/error';
import { ArtInbox } from '../components/Art';
import { Failure, Notice } from '../components/Notice';
import { Skeleton } from '../components/Skeleton';
import { showToast } from '../components/Toasts';
import { useInside } from '../features/shell/workspace-context';
import { t } from '../i18n';
import { failureOf, sentenceOf } from '../i18n/errors';
import { dateTime } from '../i18n/format';
import { useStore } from '../state/store';
import classes from './delivery.module.css';
import frame from './settings.module.css';

type Counts = Awaited<ReturnType<typeof countDeliveries>>;
const SHOWN = ['dead', 'unknown'] as const;
const LOOK_AGAIN_MS = 10_000;

/** What did not reach its goal, and what nobody knows of: each with its reason and a way on. */
export function DeliveryPage() {
  const { workspace } = useInside();
  const company = workspace.company.id;
  const [state, setState] = useState<(typeof SHOWN)[number]>('dead');
  const [counts, setCounts] = useState<Counts | null>(null);
  const [items, setItems] = useState<Delivery[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);

  const load = useCallback(
    async (wanted: DeliveryState, outdated: () => boolean) => {
      try {
        const [counted, page] = await Promise.all([
          countDeliveries(company),
          listDeliveries(company, wanted, null),
        ]);
        if (outdated()) return;
        setCounts(counted);
        setItems(page.items);
        setCursor(page.next_cursor);
        setError(null);
      } catch (cause) {
        if (!outdated()) setError(asApiError(cause));
      }
    },
    [company],
  );

  useEffect(() => {
    let left = false;
    setItems(null);
    void load(state, () => left);
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void countDeliveries(company).then(setCounts, () => null);
    }, LOOK_AGAIN_MS);
    return () => {
      left = true;
      clearInterval(timer);
    };
  }, [load, state, company]);

  const more = async () => {
    setBusy(true);
    try {
      const page = await listDeliveries(company, state, cursor);
      setItems((now) => [...(now ?? []), ...page.items]);
      setCursor(page.next_cursor);
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
    }
    setBusy(false);
  };

  const replay = async (which: readonly Delivery[]) => {
    setBusy(true);
    let done = 0;
    let refused: ApiError | null = null;
    // One after another: what one conversation waits for keeps its order.
    for (const delivery of [...which].sort((a, b) => a.id - b.id)) {
      try {
        await replayDelivery(company, delivery.id);
        done += 1;
        setItems((now) => now?.filter(({ id }) => id !== delivery.id) ?? null);
      } catch (cause) {
        refused = asApiError(cause);
        if (refused.isTemporary) break;
      }
    }
    showToast({ text: refused ? sentenceOf(refused) : t('delivery.replayed', { count: done }) });
    void countDeliveries(company).then(setCounts, () => null);
    setBusy(false);
  };

  if (error && items === null) {
    return (
      <section className={frame.page}>
        <Failure
          title={t('delivery.failed')}
          error={error}
          onRetry={() => {
            setError(null);
            void load(state, () => false);
          }}
        />
      </section>
    );
  }

  return (
    <section className={frame.page} aria-labelledby="delivery-title">
      <header className={frame.head}>
        <div>
          <h1 id="delivery-title">{t('delivery.title')}</h1>
          <p>{t('delivery.facts')}</p>
        </div>
      </header>
      <dl className={classes.numbers}>
        {(['pending', 'in_flight', 'dead', 'unknown'] as const).map((name) => (
          <div key={name}>
            <dt>{t(`delivery.count.${name}`)}</dt>
            <dd className={name === 'dead' && counts && counts.dead > 0 ? classes.bad : undefined}>
              {counts ? counts[name] : '—'}
            </dd>
            <dd className={classes.small}>{t(`delivery.count.${name}.text`)}</dd>
          </div>
        ))}
      </dl>
      <div className={classes.bar}>
        <fieldset className={classes.chips} aria-label={t('delivery.show')}>
          {SHOWN.map((name) => (
            <button key={name} type="button" aria-pressed={state === name} onClick={() => setState(name)}>
              {t(`delivery.count.${name}`)} <b>{counts?.[name] ?? ''}</b>
            </button>
          ))}
        </fieldset>
        {state === 'dead' && items && items.length > 1 && (
          <Button
            size="compact-sm"
            variant="light"
            loading={busy}
            leftSection={<IconRefresh size={15} aria-hidden="true" />}
            onClick={() => void replay(items)}
          >
            {t('delivery.replay_all', { count: items.length })}
          </Button>
        )}
      </div>
      {items === null ? (
        <Skeleton lines={5} label={t('state.loading')} />
      ) : items.length === 0 ? (
        <Notice
          art={<ArtInbox />}
          title={t(`delivery.empty.${state}`)}
          text={t(`delivery.empty.${state}.text`)}
        />
      ) : (
        <ul className={classes.rows}>
          {items.map((delivery) => (
            <Row key={delivery.id} delivery={delivery} busy={busy} onReplay={() => void replay([delivery])} />
          ))}
        </ul>
      )}
      {cursor && (
        <div className={classes.more}>
          <Button size="compact-sm" variant="default" loading={busy} onClick={() => void more()}>
            {t('delivery.more')}
          </Button>
        </div>
      )}
    </section>
  );
}

function Row({ delivery, busy, onReplay }: { delivery: Delivery; busy: boolean; onReplay: () => void }) {
  const { workspace } = useInside();
  const { subject } = delivery;
  const channel = useStore(workspace.store, ({ entities }) =>
    subject.channel_id == null ? undefined : entities.channels[subject.channel_id],
  );
  const provider = channel ? t(`channel.kind.${channel.kind}`) : t('delivery.provider');
  const where = [subject.file_name, subject.channel_name].filter(Boolean).join(' · ');
  const reason = failureOf(
    { code: delivery.error_code ?? '', detail: delivery.error_detail ?? null },
    provider,
  );
  const since = delivery.finished_at ?? delivery.created_at;
  return (
    <li>
      <span className={classes.kind}>{t(`delivery.kind.${delivery.kind}`)}</span>
      <div className={classes.what}>
        <b>{subject.contact_name || subject.channel_name || t('contact.unknown')}</b>
        {where && <small>{where}</small>}
      </div>
      <div className={classes.why}>
        <span className={delivery.state === 'dead' ? classes.bad : classes.warn}>{reason}</span>
        <small>{t('delivery.attempts', { count: delivery.attempts.length, at: dateTime(since) })}</small>
      </div>
      <div className={classes.ways}>
        {delivery.state === 'dead' && (
          <Button size="compact-sm" variant="default" disabled={busy} onClick={onReplay}>
            {t('action.retry')}
          </Button>
        )}
        {subject.conversation_id != null && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            renderRoot={(props) => (
              <Link
                to="/c/$company/messages/$conversation"
                params={{
                  company: String(workspace.company.id),
                  conversation: String(subject.conversation_id),
                }}
                search={subject.message_id == null ? {} : { message: subject.message_id }}
                {...props}
              />
            )}
          >
            {t('delivery.open_chat')}
          </Button>
        )}
      </div>
    </li>
  );
}
