import type { Field, Frame, Message, Page, Pending, Position, SentFile } from './protocol';

/**
 * The conversation: who the visitor is, what was said, what is still to be sent. Nothing is stored and
 * nothing is asked of the server before the visitor writes (unless the site vouches for its user).
 */
export class Talk {
  readonly messages = new Map<number, Message>();
  pending: Pending[] = [];
  seen = 0;
  older: string | null = null;
  offline = false;
  typing: string | null = null;
  /** Whether the visitor has the messages before their eyes. */
  reading = false;

  private token: string | null = null;
  private position: Position | null = null;
  private socket: WebSocket | null = null;
  private failures = 0;
  private sending = false;
  private stopped = false;
  /** Sockets are forbidden here: news have to be asked for. */
  private deaf = false;
  private timer = 0;
  private typingTimer = 0;
  private typedAt = 0;
  private told = { delivered: 0, read: 0 };
  private readonly own = new Set<string>();
  private readonly name: string;
  private storage: Storage | null;

  constructor(
    private readonly base: string,
    key: string,
    private identity: string | null,
    private readonly changed: () => void,
  ) {
    this.name = `uzel:${key}`;
    this.url = `${base}/widget/v1/${key}`;
    // A user of the site may not be the next one at this device: only for this tab, and no token.
    this.storage = storageOf(identity ? 'sessionStorage' : 'localStorage');
  }

  private readonly url: string;

  get known() {
    return this.token !== null || this.pending.length > 0;
  }

  /** Whether the site says who this is. */
  get vouched() {
    return this.identity !== null;
  }

  get unread() {
    let count = 0;
    for (const message of this.messages.values()) {
      if (message.from === 'operator' && !message.deleted && message.status !== 'read') count += 1;
    }
    return count;
  }

  async start() {
    addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.hurry();
    });
    // Another tab of this visitor began the conversation, or ended it.
    addEventListener('storage', (event) => {
      if (event.key === this.name && !this.identity && this.token === null) this.restore();
    });
    this.restore();
    if (this.identity) {
      try {
        await this.introduce();
      } catch (error) {
        // Out of reach: again when they write. Not believed: as anybody, so that no word is lost.
        if (error instanceof Refusal && error.code === 'identity_not_believed') this.disown();
      }
    }
    if (this.token) this.connect();
    void this.flush();
  }

  private disown() {
    // biome-ignore lint/suspicious/noConsole: for whoever builds the site
    console.warn('Uzel: data-identity is not signed with the secret of this widget, or has expired');
    this.identity = null;
    this.storage = storageOf('localStorage');
    this.restore();
  }

  private restore() {
    const kept = this.read();
    if (!this.identity && kept.token) this.token = kept.token;
    for (const pending of kept.pending) {
      if (this.own.has(pending.id)) continue;
      this.own.add(pending.id);
      this.pending.push({ ...pending, files: [] });
    }
    if (this.token && !this.socket) this.connect();
    this.changed();
  }

  private read(): { token?: string; pending: Pending[] } {
    try {
      const kept = JSON.parse(this.storage?.getItem(this.name) ?? 'null');
      return { token: kept?.token, pending: Array.isArray(kept?.pending) ? kept.pending : [] };
    } catch {
      return { pending: [] };
    }
  }

  private save() {
    // What other tabs have to send stays theirs.
    const others = this.read().pending.filter((pending) => !this.own.has(pending.id));
    const pending = [...others, ...this.pending.map(({ files: _, ...kept }) => kept)];
    const token = this.identity ? undefined : this.token;
    try {
      this.storage?.setItem(this.name, JSON.stringify({ token, pending }));
    } catch {
      // Full or forbidden: it lives as long as the page.
    }
  }

  private async ask<T>(path: string, body?: unknown, raw?: File): Promise<T> {
    const headers: Record<string, string> = {};
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    if (raw) headers['content-type'] = raw.type || 'application/octet-stream';
    else if (body !== undefined) headers['content-type'] = 'application/json';
    const options: RequestInit = { headers, credentials: 'omit' };
    if (raw || body !== undefined) {
      options.method = 'POST';
      options.body = raw ?? JSON.stringify(body);
    }
    const response = await fetch(this.url + path, options);
    const answer = await response.json();
    if (response.ok) return answer;
    throw new Refusal(
      response.status,
      answer?.errors?.[0]?.code ?? '',
      Number(response.headers.get('retry-after')),
    );
  }

  private async introduce() {
    const identity = this.identity ?? undefined;
    const { token } = await this.ask<{ token: string }>('/session', { identity });
    // Another tab may have been faster: all of them are one visitor.
    this.token = (!this.identity && this.read().token) || token;
    if (!this.identity) this.save();
  }

  /** In the storage too, or it would be taken for another tab's. */
  private forget() {
    this.token = null;
    this.save();
  }

  send(text: string, files: File[], profile?: Partial<Record<Field, string>>) {
    const id = makeId();
    this.own.add(id);
    this.pending.push({ id, text, files, sent: [], profile, at: new Date().toISOString() });
    this.save();
    this.changed();
    void this.flush();
  }

  retry(id: string) {
    const pending = this.pending.find((one) => one.id === id);
    if (pending) pending.failed = undefined;
    this.save();
    this.changed();
    void this.flush();
  }

  remove(id: string) {
    this.pending = this.pending.filter((one) => one.id !== id);
    this.save();
    this.changed();
  }

  /** Sends what waits, one after the other: the order in which it was written is kept. */
  private async flush() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (;;) {
        const next = this.pending.find((one) => !one.failed);
        if (!next) break;
        try {
          await this.post(next);
          this.offline = false;
          this.pending = this.pending.filter((one) => one !== next);
          this.save();
          if (!this.socket) this.connect();
        } catch (error) {
          const refusal = error instanceof Refusal ? error : null;
          if (refusal?.code === 'visitor_token_invalid') {
            this.forget();
          } else if (refusal?.code === 'identity_not_believed' && this.identity) {
            this.disown();
          } else if (refusal && refusal.status < 500 && ![408, 429].includes(refusal.status)) {
            next.failed = refusal.code || 'failed';
            this.save();
          } else {
            if (!refusal) this.offline = true;
            clearTimeout(this.timer);
            const wait = refusal?.retryAfter ? refusal.retryAfter * 1000 : this.pause();
            this.timer = window.setTimeout(() => this.hurry(), wait);
            break;
          }
        }
        this.changed();
      }
    } finally {
      this.sending = false;
      this.changed();
    }
  }

  private async post(pending: Pending) {
    if (!this.token) await this.introduce();
    while (pending.files.length > 0) {
      const [file] = pending.files;
      if (!file) break;
      const name = encodeURIComponent(file.name);
      pending.sent.push(await this.ask<SentFile & { pass: string }>(`/files?name=${name}`, undefined, file));
      pending.files.shift();
      this.save();
    }
    if (!pending.text && pending.sent.length === 0) throw new Refusal(0, 'lost', 0);
    const message = await this.ask<Message>('/messages', {
      client_message_id: pending.id,
      text: pending.text,
      files: pending.sent.map(({ id, pass }) => ({ id, pass })),
      profile: pending.profile ?? {},
      page: { url: location.href, title: document.title },
    });
    this.put(message);
  }

  private put(message: Message) {
    const known = this.messages.get(message.id);
    if (!known || known.version <= message.version) this.messages.set(message.id, message);
    if (message.from === 'operator') this.typing = null;
    // The answer of a request may come after the event of what it did.
    if (message.client_message_id && !this.sending) {
      this.pending = this.pending.filter((one) => one.id !== message.client_message_id);
    }
  }

  private take(page: Page) {
    for (const message of page.items) this.put(message);
    this.seen = Math.max(this.seen, page.seen_position);
  }

  private async load() {
    const page = await this.ask<Page>('/messages');
    const oldest = page.items[0];
    if (page.older_cursor && oldest) {
      // Between this page and what was held before there may be a gap.
      for (const [id, held] of this.messages) if (held.position < oldest.position) this.messages.delete(id);
    }
    this.older = page.older_cursor;
    this.take(page);
    this.position = page.position;
    this.offline = false;
    this.receipts();
    this.changed();
  }

  async loadOlder() {
    if (!this.older) return;
    const page = await this.ask<Page>(`/messages?before=${encodeURIComponent(this.older)}`);
    this.older = page.older_cursor;
    this.take(page);
    this.changed();
  }

  private pause() {
    return Math.min(1000 * 2 ** this.failures, 30_000) * (0.5 + Math.random());
  }

  /** Tries at once what would be tried later. */
  private hurry() {
    clearTimeout(this.timer);
    if (this.token && !this.socket && !this.stopped) {
      if (this.deaf) void this.poll();
      else this.connect();
    }
    void this.flush();
  }

  private connect() {
    if (this.socket || this.stopped) return;
    let opened = false;
    let socket: WebSocket;
    try {
      socket = new WebSocket(`${this.url.replace(/^http/, 'ws')}/live`);
    } catch {
      void this.poll();
      return;
    }
    this.socket = socket;
    const beat = window.setInterval(() => this.say({ type: 'heartbeat' }), 25_000);
    socket.onopen = async () => {
      // First what there is, then what follows it.
      try {
        if (!this.position) await this.load();
      } catch {
        socket.close();
        return;
      }
      opened = true;
      socket.send(JSON.stringify({ type: 'watch', token: this.token, position: this.position }));
    };
    socket.onmessage = ({ data }) => void this.hear(JSON.parse(data) as Frame);
    const ended = (code: number) => {
      if (this.socket !== socket) return;
      clearInterval(beat);
      this.socket = null;
      this.told = { delivered: 0, read: 0 };
      if (code === 4100) {
        this.forget();
        this.position = null;
        return;
      }
      if (code > 4100 && code < 4200) {
        this.stopped = true;
        return;
      }
      this.failures += 1;
      if (opened || this.failures < 3) this.again();
      // A proxy may forbid sockets: then by asking.
      else void this.poll();
      this.changed();
    };
    socket.onclose = ({ code }) => ended(code);
    // A policy of the page that forbids it ends it with an error alone, and would do so again.
    socket.onerror = () =>
      window.setTimeout(() => {
        if (socket.readyState !== WebSocket.CLOSED || this.socket !== socket) return;
        this.deaf = true;
        this.failures = 3;
        ended(1006);
      }, 100);
  }

  private async poll() {
    try {
      await this.load();
      this.failures = Math.min(this.failures, 3);
    } catch (error) {
      this.offline = !(error instanceof Refusal);
      this.changed();
    }
    this.again(this.offline ? undefined : 4000);
  }

  private again(wait = this.pause()) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.hurry(), wait);
  }

  private async hear(frame: Frame) {
    if (frame.type === 'typing') {
      this.typing = frame.author ?? '';
      clearTimeout(this.typingTimer);
      this.typingTimer = window.setTimeout(() => {
        this.typing = null;
        this.changed();
      }, 6000);
    } else {
      this.failures = 0;
      this.offline = false;
      if (frame.type === 'watching' && !frame.recovered) {
        try {
          await this.load();
        } catch {
          this.socket?.close();
          return;
        }
      }
      if (frame.type === 'events') {
        for (const item of frame.items) {
          if (item.type === 'message') this.put(item.message);
          else this.seen = Math.max(this.seen, item.position);
        }
      }
      this.position = frame.position;
      if (frame.type === 'watching') void this.flush();
      this.receipts();
    }
    this.changed();
  }

  private say(frame: object): boolean {
    if (this.socket?.readyState !== 1 || !this.position) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Tells the other side what has arrived and what was read. */
  receipts() {
    let delivered = 0;
    let read = 0;
    for (const { from, status, position } of this.messages.values()) {
      if (from !== 'operator' || status === 'read') continue;
      if (status === 'sent') delivered = Math.max(delivered, position);
      if (this.reading && !document.hidden) read = Math.max(read, position);
    }
    if (read > this.told.read && this.say({ type: 'read', through: read })) this.told.read = read;
    else if (delivered > this.told.delivered && this.say({ type: 'delivered', through: delivered }))
      this.told.delivered = delivered;
  }

  write() {
    if (Date.now() - this.typedAt > 3000 && this.say({ type: 'typing' })) this.typedAt = Date.now();
  }

  fileUrl(file: SentFile) {
    return this.base + file.url;
  }

  end() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly retryAfter: number,
  ) {
    super(code);
  }
}

function storageOf(name: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return window[name];
  } catch {
    return null;
  }
}

function makeId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
