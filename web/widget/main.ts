import type { Config } from './protocol';
import style from './style.css?inline';
import { Talk } from './talk';
import { View } from './view';

declare const __STYLE_FILE__: string;

const NAME = 'uzel-widget';

/** The element. Everything of it lies in its shadow root, which the page's styles do not reach. */
class UzelWidget extends HTMLElement {
  private talk: Talk | null = null;
  private view: View | null = null;
  private config: Config | null = null;
  private opened = false;
  private told = '';

  async connectedCallback() {
    if (this.config) return;
    const { base, channel, identity } = this.dataset;
    if (!base || !channel) return;
    let response: Response;
    try {
      response = await fetch(`${base}/widget/v1/${channel}/config`, { credentials: 'omit' });
    } catch {
      // Loaded without a network: the button comes when that is back.
      addEventListener('online', () => void this.connectedCallback(), { once: true });
      return;
    }
    // Not for this site, or switched off: the page is as if there were no widget.
    if (!response.ok) return;
    this.config = (await response.json()) as Config;
    const root = this.attachShadow({ mode: 'open' });
    await dress(root, base);
    this.talk = new Talk(base, channel, identity ?? null, () => this.draw());
    const talk = this.talk;
    this.view = new View(root, this.config, {
      toggle: (open) => this.toggle(open),
      send: (text, files, profile) => talk.send(text, files, profile),
      write: () => talk.write(),
      older: () => void talk.loadOlder().catch(() => undefined),
      retry: (id) => talk.retry(id),
      remove: (id) => talk.remove(id),
      fileUrl: (file) => talk.fileUrl(file),
    });
    document.addEventListener('visibilitychange', () => this.draw());
    this.draw();
    await talk.start();
  }

  toggle(open: boolean) {
    this.opened = open;
    this.draw();
  }

  private draw() {
    const { talk, view, config } = this;
    if (!talk || !view || !config) return;
    talk.reading = this.opened;
    talk.receipts();
    const messages = [...talk.messages.values()].sort(
      (a, b) => a.position - b.position || a.ordinal - b.ordinal || a.id - b.id,
    );
    const unread = this.opened && !document.hidden ? 0 : talk.unread;
    const asks = !talk.known && !talk.vouched && Object.values(config.form).some((rule) => rule !== 'off');
    view.update({
      open: this.opened,
      messages,
      pending: talk.pending,
      seen: talk.seen,
      older: talk.older !== null,
      unread,
      offline: talk.offline,
      typing: talk.typing,
      asks,
    });
    this.mark(unread);
  }

  /** The number before the page's title; whatever the page makes of its title meanwhile stays. */
  private mark(unread: number) {
    const bare = document.title.startsWith(this.told)
      ? document.title.slice(this.told.length)
      : document.title;
    this.told = unread > 0 ? `(${unread}) ` : '';
    if (document.title !== this.told + bare) document.title = this.told + bare;
  }
}

/** Style sheets made by script pass any policy; Safari before 16.4 has none and takes a file of ours. */
async function dress(root: ShadowRoot, base: string) {
  if ('adoptedStyleSheets' in root && 'replaceSync' in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    return;
  }
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = `${base}/widget/assets/${__STYLE_FILE__}`;
  await new Promise((done) => {
    link.onload = done;
    link.onerror = done;
    root.append(link);
  });
}

function begin() {
  const script = document.currentScript as HTMLScriptElement | null;
  if (!script || customElements.get(NAME)) return;
  customElements.define(NAME, UzelWidget);
  const { channel, identity } = script.dataset;
  const put = () => {
    const element = document.createElement(NAME) as UzelWidget;
    element.dataset.base = new URL(script.src).origin;
    if (channel) element.dataset.channel = channel;
    if (identity) element.dataset.identity = identity;
    document.body.append(element);
    Object.assign(window, {
      UzelWidget: { open: () => element.toggle(true), close: () => element.toggle(false) },
    });
  };
  if (document.body) put();
  else addEventListener('DOMContentLoaded', put);
}

begin();
