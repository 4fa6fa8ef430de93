import { expect, type Person, test } from '../support/product';

let marina: Person;
let oleg: Person;
test.beforeEach(async ({ page, product }) => {
  [marina, oleg] = (await product.company('Точка роста', [
    ['Марина Белова', '+79036041728'],
    ['Олег Ким', '+79036041729'],
  ])) as [Person, Person];
  await product.serve();
  await product.connectBot(marina);
  await product.enter(page, marina);
});

test('a new name and the name of the company are seen by a colleague at once', async ({
  browser,
  page,
  product,
}) => {
  const other = await (await browser.newContext({ locale: 'ru-RU' })).newPage();
  await product.enter(other, oleg);
  await page.goto(`${product.url}/c/1/settings/account`);
  const name = page.getByRole('textbox', { name: 'Имя' });
  await name.fill('Марина Орлова');
  await name.press('Enter');
  await expect(page.getByRole('button', { name: 'Профиль: Марина Орлова' })).toBeVisible();
  await page.getByRole('link', { name: 'Компания' }).click();
  const company = page.getByRole('textbox', { name: 'Название компании' });
  await company.fill('Точка опоры');
  await page.getByRole('button', { name: 'Сохранить' }).click();
  await expect(other.getByText('Точка опоры')).toBeVisible();
});

test('the private token is hidden until asked for, and replaced after a warning', async ({ page, product }) => {
  await page.goto(`${product.url}/c/1/settings/account`);
  const token = page.getByRole('textbox', { name: 'Private token' });
  await expect(token).toHaveValue(/^•+$/);
  await page.getByRole('button', { name: 'Показать токен' }).click();
  await expect(token).toHaveValue(marina.privateToken);
  await page.getByRole('button', { name: 'Перевыпустить' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Прежний токен перестанет работать сразу');
  await dialog.getByRole('button', { name: 'Перевыпустить' }).click();
  await expect(token).not.toHaveValue(marina.privateToken);
  await expect(token).toHaveValue(/^[\w-]{40,}$/);
  const refused = await fetch(`${product.url}/api/v1/session`, {
    headers: { Authorization: `Bearer ${marina.privateToken}` },
  });
  expect(refused.status).toBe(401);
});

test('a dead letter is told in words and sent again', async ({ page, product }) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await page.getByRole('link', { name: /Катя Орлова/ }).click();
  await product.telegram.fault('sendMessage', 1, {
    fault: 'refused',
    error_code: 400,
    description: 'Bad Request',
  });
  const field = page.getByRole('textbox', { name: 'Сообщение' });
  await field.fill('Со второго раза');
  await field.press('Enter');
  await expect(page.getByRole('log').getByRole('alert')).toBeVisible();
  await page.goto(`${product.url}/c/1/settings/delivery`);
  const row = page.getByRole('listitem').filter({ hasText: 'Катя Орлова' });
  await expect(row).toContainText('Telegram Bot не принял сообщение');
  await expect(row).toContainText('1 попытка');
  await row.getByRole('button', { name: 'Повторить' }).click();
  await expect(page.getByText('Всё доставлено')).toBeVisible();
  await expect.poll(() => client.texts()).toEqual(['Со второго раза']);
});

test('a channel is renamed, and its messages are counted', async ({ page, product }) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await expect(page.getByRole('link', { name: /Катя Орлова/ })).toBeVisible();
  await page.goto(`${product.url}/c/1/settings/channels`);
  await expect(page.getByText('Получено за сутки').locator('..')).toContainText('2');
  await page.getByRole('button', { name: /^Настройки канала: / }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Название' }).fill('Приёмная');
  await dialog.getByRole('button', { name: 'Сохранить' }).click();
  await expect(page.getByRole('heading', { name: 'Приёмная' })).toBeVisible();
});

test('the menu is pinned open and stays so', async ({ page }) => {
  const menu = page.getByRole('navigation', { name: 'Главное меню' }).first();
  await expect(menu.getByText('Настройки', { exact: true }).last()).toBeHidden();
  await menu.getByRole('button', { name: 'Закрепить меню открытым' }).click();
  await expect(menu.getByText('Настройки', { exact: true })).toBeVisible();
  await page.reload();
  await expect(menu.getByText('Настройки', { exact: true })).toBeVisible();
  await menu.getByRole('button', { name: 'Свернуть меню' }).click();
});

test('Ctrl+Enter sends where it is chosen', async ({ page, product }) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await page.goto(`${product.url}/c/1/settings/account`);
  await page.getByRole('radio', { name: /^Ctrl\+Enter/ }).check();
  await page.goto(`${product.url}/c/1/messages`);
  await page.getByRole('link', { name: /Катя Орлова/ }).click();
  const field = page.getByRole('textbox', { name: 'Сообщение' });
  await field.fill('Первая');
  await field.press('Enter');
  await expect(field).toHaveValue('Первая\n');
  await field.pressSequentially('вторая');
  await field.press('Control+Enter');
  await expect.poll(() => client.texts()).toEqual(['Первая\nвторая']);
});

test('without a network the interface opens and says so', async ({ context, page, product }) => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await context.setOffline(true);
  await page.goto(`${product.url}/c/1/messages`);
  await expect(page.getByText('Нет связи с сервером')).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByRole('navigation', { name: 'Главное меню' }).first()).toBeVisible();
});
