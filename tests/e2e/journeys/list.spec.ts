import type { Cookie, Page } from '@playwright/test';
import { gather } from '../support/crowd';
import { Demo } from '../support/demo';
import { inbox } from '../support/inbox';
import { expect, test } from '../support/product';

/** The chat list of a company at work: found, sorted, gone through by keys, changed many at once. */

const CROWD = 100_000;
/** A bot of the demo and a client of it, by their numbers at the simulated messenger. */
const BOT = 700_100_202;
const CLIENT = 5_200_200_001;

const list = (page: Page) => page.getByRole('list', { name: 'Чаты' });
const rows = (page: Page) => list(page).getByRole('link');

const shown = (page: Page) =>
  rows(page).evaluateAll((links) => links.map((link) => Number((link as HTMLElement).dataset.conversation)));

/** What the server lists, by the public API. */
const listed = (page: Page, query: string) =>
  page.evaluate(async (asked) => {
    const answer = await fetch(`/api/v1/companies/1/conversations?limit=8&${asked}`);
    const { items } = (await answer.json()) as { items: { id: number }[] };
    return items.map(({ id }) => id);
  }, query);

const choose = async (
  page: Page,
  button: RegExp | string,
  role: 'menuitemradio' | 'menuitem',
  name: string,
) => {
  await page.getByRole('button', { name: button }).click();
  await page.getByRole(role, { name }).click();
};

const begins = async (page: Page, query: string) => {
  const ids = await listed(page, query);
  await expect.poll(async () => (await shown(page)).slice(0, ids.length)).toEqual(ids);
  return ids;
};

test.describe('the chat list', () => {
  test.describe.configure({ mode: 'serial' });
  let demo: Demo;
  /** Who has signed in: a link works once. */
  const seats = new Map<string, Cookie[]>();
  test.beforeAll(async ({ browser }) => {
    demo = await Demo.start(['--still', '--seed', '1']);
    for (const { name } of demo.seats) {
      const context = await browser.newContext();
      await demo.enter(await context.newPage(), name);
      seats.set(name, await context.cookies());
      await context.close();
    }
  });
  const sit = async (page: Page, name: string) => {
    await page.context().addCookies(seats.get(name) ?? []);
    await page.goto(`${demo.url}/c/1/messages`);
  };
  test.afterAll(() => demo.close());

  test('is narrowed by everything at once, and the address says so', async ({ page }) => {
    await sit(page, 'Марина Белова');
    await rows(page).first().waitFor();
    await begins(page, 'filter=open');

    await choose(page, /^Отбор:/, 'menuitemradio', 'Активные');
    await expect(page).toHaveURL(/filter=active/);
    const active = await begins(page, 'filter=active');
    expect(active.length).toBeGreaterThan(0);

    await page.getByRole('link', { name: /^Неотвеченные/ }).click();
    await begins(page, 'filter=active&unanswered=true');
    await choose(page, 'Отбор и порядок', 'menuitemradio', 'Никто');
    await begins(page, 'filter=active&unanswered=true&assignee=nobody');

    // The channel of the first one, and another.
    const names = await page.evaluate(async () => {
      const get = async (path: string) => (await fetch(`/api/v1/companies/1${path}`)).json();
      const { items } = (await get('/conversations?filter=active&unanswered=true&assignee=nobody')) as {
        items: { channel_id: number }[];
      };
      const channels = (await get('/channels')).items as { id: number; name: string }[];
      const own = channels.find(({ id }) => id === items[0]?.channel_id);
      const other = channels.find(({ id }) => id !== own?.id);
      return [own?.name ?? '', other?.name ?? ''];
    });
    await page.getByRole('button', { name: 'Канал связи' }).first().click();
    for (const name of names) await page.getByRole('menuitemcheckbox', { name }).click();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('button', { name: '2 канала' })).toBeVisible();
    const channel = new URL(page.url()).searchParams.get('channel');
    expect(channel).toMatch(/^\d+-\d+$/);
    const query = `filter=active&unanswered=true&assignee=nobody&channel_id=${channel?.replace('-', ',')}`;
    const ids = await begins(page, query);
    await expect(rows(page)).toHaveCount(ids.length);
    await expect(page.getByRole('button', { name: /^Отбор:/ })).toContainText(String(ids.length));

    // The same place by the address alone.
    const other = await page.context().newPage();
    await other.goto(page.url());
    await begins(other, query);
    await other.close();

    // Live: whoever is assigned to somebody leaves, without a reload.
    const [first] = ids as [number];
    await rows(page).first().focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Alt+i');
    await expect.poll(() => shown(page)).not.toContain(first);
    await page.getByRole('button', { name: 'Вернуть' }).click();
    await expect.poll(() => shown(page)).toContain(first);
  });

  test('is sorted as the member likes, on every device', async ({ page, browser }) => {
    await sit(page, 'Тимур Ахметов');
    await rows(page).first().waitFor();
    await choose(page, 'Отбор и порядок', 'menuitemradio', 'По дате создания');
    const created = await begins(page, 'order=created');
    expect(created).toEqual([...created].sort((a, b) => b - a));

    const state = await page.context().storageState();
    const elsewhere = await browser.newContext({ storageState: state });
    const other = await elsewhere.newPage();
    await other.goto(`${demo.url}/c/1/messages`);
    await begins(other, 'order=created');
    await other.goto(`${demo.url}/c/1/settings/account`);
    const box = other.getByRole('checkbox', { name: 'Сортировать диалоги по дате создания' });
    await expect(box).toBeChecked();
    await box.click();
    await expect(box).not.toBeChecked();
    await elsewhere.close();
    await page.reload();
    await begins(page, 'order=activity');
  });

  test('changes many chats at once, by keys alone, and takes it back', async ({ page }) => {
    await sit(page, 'Марина Белова');
    await rows(page).first().waitFor();
    const before = await shown(page);
    await rows(page).first().focus();
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    const bar = page.getByRole('toolbar', { name: 'Действия с выбранными чатами' });
    await expect(bar).toContainText('Выбрано 3 чата');
    await page.keyboard.press('Shift+ArrowUp');
    await expect(bar).toContainText('Выбрано 2 чата');
    await page.keyboard.press('Alt+e');
    await expect(page.getByText('2 чата в архиве')).toBeVisible();
    await expect.poll(() => shown(page)).not.toContain(before[0]);
    // The focus is on the row that took their place.
    await expect(rows(page).first()).toBeFocused();
    await page.getByRole('button', { name: 'Вернуть' }).click();
    await expect.poll(async () => (await shown(page)).slice(0, 3)).toEqual(before.slice(0, 3));

    // By the mouse: one, and through another.
    await rows(page)
      .nth(1)
      .click({ modifiers: ['Control'] });
    await rows(page)
      .nth(3)
      .click({ modifiers: ['Shift'] });
    await expect(bar).toContainText('Выбрано 3 чата');
    await bar.getByRole('button', { name: 'Назначить ответственного' }).click();
    await page.getByRole('menuitem', { name: 'Анна Соловьёва' }).click();
    await expect(page.getByText('Ответственный назначен в 3 чатах')).toBeVisible();
    await expect(bar).toBeHidden();
    for (const index of [1, 2, 3]) {
      await expect(
        rows(page).nth(index).getByRole('img', { name: 'Ответственный: Анна Соловьёва' }),
      ).toBeVisible();
    }

    await rows(page).first().focus();
    await page.keyboard.press('Control+a');
    await expect(bar).toContainText(/Выбран/);
    await page.keyboard.press('Escape');
    await expect(bar).toBeHidden();
  });

  test('is gone through by keys, which a sheet lists', async ({ page }) => {
    await sit(page, 'Марина Белова');
    await rows(page).first().waitFor();
    const order = await shown(page);
    await page.keyboard.press('Alt+j');
    await expect(page).toHaveURL(new RegExp(`/messages/${order[0]}`));
    await page.keyboard.press('Alt+j');
    await expect(page).toHaveURL(new RegExp(`/messages/${order[1]}`));
    await page.keyboard.press('Alt+k');
    await expect(page).toHaveURL(new RegExp(`/messages/${order[0]}`));

    const sheet = page.getByRole('dialog', { name: 'Горячие клавиши' });
    const view = inbox(page);
    await view.field.press('Shift+Slash');
    await expect(view.field).toHaveValue('?');
    await expect(sheet).toBeHidden();
    await view.field.fill('');
    await rows(page).first().focus();
    await page.keyboard.press('Shift+Slash');
    await expect(sheet).toBeVisible();
    await expect(sheet).toContainText('Следующий чат');
    await sheet.getByRole('switch', { name: 'Клавиши без Alt и Ctrl' }).click();
    await page.keyboard.press('Escape');
    await expect(sheet).toBeHidden();
    await rows(page).first().focus();
    await page.keyboard.press('Shift+Slash');
    await page.getByRole('button', { name: 'Профиль: Марина Белова' }).click();
    await expect(sheet).toBeHidden();
    await page.getByRole('menuitem', { name: 'Горячие клавиши' }).click();
    await expect(sheet).toBeVisible();
  });

  test('holds a window of a hundred thousand chats, and finds its way back to the top', async ({ page }) => {
    await demo.restart(['--still'], (database) => gather(database, CROWD));
    await sit(page, 'Анна Соловьёва');
    await rows(page).first().waitFor();
    const top = await shown(page);
    await expect(page.getByRole('button', { name: /^Отбор:/ })).toContainText(/100\s?\d{3}/);

    const asked = { below: 0, above: 0 };
    page.on('response', (response) => {
      const { pathname, searchParams } = new URL(response.url());
      if (!pathname.endsWith('/conversations')) return;
      if (searchParams.has('cursor')) asked.below += 1;
      if (searchParams.has('above')) asked.above += 1;
    });
    const scrollTo = (place: 'end' | 'start') =>
      list(page).evaluate(
        (element, to) => element.scrollTo(0, to === 'end' ? element.scrollHeight : 0),
        place,
      );
    const held = () => list(page).evaluate((element) => element.scrollHeight / 66);
    while (asked.below < 25) {
      const before = asked.below;
      await scrollTo('end');
      await expect.poll(() => asked.below).toBeGreaterThan(before);
    }
    // A thousand rows down; a few hundred are held.
    await expect.poll(held).toBeLessThan(600);
    const names = await rows(page).allInnerTexts();
    const numbers = names.map((name) => Number(/Клиент (\d+)/.exec(name)?.[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(Math.max(...numbers)).toBeLessThan(CROWD - 700);

    // What somebody writes meanwhile moves nothing here, and is told.
    const atCentre = () =>
      list(page).evaluate((element) => {
        const { x, y, height } = element.getBoundingClientRect();
        const row = document
          .elementFromPoint(x + 50, y + height / 2)
          ?.closest<HTMLElement>('[data-conversation]');
        return [row?.dataset.conversation, row?.getBoundingClientRect().top];
      });
    let place = await atCentre();
    await expect
      .poll(async () => {
        const [before, now] = [place, await atCentre()];
        place = now;
        // Before the row is drawn there is none.
        return now[0] !== undefined && before.join() === now.join();
      })
      .toBe(true);
    await demo.messenger(`/bots/${BOT}/clients/${CLIENT}/messages`, {
      kind: 'text',
      text: 'Вы ещё работаете?',
    });
    const news = page.getByRole('button', { name: 'Новые сообщения' });
    await expect(news).toBeVisible();
    expect(await atCentre()).toEqual(place);

    // Up again, page by page.
    while (asked.above < 3) {
      const before = asked.above;
      await scrollTo('start');
      await expect.poll(() => asked.above).toBeGreaterThan(before);
    }
    await expect.poll(held).toBeLessThan(600);
    const above = (await rows(page).allInnerTexts()).map((name) => Number(/Клиент (\d+)/.exec(name)?.[1]));
    expect(above).toEqual([...above].sort((a, b) => b - a));
    expect(Math.max(...above)).toBeGreaterThan(Math.max(...numbers));

    await news.click();
    await expect(rows(page).first()).toContainText('Вы ещё работаете?');
    expect(await shown(page)).toEqual(expect.arrayContaining(top.slice(0, 3)));
    // The last one is reached from the end by a click no slower than any other.
    await rows(page).first().click();
    await expect(inbox(page).bubble('Вы ещё работаете?')).toBeVisible();
  });
});
