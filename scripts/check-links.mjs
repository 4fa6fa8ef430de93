// Links of the documentation that lead nowhere: files, pictures and headings of this project. Addresses outside are not
// asked for. Also pictures that no page shows, and guides whose two languages do not have the same pages.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const skipped = new Set(['node_modules', 'target', 'dist', 'data', '.git']);
const troubles = [];

function pages(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pages(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Headings as their anchors, the way GitHub makes them. */
const anchors = (text) =>
  new Set(
    [...text.replace(/```[\s\S]*?```/g, '').matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );

const shown = new Set();
for (const page of pages(root)) {
  const text = readFileSync(page, 'utf8');
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, anchor] = target.split('#');
    const file = path ? resolve(dirname(page), decodeURI(path)) : page;
    shown.add(file);
    const name = relative(root, page);
    if (!existsSync(file)) troubles.push(`${name}: there is no ${target}`);
    else if (anchor && statSync(file).isFile() && !anchors(readFileSync(file, 'utf8')).has(decodeURI(anchor))) {
      troubles.push(`${name}: ${path || 'the page'} has no heading #${anchor}`);
    }
  }
}

const images = join(root, 'docs/images');
if (existsSync(images)) {
  for (const image of readdirSync(images)) {
    if (!shown.has(join(images, image))) troubles.push(`docs/images/${image}: no page shows it`);
  }
}
const guide = (language) => {
  const folder = join(root, 'docs/guide', language);
  return existsSync(folder) ? readdirSync(folder).sort().join(' ') : '';
};
if (guide('ru') !== guide('en')) troubles.push('docs/guide: ru and en do not have the same pages');

if (troubles.length > 0) {
  console.error(troubles.join('\n'));
  process.exit(1);
}
console.log('Every link of the documentation leads somewhere.');
