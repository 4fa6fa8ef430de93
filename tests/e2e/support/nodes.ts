import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { ask, type Running, run } from './process';
import { BINARY, callApi, type Person, personOf, signIn } from './product';

/** Two nodes of the product behind one PostgreSQL and one Redis, which live as long as they do. */

const WITH_SERVICES = join(import.meta.dirname, '../../../scripts/with-services.sh');

export class Nodes {
  readonly urls: string[] = [];
  private readonly servers: Running[] = [];

  private constructor(
    private readonly services: Running,
    private readonly folder: string,
    private readonly env: Record<string, string>,
  ) {}

  static async prepare(): Promise<Nodes> {
    const folder = await mkdtemp(join(tmpdir(), 'uzel-nodes-'));
    // Until they are told to, or nobody is left to tell them.
    const stay = `while kill -0 ${process.pid} 2>/dev/null && [ ! -e "${folder}/stop" ]; do sleep 0.2; done`;
    const tell = `echo "ready $UZEL_TEST_POSTGRES_URL $UZEL_TEST_REDIS_URL"; ${stay}`;
    const services = run(WITH_SERVICES, ['sh', '-c', tell], {});
    const [, postgres, redis] = (await services.waitFor(/^ready (\S+) (\S+)$/m)) as unknown as string[];
    const database = `uzel_e2e_${randomBytes(4).toString('hex')}`;
    await promisify(execFile)('psql', ['-q', '-c', `CREATE DATABASE ${database}`, postgres as string]);
    return new Nodes(services, folder, {
      UZEL_DATABASE__URL: (postgres as string).replace(/\/[^/]*$/, `/${database}`),
      UZEL_REDIS__URL: redis as string,
      UZEL_SECURITY__MASTER_KEY: randomBytes(32).toString('base64'),
      UZEL_FILES__URL: `file://${folder}/files`,
      UZEL_LOG__FORMAT: 'json',
    });
  }

  async company(name: string, person: string, phone: string): Promise<Person> {
    const options = ['--company', name, '--phone', phone, '--name', person, '--json'];
    const args = ['admin', 'bootstrap', '--data-dir', join(this.folder, 'a'), ...options];
    return personOf(person, phone, await ask(BINARY, args, this.env));
  }

  async serve(): Promise<void> {
    for (const name of ['a', 'b']) {
      const server = run(BINARY, ['serve', '--data-dir', join(this.folder, name)], {
        ...this.env,
        UZEL_SERVER__BIND: '127.0.0.1:0',
      });
      const [, port] = await server.waitFor(/"listening"[^\n]*"address":"127\.0\.0\.1:(\d+)"/);
      this.servers.push(server);
      this.urls.push(`http://127.0.0.1:${port}`);
    }
  }

  api<T>(person: Person, method: string, path: string, body?: unknown): Promise<T> {
    return callApi(this.urls[0] as string, person, method, path, body);
  }

  enter(page: Page, person: Person, node: number): Promise<void> {
    return signIn(page, person, this.urls[node] as string);
  }

  output(): string {
    return this.servers.map((server) => server.output()).join('\n');
  }

  async close(): Promise<void> {
    for (const server of this.servers) await server.stop('SIGKILL');
    await writeFile(join(this.folder, 'stop'), '');
    await this.services.stop('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }
}
