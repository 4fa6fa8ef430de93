import { compileMessage } from '@lingui/message-utils/compileMessage';
import type { Plugin } from 'vite';

/** Compiles catalogues (`import('./ru.json?messages')`) while building, so that no ICU parser is shipped. */
export function messages(): Plugin {
  return {
    name: 'uzel:messages',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('.json?messages')) return null;
      const catalogue = JSON.parse(code) as Record<string, string>;
      const compiled = Object.fromEntries(
        Object.entries(catalogue).map(([key, text]) => [key, compileMessage(text)]),
      );
      return { code: `export default ${JSON.stringify(compiled)}`, moduleType: 'js', map: null };
    },
  };
}
