import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { checkBudget } from './build/check-budget.ts';
import { emojiData } from './build/emoji-data.ts';
import { messages } from './build/messages.ts';
import { offline } from './build/offline.ts';
import { precompress } from './build/precompress.ts';
import { preloadFonts } from './build/preload-fonts.ts';
import { preloadInbox } from './build/preload-inbox.ts';

const server = process.env.UZEL_DEV_SERVER ?? 'http://127.0.0.1:8080';

// The oldest browsers the product promises; Vite's own default is newer.
const oldest = ['chrome91', 'edge97', 'firefox95', 'safari15'];

export default defineConfig({
  plugins: [
    react(),
    messages(),
    preloadFonts(),
    preloadInbox(),
    emojiData(),
    offline(),
    checkBudget(),
    precompress(),
  ],
  build: {
    target: oldest,
    cssTarget: oldest,
    // Every asset is a file: the content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What several pages share, together: a browser without HTTP/2 asks for six files at a time.
          groups: [
            { name: 'icons', test: /@tabler/, minShareCount: 2 },
            { name: 'shared', test: /web\/src\//, minShareCount: 3 },
          ],
        },
      },
    },
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    strictPort: true,
    proxy: {
      '/api': { target: server, ws: true },
      '/webhooks': { target: server },
      '/widget': { target: server, ws: true },
      '/demo': { target: server },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/mocks/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
  },
});
