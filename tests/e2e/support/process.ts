import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

/** Programs that a journey starts, and the line they say when they are ready. */

const READY_WITHIN_MS = 30_000;

/** Options of the person who runs the journeys must not reach the product under test. */
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('UZEL_')));

export interface Running {
  child: ChildProcess;
  /** Everything it wrote, for the report of a failure. */
  output(): string;
  /** The first match of the pattern in what it writes. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function run(program: string, args: string[], env: Record<string, string>): Running {
  const child = spawn(program, args, {
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const watchers = new Set<() => void>();
  const take = (chunk: Buffer) => {
    written += chunk.toString();
    for (const watch of watchers) watch();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));

  return {
    child,
    output: () => written,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => {
          finish();
          reject(new Error(`${program} ${args.join(' ')}: ${why}\n${written}`));
        };
        const look = () => {
          const match = pattern.exec(written);
          if (!match) return;
          finish();
          resolve(match);
        };
        const exited = () => fail('ended');
        const timer = setTimeout(() => fail(`said nothing like ${pattern} in time`), READY_WITHIN_MS);
        const finish = () => {
          clearTimeout(timer);
          watchers.delete(look);
          child.off('exit', exited);
        };
        watchers.add(look);
        child.once('exit', exited);
        look();
      }),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

export async function ask(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env: { ...clean, ...env } });
  return stdout;
}
