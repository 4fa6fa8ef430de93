import type { Page } from '@playwright/test';
import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';

const card = (page: Page) => page.getByRole('complementary', { name: 'Карточка клиента' });
const pencil = (page: Page, field: string) => card(page).getByRole('button', { name: `Изменить: ${field}` });
const field = (page: Page, name: string) => card(page).getByRole('textbox', { name });
const save = (page: Page) => card(page).getByRole('button', { name: 'Сохранить' });

test('what is written on the card is seen by everybody at once, and stays', async ({
  browser,
  page,
  product,
}) => {
  const [marina, anna] = (await product.company('Точка роста', [
    ['Марина Белова', '+79036041728'],
    ['Анна Соловьёва', '+79163305280'],
  ])) as [Person, Person];
  await product.serve();
  await product.connectBot(marina);
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  await product.enter(page, marina);
  const other = await (await browser.newContext({ locale: 'ru-RU' })).newPage();
  await product.enter(other, anna);
  await inbox(page).row('Катя Орлова').click();
  await inbox(other).row('Катя Орлова').click();

  // The nine items of the manual.
  for (const item of [
    'Имя клиента',
    'Номер телефона',
    'Канал связи',
    'Компания',
    'Дата создания диалога',
    'Ответственный',
    'Комментарий по клиенту',
  ]) {
    await expect(card(page).getByRole('term').filter({ hasText: item })).toBeVisible();
  }
  await expect(card(page).getByRole('button', { name: 'Отметить прочитанным' })).toBeEnabled();
  await expect(card(page).getByRole('button', { name: 'Архивировать чат' })).toBeEnabled();

  // A name by keyboard: the pencil gives the focus, Enter saves, the focus comes back.
  await pencil(page, 'Имя клиента').focus();
  await page.keyboard.press('Enter');
  await expect(field(page, 'Имя клиента')).toBeFocused();
  await page.keyboard.type('Екатерина Орлова');
  await page.keyboard.press('Enter');
  await expect(pencil(page, 'Имя клиента')).toBeFocused();
  for (const view of [page, other]) {
    await expect(inbox(view).row('Екатерина Орлова')).toBeVisible();
    await expect(card(view).getByRole('heading', { name: 'Екатерина Орлова' })).toBeVisible();
  }

  // What is no number is told at the field, and what was typed stays.
  await pencil(page, 'Номер телефона').click();
  await field(page, 'Номер телефона').fill('много');
  await save(page).click();
  await expect(card(page).getByText('Это не похоже на номер телефона')).toBeVisible();
  await expect(field(page, 'Номер телефона')).toHaveValue('много');
  await field(page, 'Номер телефона').fill('8 (926) 418-07-53');
  await save(page).click();
  await expect(card(other).getByText('+7 926 418-07-53')).toBeVisible();

  // The messenger goes on calling the client as before.
  await client.writes('Это снова я');
  await expect(inbox(page).row('Екатерина Орлова')).toContainText('Это снова я');
  await other.context().close();
});

test('two who write a comment at once see both and choose', async ({ browser, page, product }) => {
  const [marina, anna] = (await product.company('Точка роста', [
    ['Марина Белова', '+79036041728'],
    ['Анна Соловьёва', '+79163305280'],
  ])) as [Person, Person];
  await product.serve();
  await product.connectBot(marina);
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  const timur = await product.telegram.client('Тимур', 'Ильин');
  await timur.writes('Здравствуйте');
  await product.enter(page, marina);
  const other = await (await browser.newContext({ locale: 'ru-RU' })).newPage();
  await product.enter(other, anna);
  await inbox(page).row('Катя Орлова').click();
  await inbox(other).row('Катя Орлова').click();

  const comment = 'Комментарий по клиенту';
  await pencil(page, comment).click();
  await field(page, comment).fill('Дочь Соня, 5 «Б»');
  await pencil(other, comment).click();
  await field(other, comment).fill('Звонить после 18:00');
  await save(other).click();
  await expect(card(other).getByText('Звонить после 18:00')).toBeVisible();

  // Marina learns of it while she writes; her own words are still there, in another chat and back too.
  await expect(card(page).getByRole('alert')).toContainText('Звонить после 18:00');
  await inbox(page).row('Тимур Ильин').click();
  await expect(card(page).getByRole('heading', { name: 'Тимур Ильин' })).toBeVisible();
  await inbox(page).row('Катя Орлова').click();
  await expect(field(page, comment)).toHaveValue('Дочь Соня, 5 «Б»');
  await card(page).getByRole('button', { name: 'Оставить мой' }).click();
  await expect(card(other).getByText('Дочь Соня, 5 «Б»')).toBeVisible();

  // The other way: what the colleague wrote is taken.
  await pencil(other, comment).click();
  await field(other, comment).fill('Лишнее');
  await pencil(page, comment).click();
  await field(page, comment).fill('Дочь Соня, 6 «Б»');
  await save(page).click();
  await card(other).getByRole('button', { name: 'Взять новый' }).click();
  await expect(card(other).getByText('Дочь Соня, 6 «Б»')).toBeVisible();
  await other.context().close();
});

test('a refusal that is newer than what the page knows shows both comments', async ({ page, product }) => {
  const [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Добрый день');
  // No events reach this page.
  await page.routeWebSocket('**/api/v1/realtime', () => undefined);
  await product.enter(page, marina);
  await inbox(page).row('Катя Орлова').click();
  const comment = 'Комментарий по клиенту';
  await pencil(page, comment).click();
  await field(page, comment).fill('Моё');
  const list = await product.api<{ items: { contact: { id: number } }[] }>(
    marina,
    'GET',
    '/companies/1/conversations',
  );
  const body = { comment: 'Чужое', comment_before: '' };
  await product.api(marina, 'PATCH', `/companies/1/contacts/${list.items[0]?.contact.id}`, body);
  await save(page).click();
  await expect(card(page).getByRole('alert')).toContainText('Чужое');
  await expect(field(page, comment)).toHaveValue('Моё');
  await card(page).getByRole('button', { name: 'Оставить мой' }).click();
  await expect(card(page).getByRole('alert')).toBeHidden();
  await expect(card(page).getByText('Моё')).toBeVisible();
});

test('other chats of the client, and the one who answers', async ({ page, product }) => {
  const [marina] = (await product.company('Точка роста', [
    ['Марина Белова', '+79036041728'],
    ['Анна Соловьёва', '+79163305280'],
    ['Пётр Ёлкин', '+79163305281'],
  ])) as [Person];
  await product.serve();
  await product.connectBot(marina);
  for (const name of ['Катя', 'Екатерина']) {
    const client = await product.telegram.client(name, 'Орлова');
    await client.writes(`Это ${name}`);
  }
  await expect
    .poll(async () => {
      const list = await product.api<{ items: { contact: { id: number } }[] }>(
        marina,
        'GET',
        '/companies/1/conversations',
      );
      for (const { contact } of list.items) {
        const body = { phone: '+7 926 418-07-53' };
        await product.api(marina, 'PATCH', `/companies/1/contacts/${contact.id}`, body);
      }
      return list.items.length;
    })
    .toBe(2);
  await product.enter(page, marina);
  await inbox(page).row('Катя Орлова').click();
  const others = card(page).getByRole('region', { name: 'Другие чаты клиента' });
  await expect(others.getByRole('link')).toHaveCount(1);
  await others.getByRole('link', { name: /Екатерина Орлова/ }).click();
  await expect(card(page).getByRole('heading', { name: 'Екатерина Орлова' })).toBeVisible();
  await expect(card(page).getByRole('region', { name: 'Другие чаты клиента' })).toContainText('Катя Орлова');

  // A colleague is found by the beginning of any name; ё or е, it is the same.
  const assignee = card(page).getByRole('button', { name: /^Ответственный:/ });
  await assignee.focus();
  await page.keyboard.press('Enter');
  const find = page.getByRole('combobox', { name: 'Найти коллегу' });
  await expect(find).toBeFocused();
  await page.keyboard.type('елк');
  await expect(page.getByRole('option')).toHaveText(['Пётр Ёлкин']);
  await page.keyboard.press('Enter');
  await expect(card(page).getByRole('button', { name: 'Ответственный: Пётр Ёлкин' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(find).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(find).toBeHidden();
  await expect(card(page).getByRole('button', { name: 'Ответственный: Пётр Ёлкин' })).toBeFocused();
});
