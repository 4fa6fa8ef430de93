import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Figures with their budgets, and the table that they make. */

export interface Figure {
  what: string;
  unit: string;
  values: number[];
  /** `undefined`: told for comparison. */
  budget?: number;
}

const sorted = (values: number[]) => [...values].sort((a, b) => a - b);

export function quantile(values: number[], part: number): number {
  const all = sorted(values);
  return all[Math.min(all.length - 1, Math.floor(all.length * part))] ?? Number.NaN;
}

export const median = (values: number[]): number => quantile(values, 0.5);

const shown = (value: number, unit: string) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;

export function table(figures: Figure[]): string {
  const rows = figures.map(({ what, unit, values, budget }) => {
    const middle = median(values);
    const verdict = budget === undefined ? '' : middle <= budget ? 'kept' : 'MISSED';
    const range =
      values.length > 1 ? ` (${shown(Math.min(...values), unit)} to ${shown(Math.max(...values), unit)})` : '';
    const limit = budget === undefined ? '' : `at most ${shown(budget, unit)}`;
    return `| ${what} | ${shown(middle, unit)}${range} | ${values.length} | ${limit} | ${verdict} |`;
  });
  return ['| figure | median (least to most) | times | budget | |', '|---|---|---|---|---|', ...rows].join('\n');
}

export function machine(browser: string): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${memory} GiB memory, Linux ${release()}, headless Chromium ${browser} without a graphics card`;
}

const BEGIN = '<!-- figures: begin -->';
const END = '<!-- figures: end -->';

/** Puts the figures between the markers of a page. */
export function writeInto(path: string, text: string): void {
  const page = readFileSync(path, 'utf8');
  const [before] = page.split(BEGIN);
  const [, after] = page.split(END);
  writeFileSync(path, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
}
