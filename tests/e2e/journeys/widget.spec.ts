import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';

let marina: Person;
test.beforeEach(async ({ product }) => {
  [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
});

const sites: Server[] = [];
test.afterEach(async () => {
  for (const site of sites.splice(0)) await new Promise((done) => site.close(done));
});

/** A customer's page on an origin of its own, under a policy that names only our host. */
async function foreignSite(hub: string, script: string): Promise<string> {
  const host = new URL(hub).host;
  const policy =
    `default-src 'none'; script-src http://${host}; style-src http://${host}; img-src http://${host}; ` +
    `media-src http://${host}; connect-src http://${host} ws://${host}; require-trusted-types-for 'script'`;
  const page = `<!doctype html><html lang="ru"><title>Магазин</title><h1>Магазин</h1>${script}</html>`;
  const site = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', policy);
    response.end(page);
  });
  sites.push(site);
  await new Promise<void>((ready) => site.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
}

interface Widget {
  script: string;
  channel: { id: number; state: string };
}

async function connect(
  product: { api: <T>(person: Person, method: string, path: string, body?: unknown) => Promise<T> },
  settings: object = {},
): Promise<Widget> {
  const channel = await product.api<{ id: number }>(marina, 'POST', '/companies/1/widgets', {
    name: 'Сайт',
    settings,
  });
  const path = `/companies/1/channels/${channel.id}/widget`;
  await expect
    .poll(async () => (await product.api<Widget>(marina, 'GET', path)).channel.state)
    .toBe('enabled');
  return product.api<Widget>(marina, 'GET', path);
}

const visitor = (page: Page) => ({
  launcher: page.getByRole('button', { name: /^Открыть чат/ }),
  panel: page.getByRole('dialog', { name: 'Точка роста' }),
  log: page.getByRole('log'),
  field: page.getByRole('textbox', { name: 'Сообщение' }),
  async send(text: string) {
    await this.field.fill(text);
    await this.field.press('Enter');
  },
});

test('a newcomer is client and operator in two tabs', async ({ page, context, product }) => {
  await product.enter(page, marina);
  await page
    .getByRole('link', { name: /^Настройки/ })
    .first()
    .click();
  await page.getByRole('button', { name: 'Подключить канал' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /Виджет сайта/ }).click();
  await dialog.getByLabel('Название канала').fill('Сайт школы');
  await dialog.getByRole('button', { name: 'Подключить', exact: true }).click();
  await expect(dialog.getByText('data-channel=')).toBeVisible();
  const [site] = await Promise.all([
    context.waitForEvent('page'),
    dialog.getByRole('link', { name: /примере сайта/ }).click(),
  ]);
  await dialog.getByRole('button', { name: 'Готово' }).click();

  const client = visitor(site);
  await client.launcher.click();
  expect(await site.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, '']);
  await client.send('Есть ли рассрочка?');
  await expect(client.log.getByRole('img', { name: 'Отправлено' })).toBeVisible();

  await page.bringToFront();
  await page
    .getByRole('link', { name: /^Сообщения/ })
    .first()
    .click();
  const desk = inbox(page);
  await desk.row('Посетитель №1').click();
  await expect(desk.bubble('Есть ли рассрочка?')).toBeVisible();
  await desk.send('Да, двумя частями');
  await expect(client.log.getByText('Да, двумя частями')).toBeVisible();
  await expect(client.log.getByText('Марина', { exact: true })).toBeVisible();
  await site.bringToFront();
  await expect(client.log.getByRole('img', { name: 'Прочитано' })).toBeVisible();
  await page.bringToFront();
  await expect(desk.bubble('Да, двумя частями').getByRole('img', { name: 'Прочитано' })).toBeVisible();
});

test('on a foreign page under a strict policy, through reload, lost network and a restart', async ({
  page,
  context,
  product,
}) => {
  const widget = await connect(product);
  await page.goto(await foreignSite(product.url, widget.script));
  const client = visitor(page);
  await client.launcher.click();
  await client.send('Первое');
  await expect(client.log.getByRole('img', { name: 'Отправлено' })).toHaveCount(1);
  await page.reload();
  await client.launcher.click();
  await expect(client.log.getByText('Первое')).toBeVisible();

  await context.setOffline(true);
  await client.send('Второе');
  await client.send('Третье');
  await expect(client.log.getByRole('img', { name: 'Отправляется' })).toHaveCount(2);
  await context.setOffline(false);
  await expect(client.log.getByRole('img', { name: 'Отправлено' })).toHaveCount(3);

  await product.kill();
  await client.send('Четвёртое');
  await expect(client.log.getByRole('img', { name: 'Отправляется' })).toHaveCount(1);
  await product.serve();
  await expect(client.log.getByRole('img', { name: 'Отправлено' })).toHaveCount(4, { timeout: 45_000 });
  const list = await product.api<{ items: { id: number }[] }>(
    marina,
    'GET',
    '/companies/1/conversations?filter=all',
  );
  expect(list.items).toHaveLength(1);
  const path = `/companies/1/conversations/${list.items[0]?.id}/messages`;
  const stored = await product.api<{ items: { content: { text: string } }[] }>(marina, 'GET', path);
  expect(stored.items.map((message) => message.content.text)).toEqual([
    'Первое',
    'Второе',
    'Третье',
    'Четвёртое',
  ]);
  await product.api(marina, 'POST', path, { client_message_id: 'after', text: 'Снова на связи' });
  await expect(client.log.getByText('Снова на связи')).toBeVisible({ timeout: 40_000 });
});

test('a message written offline survives the page and is sent by the next one', async ({
  page,
  context,
  product,
}) => {
  const widget = await connect(product);
  const site = await foreignSite(product.url, widget.script);
  await page.goto(site);
  const client = visitor(page);
  await client.launcher.click();
  await product.kill();
  await client.send('Написано без связи');
  await expect(client.log.getByRole('img', { name: 'Отправляется' })).toBeVisible();
  await page.close();
  await product.serve();
  const again = await context.newPage();
  await again.goto(site);
  await visitor(again).launcher.click();
  await expect(visitor(again).log.getByRole('img', { name: 'Отправлено' })).toBeVisible();
});

test('a site that is not allowed shows nothing', async ({ page, product }) => {
  const widget = await connect(product, { allowed_origins: ['https://shop.ru'] });
  const refused = page.waitForResponse((response) => response.url().endsWith('/config'));
  await page.goto(await foreignSite(product.url, widget.script));
  expect((await refused).status()).toBe(403);
  await expect(visitor(page).launcher).toHaveCount(0);
});

test('a closed chat counts what came, and files go both ways', async ({ page, product }) => {
  const widget = await connect(product);
  await page.goto(await foreignSite(product.url, widget.script));
  const client = visitor(page);
  await client.launcher.click();
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Прикрепить файл' }).click();
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  await (await chooser).setFiles({ name: 'задание.png', mimeType: 'image/png', buffer: png });
  await client.send('Вот задание');
  const picture = client.log.getByRole('img', { name: 'Фото: задание.png' });
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
  await page.keyboard.press('Escape');
  await expect(client.panel).toBeHidden();
  await expect(client.launcher).toBeFocused();

  const list = await product.api<{ items: { id: number }[] }>(
    marina,
    'GET',
    '/companies/1/conversations?filter=all',
  );
  await product.api(marina, 'POST', `/companies/1/conversations/${list.items[0]?.id}/messages`, {
    client_message_id: 'one',
    text: 'Посмотрю сегодня',
  });
  await expect(page.getByRole('button', { name: 'Открыть чат. Непрочитанных: 1' })).toBeVisible();
  await expect(page).toHaveTitle('(1) Магазин');
  await client.launcher.click();
  await expect(client.log.getByText('Посмотрю сегодня')).toBeVisible();
  await expect(page).toHaveTitle('Магазин');
});

test('settings are seen before they are saved, and the site shows them', async ({
  page,
  context,
  product,
}) => {
  await connect(product);
  await product.enter(page, marina);
  await page
    .getByRole('link', { name: /^Настройки/ })
    .first()
    .click();
  await page.getByRole('button', { name: /^Действия: / }).click();
  await page.getByRole('menuitem', { name: 'Настройки и код' }).click();
  const dialog = page.getByRole('dialog', { name: /Виджет «Сайт»/ });
  await dialog.getByLabel('Приветствие').fill('Спросите о курсах');
  await expect(dialog.getByText('Спросите о курсах').last()).toBeVisible();
  await dialog.getByLabel('Цвет', { exact: true }).fill('#ffee00');
  await expect(dialog.getByText(/Белый текст на этом цвете не читается/)).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Сохранить' })).toBeDisabled();
  await dialog.getByLabel('Цвет', { exact: true }).fill('#2f6f5b');
  await dialog.getByRole('button', { name: 'Сохранить' }).click();
  await expect(page.getByText(/Настройки сохранены/)).toBeVisible();
  const site = await context.newPage();
  await site.goto(`${product.url}/demo/site`);
  await visitor(site).launcher.click();
  await expect(visitor(site).log.getByText('Спросите о курсах')).toBeVisible();
});
