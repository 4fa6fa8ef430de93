import { Modal } from '@mantine/core';
import { useEffect, useState } from 'react';
import { listMessageDeliveries } from '../../api/conversations';
import { type ApiError, asApiError } from '../../api/error';
import type { Message } from '../../api/types';
import { Failure } from '../../components/Notice';
import { Skeleton } from '../../components/Skeleton';
import { t, tByCode } from '../../i18n';
import { failureOf } from '../../i18n/errors';
import { dateTimeExact } from '../../i18n/format';
import classes from './MessageDetails.module.css';
import { useThread } from './thread-context';
import { memberName } from './words';

type Deliveries = Awaited<ReturnType<typeof listMessageDeliveries>>['items'];

/** What became of a message, step by step: the answer to "did it arrive, and when". */
export default function MessageDetails({
  message,
  opened,
  onClose,
}: {
  message: Message;
  opened: boolean;
  onClose: () => void;
}) {
  const { workspace, conversation, channel, members } = useThread();
  const [deliveries, setDeliveries] = useState<Deliveries | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [tries, setTries] = useState(0);
  const { id, version } = message;
  const company = workspace.company.id;
  // A change of the message is a new step.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (!opened) return;
    let current = true;
    listMessageDeliveries(company, conversation.id, id).then(
      ({ items }) => {
        if (!current) return;
        setDeliveries(items);
        setError(null);
      },
      (cause) => current && setError(asApiError(cause)),
    );
    return () => {
      current = false;
    };
  }, [company, conversation.id, id, version, opened, tries]);

  const provider = channel ? t(`channel.kind.${channel.kind}`) : '';
  const outgoing = message.direction === 'outgoing';
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      size={520}
      title={t('details.title')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <dl className={classes.facts}>
        <dt>{t('details.author')}</dt>
        <dd>{outgoing ? memberName(members, message.author_member_id) : t('message.quote.client')}</dd>
        <dt>{t('details.channel')}</dt>
        <dd>{channel ? `${provider} · ${channel.name}` : '—'}</dd>
        <dt>{t(outgoing ? 'details.written' : 'details.sent_by_client')}</dt>
        <dd>{dateTimeExact(message.sent_at)}</dd>
        {!outgoing && (
          <>
            <dt>{t('details.received')}</dt>
            <dd>{dateTimeExact(message.created_at)}</dd>
          </>
        )}
        {message.status && (
          <>
            <dt>{t('details.status')}</dt>
            <dd>{t(`status.${message.status}`)}</dd>
          </>
        )}
        <dt>{t('details.id')}</dt>
        <dd>{message.id}</dd>
        {message.client_message_id && (
          <>
            <dt>{t('details.client_message_id')}</dt>
            <dd className={classes.code}>{message.client_message_id}</dd>
          </>
        )}
      </dl>
      {error ? (
        <Failure title={t('details.failed')} error={error} onRetry={() => setTries(tries + 1)} />
      ) : !deliveries ? (
        <Skeleton lines={3} label={t('state.loading')} />
      ) : deliveries.length === 0 ? (
        <p className={classes.none}>{t('details.none')}</p>
      ) : (
        <ol className={classes.steps} aria-label={t('details.steps')}>
          {deliveries.map((delivery) => (
            <li key={delivery.id}>
              <b>{tByCode(`details.kind.${delivery.kind}`) ?? delivery.kind}</b>
              <ol>
                {delivery.attempts.map((attempt) => (
                  <li key={attempt.number} data-outcome={attempt.outcome ?? 'open'}>
                    <time dateTime={attempt.started_at}>{dateTimeExact(attempt.started_at)}</time>
                    <span>
                      {t('details.attempt', { number: attempt.number })}:{' '}
                      {tByCode(`details.outcome.${attempt.outcome ?? 'open'}`) ?? attempt.outcome}
                      {attempt.finished_at && ` · ${tookOf(attempt.started_at, attempt.finished_at)}`}
                      {attempt.error_code && (
                        <small>
                          {failureOf({ code: attempt.error_code, detail: attempt.error_detail }, provider)}
                        </small>
                      )}
                      {attempt.retry_at && (
                        <small>{t('details.retry_at', { time: dateTimeExact(attempt.retry_at) })}</small>
                      )}
                    </span>
                  </li>
                ))}
                {delivery.attempts.length === 0 && <li>{t('details.waits')}</li>}
              </ol>
            </li>
          ))}
        </ol>
      )}
    </Modal>
  );
}

const tookOf = (from: string, to: string) =>
  t('details.took', { milliseconds: Math.max(0, Date.parse(to) - Date.parse(from)) });
