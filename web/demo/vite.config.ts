import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { precompress } from '../build/precompress.ts';

const oldest = ['chrome91', 'edge97', 'firefox95', 'safari15'];
const root = fileURLToPath(new URL('.', import.meta.url));

/** The page of `/demo/site`; the server puts the script tag of a widget into it. */
export default defineConfig({
  root,
  base: '/demo/',
  plugins: [precompress()],
  publicDir: false,
  build: {
    target: oldest,
    cssTarget: oldest,
    assetsInlineLimit: 0,
    outDir: '../dist/demo',
    emptyOutDir: true,
    rollupOptions: { input: `${root}site.html` },
  },
});
