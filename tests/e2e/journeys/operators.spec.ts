import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';

test('two operators see the same at once', async ({ browser, page, product }) => {
  const [marina, anna] = (await product.company('Точка роста', [
    ['Марина Белова', '+79036041728'],
    ['Анна Соловьёва', '+79163305280'],
  ])) as [Person, Person];
  await product.serve();
  await product.connectBot(marina);
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');

  await product.enter(page, marina);
  const other = await browser.newPage();
  await product.enter(other, anna);
  const mine = inbox(page);
  const hers = inbox(other);
  await mine.row('Катя Орлова').click();
  await hers.row('Катя Орлова').click();
  await expect(page.getByRole('img', { name: 'Сейчас смотрят: Анна Соловьёва' })).toBeVisible();

  // Assigned by one, seen by both within a second.
  await page.getByRole('button', { name: 'Ответственный: Не назначен' }).first().click();
  await page.getByRole('option', { name: 'Анна Соловьёва' }).click();
  const assigned = { name: 'Ответственный: Анна Соловьёва' };
  await expect(page.getByRole('button', assigned).first()).toBeVisible();
  await expect(other.getByRole('button', assigned).first()).toBeVisible({ timeout: 1000 });
  await expect(hers.log.getByText('Марина Белова: ответственный Анна Соловьёва')).toBeVisible();

  // Written by one, seen by both; the counter goes for both.
  await hers.field.pressSequentially('Здравствуйте');
  await expect(page.getByRole('status').filter({ hasText: 'Анна отвечает в этом чате' })).toBeVisible();
  await hers.field.press('Enter');
  await expect(mine.bubble('Здравствуйте').getByRole('img', { name: 'Отправлено' })).toBeVisible();
  await expect(mine.row('Катя Орлова')).not.toContainText('неотвеченн');

  // Two answers at the same moment: both arrive, in one order for everybody.
  await Promise.all([mine.send('От Марины'), hers.send('От Анны')]);
  for (const view of [mine, hers]) {
    await expect(view.bubble('От Марины').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    await expect(view.bubble('От Анны').getByRole('img', { name: 'Отправлено' })).toBeVisible();
  }
  const order = (view: typeof mine) => view.log.getByRole('article').allInnerTexts();
  const plain = (texts: string[]) =>
    texts.map((text) => /От (?:Марины|Анны)/.exec(text)?.[0]).filter(Boolean);
  expect(plain(await order(mine))).toEqual(plain(await order(hers)));
  expect((await client.texts()).slice(1)).toEqual(plain(await order(mine)));

  // Archived by one, gone from the list of the other; back when the client writes.
  await page.getByRole('button', { name: 'Архивировать чат' }).first().click();
  await expect(hers.row('Катя Орлова')).toBeHidden();
  await client.writes('Я снова здесь');
  await expect(hers.row('Катя Орлова')).toContainText('Я снова здесь');
  await expect(mine.row('Катя Орлова')).toContainText('Я снова здесь');
  await other.close();
});
