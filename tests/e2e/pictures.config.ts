import { defineConfig } from '@playwright/test';
import journeys from './playwright.config';

/** Takes pictures of every screen; `make screenshots` starts it. */
export default defineConfig({
  ...journeys,
  testDir: 'pictures',
  timeout: 600_000,
  fullyParallel: false,
  workers: 1,
});
