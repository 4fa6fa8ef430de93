import { inbox } from '../support/inbox';
import { expect, type Person, type Product, test } from '../support/product';
import {
  connectWidget,
  foreignSite,
  type Site,
  storedTexts,
  visitor,
  type Widget,
} from '../support/widget';

let marina: Person;
test.beforeEach(async ({ product }) => {
  [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
});

const sites: Site[] = [];
test.afterEach(async () => {
  for (const site of sites.splice(0)) await site.close();
});

const connect = (product: Product, settings: object = {}) => connectWidget(product, marina, settings);

async function siteWith(product: Product, widget: Widget): Promise<string> {
  const site = await foreignSite(product.url, widget.script);
  sites.push(site);
  return site.url;
}

/** A member answers the only visitor. */
async function answer(product: Product, id: string, text: string): Promise<void> {
  const { items } = await product.api<{ items: { id: number }[] }>(
    marina,
    'GET',
    '/companies/1/conversations?filter=all',
  );
  await product.api(marina, 'POST', `/companies/1/conversations/${items[0]?.id}/messages`, {
    client_message_id: id,
    text,
  });
}

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
  await page.goto(await siteWith(product, widget));
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
  expect(await storedTexts(product, marina)).toEqual(['Первое', 'Второе', 'Третье', 'Четвёртое']);
  await answer(product, 'after', 'Снова на связи');
  await expect(client.log.getByText('Снова на связи')).toBeVisible({ timeout: 40_000 });
});

test('a message written offline survives the page and is sent by the next one', async ({
  page,
  context,
  product,
}) => {
  const widget = await connect(product);
  const site = await siteWith(product, widget);
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
  await page.goto(await siteWith(product, widget));
  expect((await refused).status()).toBe(403);
  await expect(visitor(page).launcher).toHaveCount(0);
});

test('a closed chat counts what came, and files go both ways', async ({ page, product }) => {
  const widget = await connect(product);
  await page.goto(await siteWith(product, widget));
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

  await answer(product, 'one', 'Посмотрю сегодня');
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

test('two tabs are one visitor, also when both wrote without a network', async ({ context, page, product }) => {
  const widget = await connect(product);
  const url = await siteWith(product, widget);
  const other = await context.newPage();
  const tabs = [page, other].map((tab) => ({ tab, ...visitor(tab) }));
  for (const one of tabs) {
    await one.tab.goto(url);
    await one.launcher.click();
  }
  const [first, second] = tabs as [(typeof tabs)[0], (typeof tabs)[0]];
  await context.setOffline(true);
  await first.send('Из первой вкладки');
  await second.send('Из второй вкладки');
  await context.setOffline(false);
  for (const one of tabs) {
    await expect(one.log.getByText('Из первой вкладки')).toHaveCount(1);
    await expect(one.log.getByText('Из второй вкладки')).toHaveCount(1);
    await expect(one.marks('Отправлено')).toHaveCount(2);
  }
  await answer(product, 'both', 'Вижу обе');
  for (const one of tabs) await expect(one.log.getByText('Вижу обе')).toHaveCount(1);
  expect((await storedTexts(product, marina)).sort()).toEqual([
    'Вижу обе',
    'Из второй вкладки',
    'Из первой вкладки',
  ]);
});

test('a flood is slowed down by the hub, and nothing of it is lost or out of order', async ({ page, product }) => {
  test.setTimeout(90_000);
  const widget = await connect(product);
  const refused: number[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('/messages') && response.status() === 429) {
      refused.push(Number(response.headers()['retry-after']));
    }
  });
  await page.goto(await siteWith(product, widget));
  const client = visitor(page);
  await client.launcher.click();
  const texts = Array.from({ length: 23 }, (_, number) => `Сообщение ${number + 1}`);
  for (const text of texts) await client.send(text);
  await expect(client.marks('Отправлено')).toHaveCount(23, { timeout: 60_000 });
  await expect(client.marks('Отправляется')).toHaveCount(0);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every((seconds) => seconds >= 1)).toBe(true);
  expect(await storedTexts(product, marina)).toEqual(texts);
});
