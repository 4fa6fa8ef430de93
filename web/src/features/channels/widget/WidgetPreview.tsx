import { useEffect, useRef } from 'react';
import type { Config, Message } from '../../../../widget/protocol';
import style from '../../../../widget/style.css?inline';
import { View } from '../../../../widget/view';
import type { WidgetSettings } from '../../../api/widgets';
import { t } from '../../../i18n';
import classes from './widget.module.css';

const said = (id: number, from: Message['from'], text: string, author: string | null): Message => ({
  id,
  version: 1,
  from,
  author,
  client_message_id: null,
  text,
  files: [],
  reply_to: null,
  status: from === 'operator' ? 'read' : null,
  position: id,
  ordinal: 0,
  sent_at: new Date().toISOString(),
  edited: false,
  deleted: false,
});

const nothing = () => undefined;

/** The widget itself, as its visitors will see it, with a talk that never happened. */
export function WidgetPreview({
  settings,
  company,
  began,
}: {
  settings: WidgetSettings;
  company: string;
  /** Whether the visitor has written: the form and the suggestions are gone then. */
  began: boolean;
}) {
  const host = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!host.current) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    const sheet = document.createElement('style');
    sheet.textContent = `${style}.panel.open{animation:none}`;
    root.replaceChildren(sheet);
    const config = {
      ...settings,
      title: settings.title || company,
      attended: true,
      text_limit: 4096,
      file_limit_bytes: 20 << 20,
    } as Config;
    const view = new View(root, config, {
      toggle: nothing,
      send: nothing,
      write: nothing,
      older: nothing,
      retry: nothing,
      remove: nothing,
      fileUrl: (file) => file.url,
    });
    view.update({
      open: true,
      messages: began
        ? [
            said(1, 'visitor', t('widget.preview.question'), null),
            said(2, 'operator', t('widget.preview.answer'), t('widget.preview.operator')),
          ]
        : [],
      pending: [],
      seen: 2,
      older: false,
      unread: 0,
      offline: false,
      typing: null,
      asks: !began && Object.values(settings.form ?? {}).some((rule) => rule !== 'off'),
    });
  }, [settings, company, began]);

  // Shown, not used: what can be pressed in it is out of reach for keys and readers.
  return (
    <div className={classes.preview} role="img" aria-label={t('widget.preview')}>
      <div ref={host} aria-hidden="true" inert />
    </div>
  );
}
