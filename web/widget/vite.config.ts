import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { precompress } from '../build/precompress.ts';

/** What a page of a customer loads, all together (gzip). */
const LIMIT_BYTES = 15 * 1024;

const oldest = ['chrome91', 'edge97', 'firefox95', 'safari15'];
const root = fileURLToPath(new URL('.', import.meta.url));
const sheet = readFileSync(`${root}style.css`);
const sheetName = `widget-${createHash('sha256').update(sheet).digest('hex').slice(0, 10)}.css`;

/**
 * The script that pages name, whose name stays: it brings the one that is kept for ever. A page that
 * demands trusted types lets it do so by the policy `uzel`.
 */
const loader = (file: string) =>
  `(()=>{const s=document.currentScript,e=document.createElement('script'),` +
  `u=new URL('${file}',s.src).href,t=self.trustedTypes;` +
  `e.src=t?t.createPolicy('uzel',{createScriptURL:x=>x}).createScriptURL(u):u;e.async=true;Object.assign(e.dataset,s.dataset);` +
  `if(s.nonce)e.nonce=s.nonce;document.head.append(e)})();\n`;

function files(): Plugin {
  return {
    name: 'uzel:widget',
    generateBundle(_options, bundle) {
      const [script, ...others] = Object.values(bundle).filter((file) => file.type === 'chunk');
      if (!script || others.length > 0) this.error('the widget is one script');
      const first = loader(script.fileName);
      this.emitFile({ type: 'asset', fileName: 'v1.js', source: first });
      this.emitFile({ type: 'asset', fileName: `assets/${sheetName}`, source: sheet });
      const size = [first, script.code].reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
      const told = `the widget loads ${size} bytes (gzip), of ${LIMIT_BYTES}`;
      if (size > LIMIT_BYTES) this.error(told);
      this.info(told);
    },
  };
}

export default defineConfig({
  root,
  plugins: [files(), precompress()],
  define: { __STYLE_FILE__: JSON.stringify(sheetName) },
  publicDir: false,
  build: {
    target: oldest,
    cssTarget: oldest,
    outDir: '../dist/widget',
    emptyOutDir: true,
    modulePreload: false,
    rollupOptions: {
      input: `${root}main.ts`,
      output: { format: 'iife', entryFileNames: 'assets/widget-[hash].js' },
    },
  },
});
