import * as api from '../../api/conversations';
import { asApiError } from '../../api/error';
import type { Conversation, ConversationChange } from '../../api/types';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useInside } from '../shell/workspace-context';
import { dropSelection, selection } from './selection';

/** How to take a change back: what each conversation was is known from before. */
function undoOf(change: ConversationChange, was: readonly Conversation[]): [number[], ConversationChange][] {
  switch (change.kind) {
    case 'archive':
      return [[was.filter((row) => row.state === 'open').map((row) => row.id), { kind: 'reopen' }]];
    case 'reopen':
      return [[was.filter((row) => row.state === 'archived').map((row) => row.id), { kind: 'archive' }]];
    case 'assign': {
      const groups = new Map<number | null, number[]>();
      for (const row of was) {
        if (row.assignee_id === change.member_id) continue;
        groups.set(row.assignee_id, [...(groups.get(row.assignee_id) ?? []), row.id]);
      }
      return [...groups].map(([member_id, ids]) => [ids, { kind: 'assign', member_id }]);
    }
    case 'mark_answered':
      return [];
  }
}

/** What is done to all that is selected: one request, an answer for each. */
export function useBulk() {
  const { workspace } = useInside();
  const company = workspace.company.id;

  const ask = async (ids: readonly number[], change: ConversationChange) => {
    const { items } = await api.changeConversations(company, ids, change);
    workspace.absorb({ conversations: items.flatMap((item) => item.conversation ?? []) });
    return items;
  };

  const takeBack = async (undo: readonly [number[], ConversationChange][]) => {
    try {
      for (const [ids, change] of undo) if (ids.length > 0) await ask(ids, change);
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
    }
  };

  return async (change: ConversationChange): Promise<void> => {
    const { ids } = selection.get();
    if (ids.length === 0) return;
    const held = workspace.store.get().entities.conversations;
    const was = ids.flatMap((id) => held[id] ?? []);
    try {
      const items = await ask(ids, change);
      const refused = items.filter((item) => item.refusal);
      const done = items.filter((item) => item.conversation).map((item) => item.conversation_id);
      dropSelection();
      const [first] = refused;
      if (first?.refusal) {
        showToast({
          text: t('bulk.refused', {
            count: refused.length,
            of: items.length,
            reason: sentenceOf({ ...first.refusal, params: first.refusal.params ?? {}, requestId: null }),
          }),
        });
        return;
      }
      const undo = undoOf(
        change,
        was.filter((row) => done.includes(row.id)),
      ).filter(([some]) => some.length > 0);
      showToast({
        text: t(`bulk.done.${change.kind}`, { count: done.length }),
        ...(undo.length > 0 && { action: { name: t('action.undo'), run: () => void takeBack(undo) } }),
      });
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
    }
  };
}
