import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';

/**
 * The names of emoji, in the languages of the interface, as files of our own: the picker asks for them
 * when it is opened, and nothing is asked of a foreign server.
 */

const LOCALES = ['ru', 'en'];
const PATH = /^\/emoji\/(ru|en)\/(data|messages)\.json$/;
/** Fields the picker does not read would double the files. */
const KEPT = ['emoji', 'hexcode', 'group', 'subgroup', 'label', 'order', 'tags', 'version', 'tone'];

const require = createRequire(import.meta.url);

async function dataOf(locale: string, file: string): Promise<string> {
  const text = await readFile(require.resolve(`emojibase-data/${locale}/${file}.json`), 'utf8');
  if (file === 'messages') return text;
  type Entry = Record<string, unknown> & { skins?: Entry[] };
  const slim = (entry: Entry): Entry => ({
    ...Object.fromEntries(Object.entries(entry).filter(([field]) => KEPT.includes(field))),
    ...(entry.skins && { skins: entry.skins.map(slim) }),
  });
  return JSON.stringify((JSON.parse(text) as Entry[]).map(slim));
}

export function emojiData(): Plugin {
  return {
    name: 'uzel:emoji-data',
    async generateBundle() {
      for (const locale of LOCALES) {
        for (const file of ['data', 'messages']) {
          const source = await dataOf(locale, file);
          this.emitFile({ type: 'asset', fileName: `emoji/${locale}/${file}.json`, source });
        }
      }
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const [, locale, file] = PATH.exec(request.url ?? '') ?? [];
        if (!locale || !file) return next();
        dataOf(locale, file).then((text) => {
          response.setHeader('Content-Type', 'application/json');
          response.end(text);
        }, next);
      });
    },
  };
}
