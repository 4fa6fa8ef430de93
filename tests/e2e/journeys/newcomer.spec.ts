import { inbox } from '../support/inbox';
import { expect, test } from '../support/product';
import { BOT } from '../support/telegram';

test('a newcomer goes from the set-up link to the first answer', async ({ page, product }) => {
  await product.serve();

  await page.goto(await product.setupLink());
  await page.getByLabel('Имя').fill('Марина Белова');
  await page.getByLabel('Телефон').fill('8 (903) 604-17-28');
  await page.getByLabel('Название').fill('Точка роста');
  await page.getByRole('button', { name: 'Следующий шаг' }).click();

  await page.getByRole('button', { name: 'Подключить канал' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /Telegram Bot/ }).click();
  await dialog.getByLabel('Токен').fill(BOT.token);
  await expect(dialog.getByText('@harbour_desk_bot')).toBeVisible();
  await dialog.getByRole('button', { name: 'Подключить', exact: true }).click();
  await expect(page.getByText('На связи')).toBeVisible();

  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Есть места в группе?');
  await page
    .getByRole('link', { name: /^Сообщения/ })
    .first()
    .click();
  const view = inbox(page);
  await expect(view.row('Катя Орлова')).toContainText('Есть места в группе?');
  await view.row('Катя Орлова').click();
  await expect(view.bubble('Есть места в группе?')).toBeVisible();

  await view.send('Да, во вторник и в субботу');
  await expect(
    view.bubble('Да, во вторник и в субботу').getByRole('img', { name: 'Отправлено' }),
  ).toBeVisible();
  expect(await client.texts()).toEqual(['Да, во вторник и в субботу']);

  // The link was used up.
  await page.goto(await product.setupLink());
  await expect(page.getByText('Ссылка для настройки больше не действует')).toBeVisible();
});

test('an administrator comes back by phone and code', async ({ page, product }) => {
  await product.company('Точка роста', [['Марина Белова', '+79036041728']]);
  await product.serve();

  await page.goto(product.url);
  await page.getByLabel('Телефон').fill('+7 903 604-17-28');
  await page.getByRole('button', { name: 'Получить код' }).click();
  await expect(page.getByRole('heading', { name: 'Введите код из СМС' })).toBeVisible();
  await expect(page.getByText(/Новый код можно запросить через/)).toBeVisible();
  const code = await product.signInCode();
  const wrong = code === '000000' ? '111111' : '000000';
  await page.getByLabel('Код').first().click();
  await page.keyboard.type(wrong);
  await expect(page.getByRole('alert')).toContainText('Код не подошёл. Остал');
  await page.getByLabel('Код').first().click();
  await page.keyboard.type(code);
  await expect(page.getByRole('button', { name: 'Профиль: Марина Белова' })).toBeVisible();

  await page.getByRole('button', { name: 'Профиль: Марина Белова' }).click();
  await page.getByRole('menuitem', { name: 'Выйти из системы' }).click();
  await expect(page.getByRole('heading', { name: 'Вход' })).toBeVisible();
  await page.goto(`${product.url}/c/1/messages`);
  await expect(page.getByRole('heading', { name: 'Вход' })).toBeVisible();
});
