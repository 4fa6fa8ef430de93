import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { useCombobox } from './useCombobox';

afterEach(cleanup);

const chosen: number[] = [];

function List({ count, query }: { count: number; query: string }) {
  const combobox = useCombobox({ count, query, onChoose: (place) => chosen.push(place) });
  return (
    <>
      <input {...combobox.input} aria-label="field" />
      <div role="listbox" id={combobox.listId} aria-label="list">
        {Array.from({ length: count }, (_, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place is all there is
          <div key={place} role="option" tabIndex={-1} {...combobox.option(place)}>
            {place}
          </div>
        ))}
      </div>
    </>
  );
}

const selected = () => screen.getByRole('option', { selected: true }).textContent;
const press = (key: string) => fireEvent.keyDown(screen.getByRole('combobox'), { key });

describe('a list that is walked by the keys of its field', () => {
  it('goes round in both directions and says which entry is meant', () => {
    render(<List count={3} query="" />);
    expect(selected()).toBe('0');
    press('ArrowUp');
    expect(selected()).toBe('2');
    press('ArrowDown');
    press('ArrowDown');
    expect(selected()).toBe('1');
    const field = screen.getByRole('combobox');
    expect(field.getAttribute('aria-activedescendant')).toBe(screen.getByText('1').id);
    press('Enter');
    expect(chosen).toEqual([1]);
  });

  it('begins at the top for other words, and never points behind the end', () => {
    const { rerender } = render(<List count={9} query="a" />);
    press('PageDown');
    expect(selected()).toBe('5');
    rerender(<List count={2} query="a" />);
    expect(selected()).toBe('1');
    rerender(<List count={2} query="ab" />);
    expect(selected()).toBe('0');
    rerender(<List count={0} query="ab" />);
    expect(screen.getByRole('combobox').getAttribute('aria-activedescendant')).toBeNull();
  });
});
