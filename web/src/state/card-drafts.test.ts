import { describe, expect, it } from 'vitest';
import { createCardDrafts } from './card-drafts';

describe('what is begun on a card', () => {
  it('belongs to one field of one client until it is dropped', () => {
    const drafts = createCardDrafts();
    drafts.put(1, 'comment', { text: 'Дочь Соня', before: '' });
    drafts.put(2, 'comment', { text: 'Другое', before: '' });
    const of = (contact: number, field: 'name' | 'comment') =>
      drafts.of(drafts.store.get(), contact, field)?.text;
    expect([of(1, 'comment'), of(2, 'comment'), of(1, 'name')]).toEqual(['Дочь Соня', 'Другое', undefined]);
    drafts.drop(1, 'comment');
    expect([of(1, 'comment'), of(2, 'comment')]).toEqual([undefined, 'Другое']);
  });

  it('is worth a question only when it says something new', () => {
    const drafts = createCardDrafts();
    expect(drafts.isDirty()).toBe(false);
    drafts.put(1, 'name', { text: ' Катя ', before: 'Катя' });
    expect(drafts.isDirty()).toBe(false);
    drafts.put(1, 'comment', { text: '', before: 'Дочь Соня' });
    expect(drafts.isDirty()).toBe(true);
  });
});
