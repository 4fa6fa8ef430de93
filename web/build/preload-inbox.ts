import type { Plugin, Rollup } from 'vite';

/**
 * Asks at once for what the inbox will ask for by and by: its chunks, whose names the page otherwise
 * learns only when the first ones run. The words of the chosen language are asked for by `scheme.js`,
 * which is told here how they are called.
 */

const INBOX = ['src/routes/company.tsx', 'src/routes/messages.tsx'];
const WORDS = { ru: 'src/locales/ru.json?messages', en: 'src/locales/en.json?messages' };

export function preloadInbox(): Plugin {
  return {
    name: 'uzel:preload-inbox',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, context) {
        const bundle = context.bundle ?? {};
        const chunks = Object.values(bundle).filter(
          (file): file is Rollup.OutputChunk => file.type === 'chunk',
        );
        const of = (module: string) => {
          const found = chunks.find((chunk) => chunk.facadeModuleId?.endsWith(module));
          if (!found) throw new Error(`no chunk begins with ${module}`);
          return found;
        };
        const wanted = new Set<Rollup.OutputChunk>();
        const take = (chunk: Rollup.OutputChunk) => {
          if (wanted.has(chunk)) return;
          wanted.add(chunk);
          for (const name of chunk.imports) {
            const imported = bundle[name];
            if (imported?.type === 'chunk') take(imported);
          }
        };
        for (const module of INBOX) take(of(module));
        const known = (name: string) => html.includes(`/${name}"`);
        const scripts = [...wanted].map((chunk) => chunk.fileName).filter((name) => !known(name));
        const styles = new Set(
          [...wanted]
            .flatMap((chunk) => [...(chunk.viteMetadata?.importedCss ?? [])])
            .filter((name) => !known(name)),
        );
        const told = Object.entries(WORDS).map(
          ([language, module]) => ` data-${language}="/${of(module).fileName}"`,
        );
        const marked = html.replace('<script src="/scheme.js"', `<script src="/scheme.js"${told.join('')}`);
        if (marked === html) throw new Error('index.html does not load scheme.js');
        return {
          html: marked,
          tags: [
            ...scripts.map((name) => ({
              tag: 'link',
              injectTo: 'head' as const,
              attrs: { rel: 'modulepreload', crossorigin: true, href: `/${name}` },
            })),
            ...[...styles].map((name) => ({
              tag: 'link',
              injectTo: 'head' as const,
              attrs: { rel: 'preload', as: 'style', crossorigin: true, href: `/${name}` },
            })),
          ],
        };
      },
    },
  };
}
