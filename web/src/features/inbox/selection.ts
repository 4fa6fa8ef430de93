import { createStore } from '../../state/store';

/** Which rows of the list on screen are selected, for what is done to several at once. */

/** As many as one request takes. */
export const SELECTION_LIMIT = 200;

export interface Selection {
  ids: readonly number[];
  /** From where a range is drawn. */
  anchor: number | null;
  /** A click selects instead of opening. */
  choosing: boolean;
}

const NONE: Selection = { ids: [], anchor: null, choosing: false };

export const selection = createStore<Selection>(NONE);

export const dropSelection = () => selection.set(NONE);

export const beginChoosing = () => selection.update((now) => ({ ...now, choosing: true }));

const bounded = (ids: readonly number[]) => ids.slice(0, SELECTION_LIMIT);

/** One more, or one less. */
export function toggled(now: Selection, id: number): Selection {
  const ids = now.ids.includes(id) ? now.ids.filter((one) => one !== id) : bounded([...now.ids, id]);
  return { ...now, ids, anchor: id };
}

/** From the anchor through `id`, in the order on screen. */
export function extended(now: Selection, order: readonly number[], id: number): Selection {
  const anchor = now.anchor !== null && order.includes(now.anchor) ? now.anchor : id;
  const [from, to] = [order.indexOf(anchor), order.indexOf(id)].sort((a, b) => a - b) as [number, number];
  const range = order.slice(from, to + 1);
  // What is nearest to the anchor comes first, should there be too many.
  return { ...now, ids: bounded(order[from] === anchor ? range : range.reverse()), anchor };
}

export const everything = (now: Selection, order: readonly number[]): Selection => ({
  ...now,
  ids: bounded(order),
});

/** Without what has left the list. */
export function remaining(now: Selection, order: readonly number[]): Selection {
  const there = new Set(order);
  const ids = now.ids.filter((id) => there.has(id));
  return ids.length === now.ids.length ? now : { ...now, ids };
}
