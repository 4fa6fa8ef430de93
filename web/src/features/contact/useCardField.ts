import { useState } from 'react';
import { changeContact } from '../../api/contacts';
import { type ApiError, asApiError } from '../../api/error';
import type { Conversation } from '../../api/types';
import type { CardField } from '../../state/card-drafts';
import { useStore } from '../../state/store';
import { useInside } from '../shell/workspace-context';

/**
 * A field of the card that a member writes in. What it says on the server goes on changing meanwhile:
 * `theirs` is what somebody else has made of it since the writing began.
 */
export function useCardField(conversation: Conversation, field: CardField, value: string) {
  const { workspace } = useInside();
  const drafts = workspace.cardDrafts;
  const contact = conversation.contact.id;
  const draft = useStore(drafts.store, (all) => drafts.of(all, contact, field));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  /** What a refusal said the field says now: it may be newer than what has reached this page. */
  const [refused, setRefused] = useState<string | null>(null);

  const end = () => {
    drafts.drop(contact, field);
    setError(null);
    setRefused(null);
  };
  const theirs = draft ? (refused ?? (value === draft.before ? null : value)) : null;

  /** `over`: the words that the new ones knowingly take the place of. */
  const save = async (over = draft?.before ?? value): Promise<boolean> => {
    if (!draft || busy) return false;
    const text = draft.text.trim();
    if (text === over && theirs === null) {
      end();
      return true;
    }
    setBusy(true);
    setError(null);
    try {
      const body = field === 'comment' ? { comment: text, comment_before: over } : { [field]: text };
      const { items } = await changeContact(workspace.company.id, contact, body);
      workspace.absorb({ conversations: items });
      end();
      return true;
    } catch (cause) {
      const refusal = asApiError(cause);
      if (refusal.code === 'comment_conflict') setRefused(String(refusal.params.comment ?? ''));
      else setError(refusal);
      return false;
    } finally {
      setBusy(false);
    }
  };

  return {
    editing: draft !== undefined,
    text: draft?.text ?? value,
    theirs,
    busy,
    error,
    begin: () => drafts.put(contact, field, { text: value, before: value }),
    write: (text: string) => {
      drafts.put(contact, field, { text, before: draft?.before ?? value });
      setError(null);
    },
    save,
    cancel: end,
  };
}
