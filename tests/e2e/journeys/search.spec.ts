import type { Page } from '@playwright/test';
import { inbox } from '../support/inbox';
import { expect, type Person, type Product, test } from '../support/product';

const field = (page: Page) => page.getByRole('combobox', { name: 'Поиск клиентов' });
const options = (page: Page) => page.getByRole('listbox', { name: 'Результаты поиска' }).getByRole('option');

async function withClients(page: Page, product: Product): Promise<Person> {
  const [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
  for (const name of ['Алёна', 'Тимур', 'Пётр']) {
    const client = await product.telegram.client(name, 'Орлов');
    await client.writes(`Это ${name}`);
    // One after another, so that the list is in this order.
    await expect
      .poll(async () => {
        const list = await product.api<{ items: { contact: { name: string } }[] }>(
          marina,
          'GET',
          '/companies/1/conversations',
        );
        return list.items[0]?.contact.name;
      })
      .toBe(`${name} Орлов`);
  }
  await product.enter(page, marina);
  await expect(inbox(page).row('Алёна Орлов')).toBeVisible();
  return marina;
}

test('a client is found by keyboard alone, from anywhere, and Back leads to the results', async ({
  page,
  product,
}) => {
  const marina = await withClients(page, product);
  const list = await product.api<{ items: { contact: { id: number; name: string } }[] }>(
    marina,
    'GET',
    '/companies/1/conversations',
  );
  const alyona = list.items.find(({ contact }) => contact.name.startsWith('Алёна'));
  await product.api(marina, 'PATCH', `/companies/1/contacts/${alyona?.contact.id}`, {
    phone: '8 926 418-07-53',
    comment: 'Дочь Соня, 5 «Б»',
    comment_before: '',
  });
  await page.goto(`${product.url}/c/1/settings/account`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  for (const [typed, first] of [
    ['ален', 'Алёна Орлов'],
    ['ОРЛОВ пет', 'Пётр Орлов'],
    ['8 (926) 418', 'Алёна Орлов'],
    ['0753', 'Алёна Орлов'],
    ['соня', 'Алёна Орлов'],
  ]) {
    await page.keyboard.press('Control+k');
    await expect(field(page)).toBeFocused();
    await page.keyboard.type(typed as string);
    await expect(page.getByRole('status').filter({ hasText: 'Найден 1 клиент' })).toBeVisible();
    await expect(options(page).first()).toContainText(first as string);
    await page.keyboard.press('Escape');
    await expect(field(page)).toBeHidden();
  }

  await page.keyboard.press('Control+k');
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('орлов');
  await expect(page.getByRole('status').filter({ hasText: 'Найдено 3 клиента' })).toBeVisible();
  const second = await options(page).nth(1).innerText();
  await page.keyboard.press('ArrowDown');
  await expect(options(page).nth(1)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(field(page)).toBeHidden();
  const name = second.split('\n')[0] as string;
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();

  await page.goBack();
  await expect(field(page)).toHaveValue('орлов');
  await expect(options(page)).toHaveCount(3);
  await page.keyboard.press('Escape');
  await expect(field(page)).toBeHidden();
  expect(page.url()).toBe(`${product.url}/c/1/settings/account`);
});

test('the search jumps to recent chats and to sections', async ({ page, product }) => {
  await withClients(page, product);
  for (const name of ['Алёна Орлов', 'Тимур Орлов']) {
    await inbox(page).row(name).click();
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  }
  await page.getByRole('button', { name: 'Поиск клиентов' }).click();
  await expect(page.getByRole('group', { name: 'Недавние чаты' }).getByRole('option').first()).toContainText(
    'Алёна Орлов',
  );
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Алёна Орлов' })).toBeVisible();

  await page.keyboard.press('Control+k');
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('доставк');
  await expect(page.getByRole('group', { name: 'Разделы' }).getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/settings\/delivery$/);

  // Outside of fields a slash is enough; in a field it is a letter.
  await page.goto(`${product.url}/c/1/messages`);
  await inbox(page).row('Тимур Орлов').click();
  await inbox(page).field.fill('');
  await inbox(page).field.press('/');
  await expect(field(page)).toBeHidden();
  await page.getByRole('list', { name: 'Чаты' }).getByRole('link').first().focus();
  await page.keyboard.press('/');
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('зззз');
  await expect(page.getByText('Никого не нашли')).toBeVisible();
});

test('a search that fails says so and is asked again', async ({ page, product }) => {
  await withClients(page, product);
  let broken = true;
  await page.route('**/contacts?**', (route) => (broken ? route.abort() : route.continue()));
  await page.keyboard.press('Control+k');
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('орлов');
  const alert = page.getByRole('alert');
  await expect(alert).toBeVisible();
  broken = false;
  await alert.getByRole('button', { name: 'Повторить' }).click();
  await expect(options(page).first()).toContainText('Орлов');
  await expect(alert).toBeHidden();
});

test('more than a page is found by asking for more', async ({ page, product }) => {
  const [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
  await Promise.all(
    Array.from({ length: 23 }, async (_, n) => {
      const client = await product.telegram.client(`Орлов${n}`, 'Пётр');
      await client.writes(`Это ${n}`);
    }),
  );
  await product.enter(page, marina);
  await expect
    .poll(async () => {
      const { open } = await product.api<{ open: number }>(marina, 'GET', '/companies/1/conversations/counts');
      return open;
    })
    .toBe(23);
  await page.keyboard.press('Control+k');
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('орлов');
  await expect(options(page).filter({ hasText: 'Пётр' })).toHaveCount(20);
  await options(page).filter({ hasText: 'Показать ещё' }).click();
  await expect(options(page).filter({ hasText: 'Пётр' })).toHaveCount(23);
  await expect(options(page).filter({ hasText: 'Показать ещё' })).toHaveCount(0);
});
