import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, test as base, type Page } from '@playwright/test';
import { ask, type Running, run } from './process';
import { BOT, Telegram } from './telegram';

/** The product as it is shipped, with a simulated Telegram beside it; each journey has its own. */

export const BINARY = process.env.UZEL_BIN ?? join(import.meta.dirname, '../../../target/debug/uzel');

export interface Person {
  name: string;
  phone: string;
  signInLink: string;
  privateToken: string;
}

/** What `uzel admin bootstrap --json` printed. */
export function personOf(name: string, phone: string, printed: string): Person {
  const { sign_in_link, private_token } = JSON.parse(printed) as {
    sign_in_link: string;
    private_token: string;
  };
  return { name, phone, signInLink: sign_in_link, privateToken: private_token };
}

export async function callApi<T>(
  hub: string,
  person: Person,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(`${hub}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${person.privateToken}`, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text ? JSON.parse(text) : null) as T;
}

/** Signs in by the one-time link. */
export async function signIn(page: Page, person: Person, hub: string): Promise<void> {
  await page.goto(hub + new URL(person.signInLink).pathname);
  await page.getByRole('button', { name: 'Войти' }).click();
  await page.getByRole('navigation', { name: 'Главное меню' }).first().waitFor();
}

export class Product {
  server: Running | null = null;
  private port = 0;

  private constructor(
    readonly telegram: Telegram,
    private readonly simulator: Running,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Product> {
    const folder = await mkdtemp(join(tmpdir(), 'uzel-e2e-'));
    const simulator = run(BINARY, ['simulator', '--bind', '127.0.0.1:0'], {});
    const [, url] = await simulator.waitFor(/Control\s+(http:\/\/127\.0\.0\.1:\d+)/);
    return new Product(new Telegram(url as string), simulator, folder);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the server; again on the same port when it has run before. */
  async serve(): Promise<void> {
    const server = run(BINARY, ['serve', '--data-dir', this.folder], {
      UZEL_SERVER__BIND: `127.0.0.1:${this.port}`,
      UZEL_LOG__FORMAT: 'json',
      UZEL_PROVIDERS__TELEGRAM__API_URL: this.telegram.url,
      // Journeys do not wait for patience meant for real outages.
      UZEL_DELIVERY__SEND_TIMEOUT_SECONDS: '3',
    });
    this.server = server;
    const [, port] = await server.waitFor(/"listening"[^\n]*"address":"127\.0\.0\.1:(\d+)"/);
    this.port = Number(port);
  }

  async setupLink(): Promise<string> {
    const [, path] = (await this.server?.waitFor(/"link":"[^"]*(\/setup\/[^"]+)"/)) ?? [];
    return this.url + path;
  }

  /** The one-time code of the log gateway. */
  async signInCode(): Promise<string> {
    const [, code] = (await this.server?.waitFor(/"text":"(\d{6}) /)) ?? [];
    return code as string;
  }

  async kill(): Promise<void> {
    await this.server?.stop('SIGKILL');
  }

  /** A company with its people, before the server runs. */
  async company(name: string, people: [name: string, phone: string][]): Promise<Person[]> {
    const made: Person[] = [];
    for (const [person, phone] of people) {
      const options = ['--company', name, '--phone', phone, '--name', person, '--json'];
      const args = ['admin', 'bootstrap', '--data-dir', this.folder, ...options];
      made.push(personOf(person, phone, await ask(BINARY, args)));
    }
    return made;
  }

  /** Connects the simulated bot by the public API, for journeys that begin later. */
  async connectBot(person: Person): Promise<void> {
    await this.api(person, 'POST', '/companies/1/channels', {
      kind: 'telegram_bot',
      credential: BOT.token,
      intake: 'polling',
    });
  }

  api<T>(person: Person, method: string, path: string, body?: unknown): Promise<T> {
    return callApi(this.url, person, method, path, body);
  }

  /** Signs in by the one-time link; `at` leads to the product by another way than its own address. */
  enter(page: Page, person: Person, at = this.url): Promise<void> {
    return signIn(page, person, at);
  }

  async close(): Promise<void> {
    await this.server?.stop('SIGKILL');
    await this.simulator.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What must never happen in a browser, told at the end of the journey. */
export function watch(context: BrowserContext): string[] {
  const troubles: string[] = [];
  context.on('weberror', (error) => troubles.push(`uncaught: ${error.error().message}`));
  context.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text())) {
      troubles.push(message.text());
    }
  });
  return troubles;
}

export const test = base.extend<{ product: Product; calm: undefined }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from the pattern
  product: async ({}, use, info) => {
    const product = await Product.start();
    await use(product);
    if (info.status !== info.expectedStatus && product.server) {
      await info.attach('server.log', { body: product.server.output(), contentType: 'text/plain' });
    }
    await product.close();
  },
  calm: [
    async ({ context }, use) => {
      const troubles = watch(context);
      await use(undefined);
      base.expect(troubles).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect } from '@playwright/test';
