import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { type Running, run } from './process';

/** `uzel demo` as a newcomer starts it, in a folder of its own. */

const BINARY = process.env.UZEL_BIN ?? join(import.meta.dirname, '../../../target/debug/uzel');

export interface Seat {
  name: string;
  role: string;
  link: string;
}

export class Demo {
  seats: Seat[] = [];
  process!: Running;

  private constructor(private readonly folder: string) {}

  static async start(options: string[] = []): Promise<Demo> {
    const demo = new Demo(await mkdtemp(join(tmpdir(), 'uzel-demo-')));
    await demo.run(options);
    return demo;
  }

  private async run(options: string[]): Promise<void> {
    this.process = run(BINARY, ['demo', '--data-dir', this.data, '--bind', '127.0.0.1:0', ...options], {});
    await this.process.waitFor(/Ctrl-C stops everything/);
    this.seats = [
      ...this.process.output().matchAll(/^ {4}(.+?) {2,}(administrator|operator) +(http:\S+)$/gm),
    ].map(([, name, role, link]) => ({ name, role, link }) as Seat);
  }

  private get data(): string {
    return join(this.folder, 'demo');
  }

  /** Goes on with its data, after something was done to the database while nobody served it. */
  async restart(options: string[], between: (database: string) => Promise<void>): Promise<void> {
    await this.process.stop('SIGINT');
    await between(join(this.data, 'uzel.sqlite'));
    await this.run(['--keep', ...options]);
  }

  seat(name: string): Seat {
    const seat = this.seats.find((one) => one.name === name);
    if (!seat) throw new Error(`nobody is called ${name}:\n${this.process.output()}`);
    return seat;
  }

  get url(): string {
    return new URL((this.seats[0] as Seat).link).origin;
  }

  /** Comes in by the link as it is printed. */
  async enter(page: Page, name: string): Promise<void> {
    await page.goto(this.seat(name).link);
    await page.getByRole('button', { name: /^(Войти|Sign in)$/ }).click();
    await page
      .getByRole('navigation', { name: /^(Главное меню|Main menu)$/ })
      .first()
      .waitFor();
  }

  /** Opens the chat of a client, wherever it stands in the list. */
  async openChat(page: Page, client: string): Promise<void> {
    const answer = await page.request.get(
      `${this.url}/api/v1/companies/1/conversations?filter=all&limit=200`,
    );
    const { items } = (await answer.json()) as { items: { id: number; contact: { name: string } }[] };
    const id = items.find((one) => one.contact.name === client)?.id;
    if (id === undefined) throw new Error(`${client} has not written`);
    await page.goto(`${this.url}/c/1/messages/${id}`);
    await page.getByRole('log').getByRole('article').last().waitFor();
  }

  /** Has a client do something at the simulated messenger, by its control interface. */
  async messenger(path: string, body: unknown): Promise<void> {
    const [, url] = /simulator chat --url (\S+)/.exec(this.process.output()) ?? [];
    const answer = await fetch(`${url}/control/telegram${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`the messenger refused ${path}: ${said}`);
  }

  async close(): Promise<void> {
    await this.process.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
