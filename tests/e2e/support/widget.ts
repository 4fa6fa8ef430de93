import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { expect, type Person } from './product';

/** The site widget: how it is connected, a foreign page that shows it, and what a visitor sees of it. */

export interface Widget {
  script: string;
  channel: { id: number; state: string };
}

type Hub = { api: <T>(person: Person, method: string, path: string, body?: unknown) => Promise<T> };

export async function connectWidget(hub: Hub, administrator: Person, settings: object = {}): Promise<Widget> {
  const channel = await hub.api<{ id: number }>(administrator, 'POST', '/companies/1/widgets', {
    name: 'Сайт',
    settings,
  });
  const path = `/companies/1/channels/${channel.id}/widget`;
  await expect
    .poll(async () => (await hub.api<Widget>(administrator, 'GET', path)).channel.state)
    .toBe('enabled');
  return hub.api<Widget>(administrator, 'GET', path);
}

export interface Site {
  url: string;
  close(): Promise<unknown>;
}

/** A customer's page on an origin of its own, under a policy that names only the hub. */
export async function foreignSite(hub: string, script: string, language = 'ru'): Promise<Site> {
  const host = new URL(hub).host;
  const policy =
    `default-src 'none'; script-src http://${host}; style-src http://${host}; img-src http://${host}; ` +
    `media-src http://${host}; connect-src http://${host} ws://${host}; require-trusted-types-for 'script'`;
  const page = `<!doctype html><html lang="${language}"><title>Магазин</title><main><h1>Магазин</h1></main>${script}</html>`;
  const site = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy);
    response.end(page);
  });
  await new Promise<void>((ready) => site.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(site.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((done) => {
        site.close(done);
        site.closeAllConnections();
      }),
  };
}

export const visitor = (page: Page) => ({
  launcher: page.getByRole('button', { name: /^Открыть чат/ }),
  panel: page.getByRole('dialog', { name: 'Точка роста' }),
  log: page.getByRole('log'),
  field: page.getByRole('textbox', { name: 'Сообщение' }),
  marks: (name: 'Отправляется' | 'Отправлено' | 'Прочитано') =>
    page.getByRole('log').getByRole('img', { name }),
  async send(text: string) {
    await this.field.fill(text);
    await this.field.press('Enter');
  },
});

/** What the hub has stored of the only conversation, oldest first. */
export async function storedTexts(hub: Hub, member: Person): Promise<string[]> {
  const { items } = await hub.api<{ items: { id: number }[] }>(
    member,
    'GET',
    '/companies/1/conversations?filter=all',
  );
  expect(items).toHaveLength(1);
  const path = `/companies/1/conversations/${items[0]?.id}/messages?limit=100`;
  const stored = await hub.api<{ items: { content: { text: string } }[] }>(member, 'GET', path);
  return stored.items.map((message) => message.content.text);
}
