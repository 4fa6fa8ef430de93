import { describe, expect, it } from 'vitest';
import type { Ephemeral } from '../api/types';
import { applyEphemeral, clientWrote, createPresence, expire, TYPING_HOLDS_MS } from './ephemeral';

const nobody = createPresence().get();
const clientTyping: Ephemeral = { kind: 'client_typing', conversation_id: 5 };

describe('what passes', () => {
  it('shows that a client is writing for six seconds, and longer when it is told again', () => {
    const once = applyEphemeral(nobody, clientTyping, 1_000);
    expect(expire(once, 1_000 + TYPING_HOLDS_MS - 1)).toBe(once);
    expect(expire(once, 1_000 + TYPING_HOLDS_MS).clientTyping).toEqual({});
    const again = applyEphemeral(once, clientTyping, 4_000);
    expect(expire(again, 1_000 + TYPING_HOLDS_MS).clientTyping).toEqual({ 5: 4_000 + TYPING_HOLDS_MS });
  });

  it('ends with the message that was being written', () => {
    const writing = applyEphemeral(nobody, clientTyping, 0);
    expect(clientWrote(writing, [6])).toBe(writing);
    expect(clientWrote(writing, [5]).clientTyping).toEqual({});
  });

  it('ignores what only a later server knows', () => {
    const unknown = { kind: 'dancing', conversation_id: 5 } as unknown as Ephemeral;
    expect(applyEphemeral(nobody, unknown, 0)).toBe(nobody);
  });
});
