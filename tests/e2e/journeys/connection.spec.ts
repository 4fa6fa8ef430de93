import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';

let marina: Person;
test.beforeEach(async ({ product }) => {
  [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
});

test('what is written without a network is sent once it is back, once and in order', async ({
  page,
  context,
  product,
}) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await product.enter(page, marina);
  const view = inbox(page);
  await view.row('Катя Орлова').click();
  await expect(view.bubble('Добрый день')).toBeVisible();

  await context.setOffline(true);
  await expect(page.getByText('Нет связи. Восстанавливаем…')).toBeVisible();
  await expect(view.field).toHaveAttribute('placeholder', 'Отправим, когда появится связь');
  for (const text of ['Первое', 'Второе', 'Третье']) await view.send(text);
  await expect(view.bubble('Третье').getByRole('img', { name: 'В очереди' })).toBeVisible();
  await view.field.fill('Черновик остаётся');
  await client.writes('Пока вас не было');

  // Neither the queue nor the draft is lost with the page.
  await context.setOffline(false);
  await expect(page.getByText('Нет связи. Восстанавливаем…')).toBeHidden();
  await expect(view.bubble('Пока вас не было')).toBeVisible();
  await expect(view.bubble('Третье').getByRole('img', { name: 'Отправлено' })).toBeVisible();
  await expect(view.field).toHaveValue('Черновик остаётся');
  await page.reload();
  await expect(view.field).toHaveValue('Черновик остаётся');
  expect(await client.texts()).toEqual(['Первое', 'Второе', 'Третье']);
});

test('a killed server loses nothing and doubles nothing', async ({ page, product }) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await product.enter(page, marina);
  const view = inbox(page);
  await view.row('Катя Орлова').click();
  await view.send('До перезапуска');
  await expect(view.bubble('До перезапуска').getByRole('img', { name: 'Отправлено' })).toBeVisible();

  await product.kill();
  await view.send('Пока сервера нет');
  await client.writes('Я пишу, пока сервера нет');
  await expect(page.getByText('Нет связи. Восстанавливаем…')).toBeVisible();
  await product.serve();

  await expect(view.bubble('Я пишу, пока сервера нет')).toBeVisible({ timeout: 20_000 });
  await expect(view.bubble('Пока сервера нет').getByRole('img', { name: 'Отправлено' })).toBeVisible({
    timeout: 20_000,
  });
  await expect(page.getByText('Нет связи. Восстанавливаем…')).toBeHidden();
  expect(await client.texts()).toEqual(['До перезапуска', 'Пока сервера нет']);
});

test('what waits in the outbox survives a reload of the page', async ({ page, product }) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await product.enter(page, marina);
  const view = inbox(page);
  await view.row('Катя Орлова').click();
  await expect(view.bubble('Добрый день')).toBeVisible();

  // The answers of the server to sending are lost on the way.
  await page.route('**/messages', (route) =>
    route.request().method() === 'POST' ? route.abort() : route.continue(),
  );
  await view.send('Переживёт перезагрузку');
  await expect(view.bubble('Переживёт перезагрузку').getByRole('img', { name: 'В очереди' })).toBeVisible();
  await page.unroute('**/messages');
  await page.reload();
  await expect(view.bubble('Переживёт перезагрузку').getByRole('img', { name: 'Отправлено' })).toBeVisible();
  await expect(view.bubble('Переживёт перезагрузку')).toHaveCount(1);
  expect(await client.texts()).toEqual(['Переживёт перезагрузку']);
});
