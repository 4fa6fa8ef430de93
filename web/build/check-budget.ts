import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** What the inbox has to load before a chat can be read, in the language with the longer words. */
const NEEDED = [
  'src/main.tsx',
  'src/routes/company.tsx',
  'src/routes/messages.tsx',
  'src/routes/conversation.tsx',
  'src/locales/ru.json?messages',
];
const LIMIT_BYTES = 200 * 1024;

/** Fails the build when the script of the inbox outgrows its budget (gzip). */
export function checkBudget(): Plugin {
  return {
    name: 'uzel:budget',
    apply: 'build',
    async writeBundle(options, bundle) {
      const needed = new Set<string>();
      const take = (fileName: string) => {
        const chunk = bundle[fileName];
        if (needed.has(fileName) || chunk?.type !== 'chunk') return;
        needed.add(fileName);
        for (const imported of chunk.imports) take(imported);
      };
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        if (NEEDED.some((path) => chunk.facadeModuleId?.endsWith(path))) take(chunk.fileName);
      }
      let size = 0;
      for (const fileName of needed) {
        size += gzipSync(await readFile(join(options.dir ?? 'dist', fileName)), { level: 9 }).length;
      }
      const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KB`;
      if (needed.size < NEEDED.length) this.error('the budget no longer knows what the inbox loads');
      if (size > LIMIT_BYTES) {
        this.error(`the inbox loads ${kilobytes(size)} of script, its budget is ${kilobytes(LIMIT_BYTES)}`);
      }
      this.info(`the inbox loads ${kilobytes(size)} of script (gzip), of ${kilobytes(LIMIT_BYTES)}`);
    },
  };
}
