import type { Config, Field, Message, Pending, SentFile } from './protocol';
import { type Words, wordsFor } from './words';

/** What is on the screen. */
export interface Shown {
  open: boolean;
  messages: Message[];
  pending: Pending[];
  seen: number;
  older: boolean;
  unread: number;
  offline: boolean;
  typing: string | null;
  /** Whether the form is to be filled in before the first message. */
  asks: boolean;
}

export interface Acts {
  toggle(open: boolean): void;
  send(text: string, files: File[], profile?: Partial<Record<Field, string>>): void;
  write(): void;
  older(): void;
  retry(id: string): void;
  remove(id: string): void;
  fileUrl(file: SentFile): string;
}

const FIELDS: Field[] = ['name', 'phone', 'email'];
const EMOJI = [...'🙂😊😀😂😍😎🤔😢😡👍👎👌🙏👏💪🎉❤🔥⭐✅❓☀🎁🌸'];
const ICONS = {
  chat: 'M4 5.5h16v11H9.5L5 20v-3.500H4z',
  close: 'M6 6l12 12M18 6L6 18',
  fold: 'M5 12h14',
  clip: 'M20 11.500l-8 8a5 5 0 0 1-7-7l8.500-8.500a3.400 3.400 0 0 1 4.800 4.800l-8.400 8.400a1.700 1.700 0 0 1-2.400-2.400l7.500-7.500',
  smile: 'M12 21a9 9 0 1 0 0-18a9 9 0 0 0 0 18M9 9.500v.5M15 9.500v.5M8.500 14a4.500 4.500 0 0 0 7 0',
  send: 'M4 4.500l17 7.500l-17 7.500l2.500-7.500zM6.500 12H13',
  clock: 'M12 20a8 8 0 1 0 0-16a8 8 0 0 0 0 16M12 8v4l2.500 2',
  tick: 'M4 12.500l5 5L20 7',
  ticks: 'M1.500 12.500l5 5L16 7M11 16.500l1.500 1L22.500 7',
  file: 'M7 3h7l5 5v13H7zM14 3v5h5',
};

type Child = Node | string | null | false | undefined;

function h(tag: string, attributes: Record<string, string | (() => void)> = {}, ...children: Child[]) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Not as markup: a page may demand trusted types. */
function icon(name: keyof typeof ICONS) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

export class View {
  private readonly words: Words & { language: string };
  private readonly launcher: HTMLElement;
  private readonly badge: HTMLElement;
  private readonly panel: HTMLElement;
  private readonly faces: HTMLElement;
  private readonly log: HTMLElement;
  private readonly line: HTMLElement;
  private readonly form: HTMLElement;
  private readonly field: HTMLTextAreaElement;
  private readonly chosen: HTMLElement;
  private readonly emoji: HTMLElement;
  private readonly error: HTMLElement;
  private readonly picker: HTMLInputElement;
  private files: File[] = [];
  private shown: Shown | null = null;
  private readonly rows = new Map<string, { mark: string; node: HTMLElement }>();

  constructor(
    readonly root: ShadowRoot,
    private readonly config: Config,
    private readonly acts: Acts,
  ) {
    const words = wordsFor(config.language);
    this.words = words;
    const host = root.host as HTMLElement;
    host.lang = words.language;
    // Through the object model: a policy may forbid style attributes, never this.
    host.style.setProperty('--colour', config.colour);
    const dark =
      config.scheme === 'dark' ||
      (config.scheme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);

    this.badge = h('span', { class: 'badge', 'aria-hidden': 'true' });
    this.launcher = h(
      'button',
      { class: 'launcher', type: 'button', click: () => acts.toggle(true) },
      icon('chat'),
      this.badge,
    );
    this.faces = h('div', { class: 'faces', 'aria-hidden': 'true' });
    const attended = h(
      'p',
      { class: config.attended ? 'there' : 'away' },
      config.subtitle || (config.attended ? words.attended : words.away),
    );
    const close = h(
      'button',
      { class: 'close', type: 'button', 'aria-label': words.close, click: () => acts.toggle(false) },
      icon('fold'),
      icon('close'),
    );
    this.log = h('div', {
      class: 'log',
      role: 'log',
      'aria-live': 'polite',
      tabindex: '0',
      'aria-label': config.title,
    });
    this.line = h('div', { class: 'line', role: 'status' });
    this.form = h('div', { class: 'form' });
    this.error = h('p', { class: 'error', role: 'alert' });
    this.chosen = h('ul', { class: 'chosen' });
    this.emoji = h('div', { class: 'emoji', role: 'group', 'aria-label': words.emoji });
    this.field = h('textarea', {
      rows: '1',
      placeholder: words.message,
      'aria-label': words.message.replace('…', ''),
      dir: 'auto',
      enterkeyhint: 'send',
    }) as HTMLTextAreaElement;
    this.picker = h('input', {
      type: 'file',
      multiple: '',
      tabindex: '-1',
      'aria-hidden': 'true',
    }) as HTMLInputElement;
    const smile = h(
      'button',
      {
        type: 'button',
        class: 'tool',
        'aria-label': words.emoji,
        'aria-expanded': 'false',
        click: () => this.toggleEmoji(smile),
      },
      icon('smile'),
    );
    const composer = h(
      'div',
      { class: 'composer' },
      h(
        'button',
        { type: 'button', class: 'tool', 'aria-label': words.attach, click: () => this.picker.click() },
        icon('clip'),
      ),
      this.picker,
      this.field,
      smile,
      h(
        'button',
        { type: 'button', class: 'send', 'aria-label': words.send, click: () => this.send() },
        icon('send'),
      ),
    );
    this.panel = h(
      'section',
      { class: 'panel', role: 'dialog', 'aria-label': config.title },
      h('header', {}, this.faces, h('div', { class: 'names' }, h('h2', {}, config.title), attended), close),
      this.log,
      this.line,
      h(
        'div',
        { class: 'foot' },
        this.form,
        this.chosen,
        this.error,
        this.emoji,
        composer,
        config.powered_by && h('p', { class: 'powered' }, `${words.powered} `, h('b', {}, words.product)),
      ),
    );
    root.append(
      h('div', { class: `widget ${config.side} ${dark ? 'dark' : ''}` }, this.panel, this.launcher),
    );
    this.listen();
  }

  private listen() {
    this.field.addEventListener('input', () => {
      this.grow();
      this.acts.write();
    });
    this.field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      }
    });
    this.field.addEventListener('paste', (event) => {
      const files = event.clipboardData?.files;
      if (files?.length && !event.clipboardData?.getData('text')) {
        event.preventDefault();
        this.add([...files]);
      }
    });
    this.picker.addEventListener('change', () => {
      this.add([...(this.picker.files ?? [])]);
      this.picker.value = '';
    });
    this.panel.addEventListener('dragover', (event) => event.preventDefault());
    this.panel.addEventListener('drop', (event) => {
      event.preventDefault();
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
    this.panel.addEventListener('keydown', (event) => {
      // Keys pressed here are no shortcuts of the page.
      event.stopPropagation();
      if (event.key === 'Escape') this.acts.toggle(false);
      if (event.key === 'Tab') this.keepFocus(event);
    });
  }

  /** On a phone the panel is all there is to see: focus stays in it. */
  private keepFocus(event: KeyboardEvent) {
    if (!matchMedia('(max-width: 480px)').matches) return;
    const all = [
      ...this.panel.querySelectorAll<HTMLElement>(
        'button, textarea, a[href], input:not([tabindex]), [tabindex="0"]',
      ),
    ];
    const [first, last] = [all[0], all[all.length - 1]];
    const current = this.root.activeElement;
    if (event.shiftKey ? current === first : current === last) {
      event.preventDefault();
      (event.shiftKey ? last : first)?.focus();
    }
  }

  private grow() {
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight, 120)}px`;
  }

  private toggleEmoji(button: HTMLElement) {
    const open = this.emoji.classList.toggle('open');
    button.setAttribute('aria-expanded', String(open));
    if (open && !this.emoji.firstChild) {
      for (const one of EMOJI) {
        this.emoji.append(h('button', { type: 'button', click: () => this.insert(one) }, one));
      }
    }
  }

  private insert(text: string) {
    const { selectionStart, selectionEnd } = this.field;
    this.field.setRangeText(text, selectionStart, selectionEnd, 'end');
    this.grow();
    this.field.focus();
  }

  private add(files: File[]) {
    this.error.textContent = '';
    for (const file of files) {
      if (file.size > this.config.file_limit_bytes) this.error.textContent = this.words.too_big;
      else if (this.files.length < 5) this.files.push(file);
    }
    this.chooseAgain();
  }

  private chooseAgain() {
    this.chosen.replaceChildren(
      ...this.files.map((file) =>
        h(
          'li',
          {},
          icon('file'),
          h('span', {}, file.name),
          h(
            'button',
            {
              type: 'button',
              'aria-label': `${this.words.remove}: ${file.name}`,
              click: () => {
                this.files = this.files.filter((one) => one !== file);
                this.chooseAgain();
              },
            },
            icon('close'),
          ),
        ),
      ),
    );
  }

  private send(text = this.field.value.trim()) {
    if (!text && this.files.length === 0) return;
    this.error.textContent = '';
    if (text.length > this.config.text_limit) {
      this.error.textContent = this.words.too_long;
      return;
    }
    const profile = this.profile();
    if (profile === null) return;
    this.acts.send(text, this.files, profile);
    this.files = [];
    this.chooseAgain();
    this.field.value = '';
    this.emoji.classList.remove('open');
    this.grow();
    this.field.focus();
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** What the form says; `null`: it has to be mended first. */
  private profile(): Partial<Record<Field, string>> | undefined | null {
    if (!this.shown?.asks) return undefined;
    const profile: Partial<Record<Field, string>> = {};
    for (const input of this.form.querySelectorAll('input')) {
      const name = input.name as Field;
      const value = input.value.trim();
      const bad =
        (!value && input.required && this.words.required) ||
        (value && name === 'email' && !/^\S+@\S+\.\S+$/.test(value) && this.words.bad_email) ||
        (value && name === 'phone' && value.replace(/\D/g, '').length < 10 && this.words.bad_phone);
      input.setAttribute('aria-invalid', String(Boolean(bad)));
      if (bad) {
        this.error.textContent = bad;
        input.focus();
        return null;
      }
      if (value) profile[name] = value;
    }
    return profile;
  }

  private ask(asks: boolean) {
    if (!asks) {
      this.form.replaceChildren();
      return;
    }
    if (this.form.firstChild) return;
    for (const field of FIELDS) {
      const rule = this.config.form[field];
      if (rule === 'off') continue;
      const input = h('input', {
        name: field,
        type: field === 'email' ? 'email' : field === 'phone' ? 'tel' : 'text',
        autocomplete: field === 'phone' ? 'tel' : field,
        maxlength: '120',
      }) as HTMLInputElement;
      input.required = rule === 'required';
      this.form.append(
        h('label', {}, h('span', {}, this.words[field] + (rule === 'required' ? ' *' : '')), input),
      );
    }
  }

  update(shown: Shown) {
    const before = this.shown;
    this.shown = shown;
    const { words } = this;
    this.panel.classList.toggle('open', shown.open);
    this.launcher.classList.toggle('hidden', shown.open);
    this.launcher.setAttribute(
      'aria-label',
      shown.unread ? `${words.open}. ${words.unread(shown.unread)}` : words.open,
    );
    this.badge.textContent = shown.unread ? String(Math.min(shown.unread, 99)) : '';
    this.ask(shown.asks);
    this.drawFaces(shown.messages);
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
    const height = this.log.scrollHeight;
    const earlier =
      before && shown.messages[0] && before.messages[0] && before.messages[0].id !== shown.messages[0].id;
    this.drawLog(shown);
    this.line.replaceChildren(
      ...(shown.offline
        ? [words.offline]
        : shown.typing !== null
          ? [
              h('span', { class: 'dots' }, h('i'), h('i'), h('i')),
              words.typing(shown.typing || words.operator),
            ]
          : []),
    );
    if (earlier && !atEnd) this.log.scrollTop += this.log.scrollHeight - height;
    else if (atEnd || (shown.open && !before?.open)) this.log.scrollTop = this.log.scrollHeight;
    if (shown.open && before && !before.open) this.field.focus();
    if (!shown.open && before?.open) this.launcher.focus();
  }

  private drawFaces(messages: Message[]) {
    const names = new Set<string>();
    for (let index = messages.length - 1; index >= 0 && names.size < 2; index -= 1) {
      const author = messages[index]?.author;
      if (author) names.add(author);
    }
    const faces = names.size > 0 ? [...names] : [this.config.title];
    const text = faces.join();
    if (this.faces.dataset.for === text) return;
    this.faces.dataset.for = text;
    this.faces.replaceChildren(...faces.map((name) => h('span', {}, [...name][0]?.toUpperCase())));
  }

  private drawLog(shown: Shown) {
    const wanted: { key: string; mark: string; make: () => HTMLElement }[] = [];
    const add = (key: string, mark: string, make: () => HTMLElement) => wanted.push({ key, mark, make });
    const { config, words } = this;
    if (shown.older)
      add('older', '', () =>
        h('button', { class: 'older', type: 'button', click: () => this.acts.older() }, words.older),
      );
    else if (config.greeting)
      add('greeting', '', () =>
        h(
          'div',
          { class: 'row in' },
          h(
            'div',
            { class: 'bubble' },
            h('b', { class: 'author' }, config.title),
            h('p', {}, config.greeting),
          ),
        ),
      );
    if (!shown.older && !config.attended)
      add('away', '', () => h('p', { class: 'notice' }, config.offline_text || words.away_long));
    const began = shown.pending.length > 0 || shown.messages.some((message) => message.from === 'visitor');
    if (!began && config.suggestions.length > 0)
      add('suggestions', '', () =>
        h(
          'div',
          { class: 'suggestions' },
          ...config.suggestions.map((text) =>
            h('button', { type: 'button', click: () => this.send(text) }, text),
          ),
        ),
      );
    let day = '';
    let author: string | null = null;
    for (const message of shown.messages) {
      const today = this.dayOf(message.sent_at);
      if (today !== day) add(`day:${today}`, today, () => h('p', { class: 'day' }, today));
      if (today !== day) author = null;
      day = today;
      const speaker = message.from === 'visitor' ? '' : (message.author ?? config.title);
      const named = message.from === 'operator' && speaker !== author;
      author = speaker;
      const seen = message.from === 'visitor' && message.position <= shown.seen;
      add(`m:${message.id}`, `${message.version}${named}${seen}`, () => this.row(message, named, seen));
    }
    const sent = new Set(shown.messages.map((message) => message.client_message_id));
    for (const pending of shown.pending) {
      if (sent.has(pending.id)) continue;
      add(`p:${pending.id}`, `${pending.failed}${pending.files.length}`, () => this.waiting(pending));
    }
    const keys = new Set(wanted.map((row) => row.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.node.remove();
      this.rows.delete(key);
    }
    let place = this.log.firstChild;
    for (const { key, mark, make } of wanted) {
      const held = this.rows.get(key);
      let node = held?.node;
      if (!held || held.mark !== mark) {
        const made = make();
        if (node === place) place = place?.nextSibling ?? null;
        node?.remove();
        node = made;
        this.rows.set(key, { mark, node });
      }
      if (node === place) place = place?.nextSibling ?? null;
      else if (node) this.log.insertBefore(node, place);
    }
  }

  private row(message: Message, named: boolean, seen: boolean) {
    const { words } = this;
    const own = message.from === 'visitor';
    const speaker = own ? words.you : (message.author ?? this.config.title);
    const foot = h(
      'span',
      { class: 'foot-line' },
      message.edited && !message.deleted && `${words.edited} `,
      this.timeOf(message.sent_at),
    );
    if (own) {
      const state = h(
        'span',
        { role: 'img', 'aria-label': seen ? words.seen : words.accepted },
        icon(seen ? 'ticks' : 'tick'),
      );
      foot.append(state);
    }
    return h(
      'div',
      { class: `row ${own ? 'out' : 'in'}` },
      h(
        'div',
        { class: `bubble ${message.deleted ? 'gone' : ''}` },
        named ? h('b', { class: 'author' }, speaker) : h('span', { class: 'spoken' }, `${speaker}: `),
        message.reply_to && h('blockquote', { dir: 'auto' }, message.reply_to),
        ...message.files.map((file) => this.file(file)),
        message.deleted ? h('p', {}, words.deleted) : message.text && this.text(message.text),
        foot,
      ),
    );
  }

  private waiting(pending: Pending) {
    const { words } = this;
    const names = [...pending.sent.map((file) => file.name), ...pending.files.map((file) => file.name)];
    const reasons: Record<string, string> = {
      file_too_big: words.too_big,
      file_kind_refused: words.refused,
      text_too_long: words.too_long,
      lost: words.lost,
    };
    return h(
      'div',
      { class: 'row out' },
      h(
        'div',
        { class: 'bubble' },
        h('span', { class: 'spoken' }, `${words.you}: `),
        ...names.map((name) => h('span', { class: 'file' }, icon('file'), h('span', {}, name))),
        pending.text && this.text(pending.text),
        h(
          'span',
          { class: 'foot-line' },
          this.timeOf(pending.at),
          !pending.failed && h('span', { role: 'img', 'aria-label': words.sending }, icon('clock')),
        ),
      ),
      pending.failed &&
        h(
          'p',
          { class: 'failed' },
          `${reasons[pending.failed] ?? words.failed}. `,
          pending.failed !== 'lost' &&
            h('button', { type: 'button', click: () => this.acts.retry(pending.id) }, words.retry),
          h('button', { type: 'button', click: () => this.acts.remove(pending.id) }, words.remove),
        ),
    );
  }

  private file(file: SentFile) {
    const url = this.acts.fileUrl(file);
    const link = { href: url, target: '_blank', rel: 'noopener noreferrer' };
    if (file.kind === 'photo' || file.kind === 'sticker')
      return h(
        'a',
        { ...link, class: 'photo' },
        h('img', {
          src: url,
          alt: `${this.words.photo}: ${file.name}`,
          loading: 'lazy',
          load: () => this.stay(),
        }),
      );
    if (file.kind === 'video' || file.kind === 'animation' || file.kind === 'video_note')
      return h('video', { src: url, controls: '', preload: 'metadata', playsinline: '' });
    if (file.kind === 'voice' || file.kind === 'audio')
      return h('audio', { src: url, controls: '', preload: 'metadata' });
    return h(
      'a',
      { ...link, class: 'file', download: file.name },
      icon('file'),
      h('span', {}, file.name, file.size_bytes !== null && h('small', {}, this.sizeOf(file.size_bytes))),
    );
  }

  /** A picture that takes its place late must not hide the last words. */
  private stay() {
    if (this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 320)
      this.log.scrollTop = this.log.scrollHeight;
  }

  /** Text as it is; only addresses of the web become links. */
  private text(text: string) {
    const paragraph = h('p', { dir: 'auto' });
    let from = 0;
    for (const { 0: url, index = 0 } of text.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g)) {
      paragraph.append(
        text.slice(from, index),
        h('a', { href: url, target: '_blank', rel: 'noopener nofollow noreferrer' }, url),
      );
      from = index + url.length;
    }
    paragraph.append(text.slice(from));
    return paragraph;
  }

  private timeOf(at: string) {
    // As in the interface, the day has 24 hours in both languages.
    const two = (number: number) => String(number).padStart(2, '0');
    const time = new Date(at);
    return `${two(time.getHours())}:${two(time.getMinutes())}`;
  }

  private dayOf(at: string) {
    const day = new Date(at);
    const now = new Date();
    const days = Math.round(
      (new Date(now).setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86_400_000,
    );
    if (days === 0) return this.words.today;
    if (days === 1) return this.words.yesterday;
    return day.toLocaleDateString(this.words.language, {
      day: 'numeric',
      month: 'long',
      year: day.getFullYear() === now.getFullYear() ? undefined : 'numeric',
    });
  }

  private sizeOf(bytes: number) {
    let [value, unit] = [bytes, 0];
    while (value >= 1024 && unit < 2) [value, unit] = [value / 1024, unit + 1];
    return `${value.toLocaleString(this.words.language, { maximumFractionDigits: unit ? 1 : 0 })} ${this.words.sizes[unit]}`;
  }
}
