import { useEffect, useRef } from 'react';
import type { MessageKey } from '../../i18n';
import { flag } from '../../state/preferences';

/**
 * Every key that does something wherever the focus is, in one table: what handles keys and the sheet that
 * lists them read the same rows. Keys are places on the keyboard (`KeyboardEvent.code`), so that they
 * work in the Russian layout.
 */

export interface Shortcut {
  code: string;
  alt?: true;
  /** Ctrl, or ⌘ on Apple's. */
  ctrl?: true;
  shift?: true;
  name: MessageKey;
}

export const SHORTCUTS = {
  next_chat: { code: 'KeyJ', alt: true, name: 'shortcuts.next_chat' },
  previous_chat: { code: 'KeyK', alt: true, name: 'shortcuts.previous_chat' },
  next_unanswered: { code: 'KeyU', alt: true, shift: true, name: 'shortcuts.next_unanswered' },
  assign_me: { code: 'KeyI', alt: true, name: 'shortcuts.assign_me' },
  assign: { code: 'KeyI', alt: true, shift: true, name: 'shortcuts.assign' },
  archive: { code: 'KeyE', alt: true, name: 'shortcuts.archive' },
  mark_answered: { code: 'KeyU', alt: true, name: 'shortcuts.mark_answered' },
  reply: { code: 'KeyL', alt: true, name: 'shortcuts.reply' },
  note: { code: 'KeyP', alt: true, name: 'shortcuts.note' },
  card: { code: 'KeyO', alt: true, name: 'shortcuts.card' },
  sheet: { code: 'Slash', shift: true, name: 'shortcuts.sheet' },
} as const satisfies Record<string, Shortcut>;

export type ShortcutId = keyof typeof SHORTCUTS;

/** Keys of the search, the chat list and the composer, which listen for themselves: for the sheet. */
export const LOCAL_KEYS: readonly { keys: readonly string[]; name: MessageKey }[] = [
  { keys: ['Ctrl', 'K'], name: 'search.open' },
  { keys: ['↑', '↓'], name: 'shortcuts.walk' },
  { keys: ['Shift', '↓'], name: 'shortcuts.extend' },
  { keys: ['Space'], name: 'shortcuts.pick' },
  { keys: ['Ctrl', 'A'], name: 'shortcuts.pick_all' },
  { keys: ['Esc'], name: 'shortcuts.drop' },
  { keys: ['/'], name: 'shortcuts.quick_reply' },
];

/** Keys without Alt or Ctrl may be turned off: speech input presses them by accident. */
export const singleKeys = flag('uzel-single-keys', true);

const needsModifier = ({ alt, ctrl }: Shortcut) => alt === true || ctrl === true;

const inField = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function matches(event: KeyboardEvent, shortcut: Shortcut): boolean {
  // The question mark stands elsewhere on other keyboards.
  const asked = shortcut.code === 'Slash' && event.key === '?';
  return (
    (event.code === shortcut.code || asked) &&
    event.altKey === (shortcut.alt ?? false) &&
    (event.ctrlKey || event.metaKey) === (shortcut.ctrl ?? false) &&
    event.shiftKey === (shortcut.shift ?? false)
  );
}

/** Handles keys of the table while the component is on screen. A dialog keeps them to itself. */
export function useShortcuts(handlers: Partial<Record<ShortcutId, () => void>>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      for (const [id, shortcut] of Object.entries(SHORTCUTS) as [ShortcutId, Shortcut][]) {
        const run = latest.current[id];
        if (!run || !matches(event, shortcut)) continue;
        if (!needsModifier(shortcut) && (inField(event.target) || singleKeys.store.get() === 'off')) continue;
        if (document.querySelector('[aria-modal="true"]')) return;
        event.preventDefault();
        run();
        return;
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}
