import type { Plugin } from 'vite';

/** Asks for the two font files that every page needs before the style sheet names them. */
export function preloadFonts(): Plugin {
  return {
    name: 'uzel:preload-fonts',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        return Object.keys(context.bundle ?? {})
          .filter((name) => /golos-text-(?:cyrillic|latin)-wght-normal-.*\.woff2$/.test(name))
          .map((name) => ({
            tag: 'link',
            injectTo: 'head' as const,
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${name}`, crossorigin: true },
          }));
      },
    },
  };
}
