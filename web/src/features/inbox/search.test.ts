import { describe, expect, it } from 'vitest';
import { messagesSearch, queryOf, searchOf } from './search';

describe('the address of a list', () => {
  it('says everything the list is made of, and nothing it is without', () => {
    const query = {
      filter: 'active' as const,
      channelIds: [2, 5],
      assignee: 7,
      unanswered: true,
    };
    const search = { filter: 'active', channel: '2-5', assignee: 7, unanswered: true };
    expect(searchOf(query)).toEqual(search);
    expect(queryOf(messagesSearch(search))).toEqual(query);
    const plain = { filter: 'open' as const, channelIds: [], assignee: null, unanswered: false };
    expect(searchOf(plain)).toEqual({});
    expect(queryOf({})).toEqual(plain);
    expect(searchOf({ ...plain, channelIds: [3], assignee: 'nobody' })).toEqual({
      channel: 3,
      assignee: 'nobody',
    });
  });

  it('is read as far as it makes sense', () => {
    expect(messagesSearch({ filter: 'nonsense', channel: '-x', assignee: 'anna', message: -1 })).toEqual({});
    expect(messagesSearch({ channel: '5-2-5', message: 9 })).toEqual({ channel: '5-2', message: 9 });
    expect(queryOf(messagesSearch({ channel: '5-2-5' })).channelIds).toEqual([2, 5]);
    expect(messagesSearch({ filter: 'unanswered' })).toEqual({ unanswered: true });
  });
});
