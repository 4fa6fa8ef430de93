import { setupI18n } from '@lingui/core';
import type base from '../locales/ru.json';
import { createStore } from '../state/store';

/** Words of the interface. Keys are typed from the base catalogue; messages are compiled while building. */

export type MessageKey = keyof typeof base;
export type Language = 'ru' | 'en';

const STORAGE_KEY = 'uzel-language';
const i18n = setupI18n();

/** The language on screen; the page is drawn anew when it changes. */
export const language = createStore<Language>('ru');

export function preferredLanguage(): Language {
  const kept = read();
  if (kept === 'ru' || kept === 'en') return kept;
  return navigator.language.toLowerCase().startsWith('ru') ? 'ru' : 'en';
}

export async function activateLanguage(next: Language): Promise<void> {
  const catalogue =
    next === 'ru' ? await import('../locales/ru.json?messages') : await import('../locales/en.json?messages');
  i18n.loadAndActivate({ locale: next, messages: catalogue.default });
  document.documentElement.lang = next;
  language.set(next);
}

export function chooseLanguage(next: Language): Promise<void> {
  try {
    localStorage.setItem(STORAGE_KEY, next);
  } catch {
    // The choice then holds until the page is closed.
  }
  return activateLanguage(next);
}

function read(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

export const t = (key: MessageKey, values?: Record<string, unknown>): string => i18n._(key, values);

/** The message of a family by a code that comes from outside, or null when there is none. */
export function tByCode(key: string, values?: Record<string, unknown>): string | null {
  return key in i18n.messages ? i18n._(key, values) : null;
}
