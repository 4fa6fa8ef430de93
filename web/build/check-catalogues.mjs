// Checks that the catalogues of all languages have the same keys and the same placeholders, that every
// key is used, and that every key used exists. Keys built at run time are used as a family:
// t(`error.${code}`) uses all keys that begin with "error.".
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileMessage } from '@lingui/message-utils/compileMessage';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const load = (language) => JSON.parse(readFileSync(`src/locales/${language}.json`, 'utf8'));
const base = load('ru');
const problems = [];

const placeholders = (text) => {
  const names = new Set();
  const walk = (parts) => {
    for (const part of parts) {
      if (!Array.isArray(part)) continue;
      names.add(`${part[0]}${part[1] ? `:${part[1]}` : ''}`);
      if (typeof part[2] === 'object' && part[2]) {
        for (const choice of Object.values(part[2])) if (Array.isArray(choice)) walk(choice);
      }
    }
  };
  const compiled = compileMessage(text);
  if (Array.isArray(compiled)) walk(compiled);
  return [...names].sort().join(', ');
};

for (const language of ['en']) {
  const other = load(language);
  for (const key of Object.keys(base)) {
    if (!(key in other)) problems.push(`${language}.json lacks "${key}"`);
    else if (other[key].trim() === '') problems.push(`${language}.json: "${key}" is empty`);
    else if (placeholders(base[key]) !== placeholders(other[key])) {
      problems.push(
        `"${key}": ru has {${placeholders(base[key])}}, ${language} {${placeholders(other[key])}}`,
      );
    }
  }
  for (const key of Object.keys(other)) {
    if (!(key in base)) problems.push(`${language}.json has "${key}", ru.json does not`);
  }
  if (Object.keys(base).join() !== Object.keys(base).sort().join())
    problems.push('ru.json is not sorted by key');
  if (Object.keys(other).join() !== Object.keys(other).sort().join())
    problems.push(`${language}.json is not sorted by key`);
}

const sources = readdirSync('src', { recursive: true })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name))
  .map((name) => readFileSync(`src/${name}`, 'utf8'))
  .join('\n');
const families = [...sources.matchAll(/`([a-z_]+(?:\.[a-z_]+)*\.)\$\{/g)].map((match) => match[1]);
for (const key of Object.keys(base)) {
  const used = sources.includes(`'${key}'`) || families.some((family) => key.startsWith(family));
  if (!used) problems.push(`"${key}" is used nowhere`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`Catalogues are complete: ${Object.keys(base).length} keys in ru and en.`);
