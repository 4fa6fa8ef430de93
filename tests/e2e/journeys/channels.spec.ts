import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';
import { BOT } from '../support/telegram';

let marina: Person;
test.beforeEach(async ({ page, product }) => {
  [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
  await product.enter(page, marina);
});

test('a revoked token is told, and a new one lets the answer go', async ({ page, product }) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  const view = inbox(page);
  await view.row('Катя Орлова').click();
  const { token } = await product.telegram.call<{ token: string }>('POST', `/bots/${BOT.id}/revoke`);

  await expect(page.getByText('Telegram Bot @harbour_desk_bot не работает.')).toBeVisible();
  await view.send('Подождёт токена');
  await expect(view.log.getByRole('alert')).toHaveText(/Канал отключён/);
  await page.getByRole('link', { name: 'Открыть каналы' }).click();
  await page.getByRole('button', { name: 'Заменить токен' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Токен').fill(token);
  await expect(dialog.getByText('@harbour_desk_bot', { exact: true })).toBeVisible();
  await dialog.getByRole('button', { name: 'Сохранить' }).click();
  await expect(page.getByText('На связи')).toBeVisible();
  await page.goBack();
  await view.log.getByRole('button', { name: 'Повторить' }).click();
  await expect(view.bubble('Подождёт токена').getByRole('img', { name: 'Отправлено' })).toBeVisible();
  expect(await client.texts()).toEqual(['Подождёт токена']);
});

test('a channel is turned off and on', async ({ page }) => {
  await page
    .getByRole('link', { name: /^Настройки/ })
    .first()
    .click();
  await page.getByRole('button', { name: /^Действия: / }).click();
  await page.getByRole('menuitem', { name: 'Отключить' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Отключить' }).click();
  await expect(page.getByText(/Отключён администратором/)).toBeVisible();
  await page.getByRole('button', { name: 'Включить' }).click();
  await expect(page.getByText('На связи')).toBeVisible();
});

test('a token that Telegram does not know is refused in words', async ({ page }) => {
  await page
    .getByRole('link', { name: /^Настройки/ })
    .first()
    .click();
  await page.getByRole('button', { name: 'Подключить канал' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /Telegram Bot/ }).click();
  await dialog.getByLabel('Токен').fill('999999:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
  await expect(dialog.getByText(/Telegram не принял токен/)).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Подключить', exact: true })).toBeDisabled();
  await dialog.getByLabel('Токен').fill(BOT.token);
  await dialog.getByRole('button', { name: 'Подключить', exact: true }).click();
  await expect(dialog.getByText('Этот бот уже подключён.')).toBeVisible();
});
