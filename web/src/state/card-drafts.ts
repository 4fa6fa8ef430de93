import { createStore } from './store';

/**
 * What a member has begun to write on clients' cards and not saved. It stays while other chats are read
 * and events arrive; only saving or giving up ends it.
 */

export type CardField = 'name' | 'phone' | 'comment';

export interface CardDraft {
  text: string;
  /** What the field said when the writing began. */
  before: string;
}

const keyOf = (contact: number, field: CardField) => `${contact}/${field}`;

export function createCardDrafts() {
  const store = createStore<Record<string, CardDraft>>({});
  return {
    store,
    of: (drafts: Record<string, CardDraft>, contact: number, field: CardField): CardDraft | undefined =>
      drafts[keyOf(contact, field)],
    put: (contact: number, field: CardField, draft: CardDraft) =>
      store.update((now) => ({ ...now, [keyOf(contact, field)]: draft })),
    drop: (contact: number, field: CardField) =>
      store.update(({ [keyOf(contact, field)]: _, ...rest }) => rest),
    /** Whether closing the page would lose words. */
    isDirty: () => Object.values(store.get()).some(({ text, before }) => text.trim() !== before),
  };
}

export type CardDrafts = ReturnType<typeof createCardDrafts>;
