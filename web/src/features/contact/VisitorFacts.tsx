import { useEffect, useState } from 'react';
import type { Conversation } from '../../api/types';
import { getVisitor, type WidgetVisitor } from '../../api/widgets';
import { t } from '../../i18n';
import { phone } from '../../i18n/format';

/** What a visitor of a site widget told, and where they write from: rows of the client's card. */
export function VisitorFacts({ conversation }: { conversation: Conversation }) {
  const [visitor, setVisitor] = useState<WidgetVisitor | null>(null);
  const { company_id, id, last_incoming_position } = conversation;

  // biome-ignore lint/correctness/useExhaustiveDependencies: each message may come from another page
  useEffect(() => {
    let outdated = false;
    // What is not known is not shown: the card is complete without it.
    getVisitor(company_id, id).then(
      (found) => !outdated && setVisitor(found),
      () => undefined,
    );
    return () => {
      outdated = true;
    };
  }, [company_id, id, last_incoming_position]);

  if (!visitor) return null;
  return (
    <>
      {visitor.page_url && (
        <>
          <dt>{t('widget.visitor.page')}</dt>
          <dd>
            <a
              href={visitor.page_url}
              target="_blank"
              rel="noopener noreferrer nofollow"
              title={visitor.page_url}
            >
              {visitor.page_title || visitor.page_url}
            </a>
          </dd>
        </>
      )}
      {visitor.user_id && (
        <>
          <dt>{t('widget.visitor.user')}</dt>
          <dd>{visitor.user_id}</dd>
        </>
      )}
      {visitor.email && (
        <>
          <dt>{t('widget.visitor.email')}</dt>
          <dd>{visitor.email}</dd>
        </>
      )}
      {visitor.phone && !visitor.user_id && (
        <>
          <dt>{t('widget.visitor.phone')}</dt>
          <dd>{phone(visitor.phone)}</dd>
        </>
      )}
      {visitor.user_agent && (
        <>
          <dt>{t('widget.visitor.browser')}</dt>
          <dd title={visitor.user_agent}>{browserOf(visitor.user_agent)}</dd>
        </>
      )}
    </>
  );
}

/** The product and the system in a browser's long name of itself. */
function browserOf(agent: string): string {
  const product = [
    ['YaBrowser', 'Яндекс Браузер'],
    ['Edg', 'Edge'],
    ['OPR', 'Opera'],
    ['Firefox', 'Firefox'],
    ['Chrome', 'Chrome'],
    ['Safari', 'Safari'],
  ].find(([mark]) => agent.includes(`${mark}/`));
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'].find((name) =>
    agent.includes(name),
  );
  return [product?.[1], system].filter(Boolean).join(', ') || agent;
}
