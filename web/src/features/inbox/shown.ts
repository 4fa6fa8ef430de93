/** The order of the list as it is on screen: what "the next conversation" means. */
let shown: readonly number[] = [];

export const setShown = (order: readonly number[]) => {
  shown = order;
};

/** The row below, else the one above. */
export function neighbourOf(id: number): number | null {
  const index = shown.indexOf(id);
  if (index < 0) return null;
  return shown[index + 1] ?? shown[index - 1] ?? null;
}

/** The row after or before; from nowhere, the first. Stays at the ends. */
export function stepFrom(id: number | null, step: 1 | -1): number | null {
  const index = id === null ? -1 : shown.indexOf(id);
  if (index < 0) return shown[0] ?? null;
  return shown[index + step] ?? null;
}

/** The next row below that fits, then from the top again. */
export function nextOf(id: number | null, fits: (id: number) => boolean): number | null {
  const index = id === null ? -1 : shown.indexOf(id);
  const around = [...shown.slice(index + 1), ...shown.slice(0, Math.max(0, index))];
  return around.find(fits) ?? null;
}
