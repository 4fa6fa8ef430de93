import { describe, expect, it } from 'vitest';
import ru from '../../locales/ru.json';
import { matches, SHORTCUTS, type Shortcut } from './shortcuts';

/** What a browser tells of a key; without one here. */
const press = (some: Partial<KeyboardEvent>) =>
  ({ altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, key: '', ...some }) as KeyboardEvent;

describe('the table of keys', () => {
  const all: [string, Shortcut][] = Object.entries(SHORTCUTS);

  it('has no key twice, and a name for each', () => {
    const combinations = all.map(([, { code, alt, ctrl, shift }]) => [code, alt, ctrl, shift].join());
    expect(new Set(combinations).size).toBe(all.length);
    for (const [id, { name }] of all) expect(ru, id).toHaveProperty([name]);
  });

  it('goes by the place on the keyboard and by exactly its modifiers', () => {
    const { next_chat, assign, assign_me, sheet } = SHORTCUTS;
    expect(matches(press({ code: 'KeyJ', key: 'о', altKey: true }), next_chat)).toBe(true);
    expect(matches(press({ code: 'KeyJ', key: 'j' }), next_chat)).toBe(false);
    expect(matches(press({ code: 'KeyJ', altKey: true, ctrlKey: true }), next_chat)).toBe(false);
    expect(matches(press({ code: 'KeyI', altKey: true, shiftKey: true }), assign)).toBe(true);
    expect(matches(press({ code: 'KeyI', altKey: true, shiftKey: true }), assign_me)).toBe(false);
    expect(matches(press({ code: 'Digit7', key: '?', shiftKey: true }), sheet)).toBe(true);
  });
});
