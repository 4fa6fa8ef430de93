import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const compressible = /\.(?:js|css|html|svg|json|webmanifest)$/;

/** Writes `.br` and `.gz` beside what is worth compressing; the server embeds and serves them. */
export function precompress(): Plugin {
  let directory = 'dist';
  return {
    name: 'uzel:precompress',
    apply: 'build',
    configResolved(config) {
      directory = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const entries = await readdir(directory, { recursive: true });
      await Promise.all(
        entries
          .filter((entry) => compressible.test(entry))
          .map(async (entry) => {
            const path = join(directory, entry);
            const plain = await readFile(path);
            const [br, gz] = await Promise.all([
              promisify(brotliCompress)(plain, {
                params: {
                  [constants.BROTLI_PARAM_QUALITY]: 11,
                  [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
                },
              }),
              promisify(gzip)(plain, { level: 9 }),
            ]);
            // A variant that is no smaller only costs space in the binary.
            if (br.length < plain.length) await writeFile(`${path}.br`, br);
            if (gz.length < plain.length) await writeFile(`${path}.gz`, gz);
          }),
      );
    },
  };
}
