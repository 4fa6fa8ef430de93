import { type KeyboardEvent, useEffect, useId, useState } from 'react';

/**
 * A field whose list is walked by its own keys: the focus stays in the field, the list shows which entry
 * is meant. The first one is, until an arrow says otherwise.
 */
export function useCombobox({
  count,
  query,
  onChoose,
}: {
  count: number;
  /** What the list answers: another one begins at its top. */
  query: string;
  onChoose: (place: number, event: KeyboardEvent) => void;
}) {
  const id = useId();
  const [place, setPlace] = useState({ query, active: 0 });
  if (place.query !== query) setPlace({ query, active: 0 });
  const active = Math.min(place.active, Math.max(0, count - 1));
  const setActive = (next: number) => setPlace({ query, active: next });
  const optionId = (option: number) => `${id}-${option}`;

  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView?.({ block: 'nearest' });
  }, [id, active]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || count === 0) return;
    if (event.key === 'ArrowDown') setActive((active + 1) % count);
    else if (event.key === 'ArrowUp') setActive((active - 1 + count) % count);
    else if (event.key === 'PageDown') setActive(Math.min(count - 1, active + 5));
    else if (event.key === 'PageUp') setActive(Math.max(0, active - 5));
    else if (event.key === 'Enter') onChoose(active, event);
    else return;
    event.preventDefault();
  };

  return {
    active,
    setActive,
    input: {
      role: 'combobox',
      'aria-expanded': true,
      'aria-controls': `${id}-list`,
      'aria-autocomplete': 'list',
      'aria-activedescendant': count > 0 ? optionId(active) : undefined,
      autoComplete: 'off',
      spellCheck: false,
      onKeyDown,
    } as const,
    listId: `${id}-list`,
    option: (option: number) =>
      ({
        id: optionId(option),
        'aria-selected': option === active,
        onPointerMove: () => option !== active && setActive(option),
        // The focus stays in the field.
        onMouseDown: (event: { preventDefault(): void }) => event.preventDefault(),
      }) as const,
  };
}
