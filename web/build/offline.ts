import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** What a page without a network needs; the rest is fetched when it is wanted. */
const KEPT = /\.(?:js|css)$|golos-text-(?:cyrillic|latin)-wght-normal-.*\.woff2$/;

/**
 * Names the build in the page (the server reads it there), and tells the service worker which files
 * belong to it.
 */
export function offline(): Plugin {
  let files: string[] = [];
  let name = '';
  return {
    name: 'uzel:offline',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        files = Object.keys(context.bundle ?? {}).sort();
        // File names carry the hash of what is in them.
        name = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 16);
        return [{ tag: 'meta', injectTo: 'head', attrs: { name: 'uzel-build', content: name } }];
      },
    },
    async writeBundle(options) {
      const path = join(options.dir ?? 'dist', 'service-worker.js');
      const source = await readFile(path, 'utf8');
      const kept = ['/', ...files.filter((file) => KEPT.test(file)).map((file) => `/${file}`)];
      const filled = source
        .replace("'BUILD'", JSON.stringify(name))
        .replace("['FILES']", JSON.stringify(kept));
      if (filled === source) this.error('the service worker has no place for the names of its files');
      await writeFile(path, filled);
    },
  };
}
