import { Demo } from '../support/demo';
import { inbox } from '../support/inbox';
import { expect, test } from '../support/product';

interface Sample {
  channels: string[];
  templates: string[];
  conversations: number;
  oldestDays: number;
}

test.describe('the demo', () => {
  // One demo for both.
  test.describe.configure({ mode: 'serial' });
  let demo: Demo;
  test.beforeAll(async () => {
    demo = await Demo.start(['--still']);
  });
  test.afterAll(() => demo.close());

  test('shows a company at work, says that it is invented, and its clients answer', async ({ page }) => {
    expect(demo.seats.map((seat) => seat.role)).toEqual(['administrator', 'operator', 'operator']);
    await demo.enter(page, 'Марина Белова');
    const banner = page.getByRole('complementary', { name: 'Демонстрация' });
    await expect(banner).toContainText('make run');

    const sample = await page.evaluate(async (): Promise<Sample> => {
      const get = async (path: string) => (await fetch(`/api/v1/companies/1${path}`)).json();
      const days: number[] = [];
      let conversations = 0;
      for (const filter of ['open', 'archived']) {
        let cursor: string | null = null;
        do {
          const query: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
          const answer = await get(`/conversations?filter=${filter}&limit=100${query}`);
          conversations += answer.items.length;
          for (const item of answer.items) days.push((Date.now() - Date.parse(item.created_at)) / 86_400_000);
          cursor = answer.next_cursor ?? null;
        } while (cursor);
      }
      return {
        channels: (await get('/channels')).items.map((channel: { kind: string }) => channel.kind),
        templates: (await get('/quick-replies')).items.map((one: { name: string }) => one.name),
        conversations,
        oldestDays: Math.max(...days),
      };
    });
    expect(sample.channels.sort()).toEqual(['telegram_bot', 'telegram_bot', 'telegram_bot', 'widget']);
    expect(sample.templates.length).toBeGreaterThanOrEqual(5);
    expect(sample.conversations).toBeGreaterThanOrEqual(40);
    expect(sample.oldestDays).toBeGreaterThan(14);

    const view = inbox(page);
    await view.row('Екатерина Жуковская').click();
    await expect(view.bubble('А можно оплатить двумя частями')).toBeVisible();
    await view.send('Конечно. Договор: https://tochka.example.com/d/4811');
    await expect(
      view.bubble('Конечно. Договор').getByRole('img', { name: 'Отправлено' }),
    ).toBeVisible();
    await expect(view.bubble('Отлично, тогда первую часть оплачу сегодня')).toBeVisible({ timeout: 20_000 });

    await banner.getByRole('button', { name: 'Скрыть' }).click();
    await expect(banner).toHaveCount(0);
  });

  test('its site has visitors: with a past, and answering', async ({ page, context }) => {
    await demo.enter(page, 'Тимур Ахметов');
    await demo.openChat(page, 'Руслан Хабибуллин');
    const view = inbox(page);
    await expect(view.bubble('Хотим на пробный по физике')).toBeVisible();
    await expect(page.getByText('Физика для старших классов')).toBeVisible();
    await view.send('Руслан, добрый вечер! Всё в силе?');
    await expect(view.bubble('Всё в силе?').getByRole('img', { name: 'Прочитано' })).toBeVisible({ timeout: 20_000 });
    await expect(view.bubble('Спасибо, будем')).toBeVisible({ timeout: 20_000 });

    // A newcomer is a visitor too, on the page of the sample site.
    const site = await context.newPage();
    await site.goto(`${demo.url}/demo/site`);
    await site.getByRole('button', { name: /^Открыть чат/ }).click();
    await site.getByRole('button', { name: 'Сколько стоит курс?' }).click();
    await expect(site.getByRole('log').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    // A list that was scrolled to the open chat stays where it is; seen from its beginning, the visitor is first.
    await page.goto(`${demo.url}/c/1/messages`);
    await expect(page.getByRole('list', { name: 'Чаты' }).getByText('Сколько стоит курс?')).toBeVisible();
  });

  test('shows what becomes of messages that a messenger refuses or keeps silent about', async ({ page }) => {
    await demo.enter(page, 'Анна Соловьёва');
    const view = inbox(page);
    for (const [client, text, status] of [
      ['Наталья Сергеевна Барышникова', 'справка готова', 'Не отправлено'],
      ['Юлия Ким', 'Записали: Мила', 'Не знаем, дошло ли'],
    ] as const) {
      await demo.openChat(page, client);
      await expect(view.bubble(text).getByRole('img', { name: status })).toBeVisible();
    }
  });
});
