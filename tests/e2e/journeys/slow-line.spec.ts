import { inbox } from '../support/inbox';
import { Line } from '../support/line';
import { expect, type Person, type Product, test } from '../support/product';
import { connectWidget, foreignSite, storedTexts, visitor } from '../support/widget';

/** 3 s from a request to its answer, as on a bad mobile line. */
const DELAY_MS = 1_500;

let marina: Person;
let line: Line;
test.beforeEach(async ({ product }) => {
  test.setTimeout(120_000);
  [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  line = await Line.to(() => Number(new URL(product.url).port));
});
test.afterEach(() => line.close());

/** Breaks the line and the server at once, and has both again. */
async function fallOver(product: Product): Promise<void> {
  line.cut();
  await product.kill();
  line.delayMs = 0;
  await product.serve();
}

test('answers over a line of 3 s are on screen at once, and arrive once and in order', async ({ page, product }) => {
  await product.connectBot(marina);
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await product.enter(page, marina, line.url);
  const view = inbox(page);
  await view.row('Катя Орлова').click();
  await expect(view.bubble('Добрый день')).toBeVisible();

  line.delayMs = DELAY_MS;
  const texts = ['Первое', 'Второе', 'Третье'];
  for (const text of texts) {
    await view.send(text);
    await expect(view.bubble(text).getByRole('img', { name: 'В очереди' })).toBeVisible({ timeout: 1_000 });
  }
  await client.writes('Жду');
  await view.field.fill('Ещё не отправлено');
  for (const text of texts) {
    const mark = view.bubble(text).getByRole('img', { name: 'Отправлено' });
    await expect(mark).toBeVisible({ timeout: 40_000 });
    await expect(view.bubble(text)).toHaveCount(1);
  }
  await expect(view.bubble('Жду')).toHaveCount(1);
  await expect(view.field).toHaveValue('Ещё не отправлено');
  expect(await client.texts()).toEqual(texts);
});

test('an answer whose receipt is lost on a slow line with the server is not sent twice', async ({ page, product }) => {
  await product.connectBot(marina);
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await product.enter(page, marina, line.url);
  const view = inbox(page);
  await view.row('Катя Орлова').click();
  await expect(view.bubble('Добрый день')).toBeVisible();

  line.delayMs = DELAY_MS;
  await view.send('Дошло до клиента');
  await view.send('Ещё в дороге');
  // The client has it; the word of that is still on its way to the browser.
  await expect.poll(() => client.texts(), { intervals: [20], timeout: 20_000 }).toContain('Дошло до клиента');
  await expect(view.bubble('Дошло до клиента').getByRole('img', { name: 'В очереди' })).toBeVisible();
  await fallOver(product);

  for (const text of ['Дошло до клиента', 'Ещё в дороге']) {
    const mark = view.bubble(text).getByRole('img', { name: 'Отправлено' });
    await expect(mark).toBeVisible({ timeout: 40_000 });
    await expect(view.bubble(text)).toHaveCount(1);
  }
  expect(await client.texts()).toEqual(['Дошло до клиента', 'Ещё в дороге']);
});

test('a visitor on a line of 3 s, and a server that falls over under the open chat', async ({ page, product }) => {
  const widget = await connectWidget(product, marina);
  const site = await foreignSite(line.url, widget.script.replaceAll(product.url, line.url));
  try {
    await page.goto(site.url);
    const client = visitor(page);
    await client.launcher.click();
    line.delayMs = DELAY_MS;
    for (const text of ['Первое', 'Второе']) await client.send(text);
    await expect(client.marks('Отправляется')).toHaveCount(2);
    await expect(client.marks('Отправлено')).toHaveCount(2, { timeout: 40_000 });
    const { items } = await product.api<{ items: { id: number }[] }>(
      marina,
      'GET',
      '/companies/1/conversations?filter=all',
    );
    const path = `/companies/1/conversations/${items[0]?.id}/messages`;
    await product.api(marina, 'POST', path, { client_message_id: 'slow', text: 'Отвечаю' });
    await expect(client.log.getByText('Отвечаю')).toHaveCount(1, { timeout: 40_000 });

    // Stored, and the visitor's browser does not know it yet.
    await client.send('Третье');
    await expect.poll(() => storedTexts(product, marina), { intervals: [20], timeout: 20_000 }).toContain('Третье');
    await expect(client.marks('Отправляется')).toHaveCount(1);
    await fallOver(product);
    await product.api(marina, 'POST', path, { client_message_id: 'after', text: 'После перезапуска' });
    await expect(client.log.getByText('После перезапуска')).toHaveCount(1, { timeout: 45_000 });
    await expect(client.marks('Отправляется')).toHaveCount(0, { timeout: 45_000 });
    for (const text of ['Первое', 'Второе', 'Отвечаю', 'Третье']) {
      await expect(client.log.getByText(text)).toHaveCount(1);
    }
    expect(await storedTexts(product, marina)).toEqual([
      'Первое',
      'Второе',
      'Отвечаю',
      'Третье',
      'После перезапуска',
    ]);
  } finally {
    await site.close();
  }
});
