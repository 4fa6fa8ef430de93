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
