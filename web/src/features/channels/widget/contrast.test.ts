import { expect, test } from 'vitest';
import { contrastWithWhite, LEAST_CONTRAST } from './contrast';

test('the lightest grey on which white can be read is the one the server takes', () => {
  expect(contrastWithWhite('#767676')).toBeGreaterThanOrEqual(LEAST_CONTRAST);
  expect(contrastWithWhite('#777777')).toBeLessThan(LEAST_CONTRAST);
  expect(contrastWithWhite('#000000')).toBeCloseTo(21);
  expect(contrastWithWhite('red')).toBeNull();
});
