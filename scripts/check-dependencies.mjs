// Checks what deny.toml demands, without cargo-deny: no banned crate, permissive licences,
// crates.io as the only source; and the same of what npm brings into the browser.
// Needs nothing but cargo and Node. Exit code 1 and one line for each offence.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const policy = readFileSync('deny.toml', 'utf8').replace(/^\s*#.*$/gm, '');
const list = (section, key) => {
  const body = policy.split(`[${section}]`)[1]?.split(/^\[/m)[0] ?? '';
  const array = new RegExp(`^${key} = \\[([^\\]]*)\\]`, 'm').exec(body)?.[1];
  if (array === undefined) throw new Error(`deny.toml: no list ${key} in [${section}]`);
  return [...array.matchAll(/"([^"]+)"/g)].map((match) => match[1]);
};
const allowed = new Set(list('licenses', 'allow'));
const banned = new Set(list('bans', 'deny'));
// Cargo's own name of the public registry ends so; git and other registries do not.
const isPublic = (source) => /^registry\+.*\/crates\.io-index$/.test(source);

// An SPDX expression: OR of ANDs of licences or brackets; `/` is the old way to write OR.
const permits = (expression) => {
  const tokens = expression
    .replaceAll('/', ' OR ')
    .replace(/[()]/g, ' $& ')
    .replace(/(\S+) WITH (\S+)/g, '$1_WITH_$2')
    .trim()
    .split(/\s+/);
  const either = () => {
    let result = both();
    while (tokens[0] === 'OR') {
      tokens.shift();
      result = both() || result;
    }
    return result;
  };
  const both = () => {
    let result = one();
    while (tokens[0] === 'AND') {
      tokens.shift();
      result = one() && result;
    }
    return result;
  };
  const one = () => {
    const token = tokens.shift();
    if (token !== '(') return allowed.has(token.replace('_WITH_', ' WITH '));
    const result = either();
    tokens.shift();
    return result;
  };
  return either();
};

const offences = [];
const counted = {};

const metadata = JSON.parse(
  execFileSync('cargo', ['metadata', '--format-version', '1', '--locked'], {
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
);
for (const { name, version, license, source } of metadata.packages) {
  if (banned.has(name)) offences.push(`${name} ${version}: banned`);
  if (source === null) continue; // ours
  if (!isPublic(source)) offences.push(`${name} ${version}: comes from ${source}`);
  if (!license || !permits(license)) offences.push(`${name} ${version}: licence ${license}`);
}
counted.crates = metadata.packages.length;

for (const lock of ['web/package-lock.json', 'tests/e2e/package-lock.json']) {
  if (!existsSync(lock)) continue;
  const { packages } = JSON.parse(readFileSync(lock, 'utf8'));
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '' || entry.link) continue;
    const name = `${lock}: ${path.replace(/^.*node_modules\//, '')} ${entry.version}`;
    // A tarball of a registry, whichever mirror it was read from; the checksum ties it down.
    if (entry.resolved && !/^https:\/\/[^/]+\/.*\.tgz$/.test(entry.resolved)) {
      offences.push(`${name}: comes from ${entry.resolved}`);
    }
    if (!entry.integrity && !entry.inBundle) offences.push(`${name}: no checksum`);
    // What only builds and tests the interface is not shipped; its licences are not ours to pass on.
    const shipped = !entry.dev && !entry.devOptional;
    if (shipped && (!entry.license || !permits(entry.license))) {
      offences.push(`${name}: licence ${entry.license}`);
    }
  }
  counted[lock] = Object.keys(packages).length - 1;
}

for (const offence of offences) console.error(offence);
if (offences.length > 0) {
  console.error(`${offences.length} dependencies are against deny.toml.`);
  process.exit(1);
}
console.log(
  `Dependencies are as deny.toml demands: ${Object.entries(counted)
    .map(([where, count]) => `${where} ${count}`)
    .join(', ')}.`,
);
