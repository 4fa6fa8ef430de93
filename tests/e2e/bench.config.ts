import { defineConfig } from '@playwright/test';
import journeys from './playwright.config';

/** Measures the interface; `make bench-web` starts it. Figures are printed, never asserted. */
export default defineConfig({
  ...journeys,
  testDir: 'bench',
  timeout: 900_000,
  fullyParallel: false,
  workers: 1,
  use: { ...journeys.use, trace: 'off', screenshot: 'off' },
});
