import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Finding {
  id: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** What an automatic checker finds wrong, in words. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const checker = (window as unknown as { axe: { run: (options: object) => Promise<unknown> } }).axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const result = (await checker.run({ runOnly: { type: 'tag', values: tags } })) as {
      violations: Finding[];
    };
    return result.violations;
  });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\s+/g, ' ')}`),
  );
}

for (const [language, scheme] of [
  ['ru', 'light'],
  ['en', 'dark'],
] as const) {
  test(`the checker finds nothing, ${language}, ${scheme}`, async ({ page, product }) => {
    await page.addInitScript(
      ([chosen, colours]) => {
        localStorage.setItem('uzel-language', chosen as string);
        localStorage.setItem('uzel-scheme', colours as string);
      },
      [language, scheme],
    );
    const [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
    await product.serve();
    await product.connectBot(marina);
    const client = await product.telegram.client('Катя', 'Орлова');
    await client.writes('Добрый день, вот ссылка https://example.org/');
    await client.sends({ kind: 'contact', phone_number: '79037712064', first_name: 'Игорь' });

    await page.goto(`${product.url}/sign-in`);
    await page.getByRole('button', { name: 'English' }).waitFor();
    expect(await findings(page)).toEqual([]);

    await page.goto(product.url + new URL(marina.signInLink).pathname);
    await page.getByRole('main').getByRole('button').click();
    await page.getByRole('link', { name: /Катя Орлова/ }).click();
    await expect(page.getByRole('log').getByRole('article')).toHaveCount(3);
    await product.telegram.fault('sendMessage', 1, {
      fault: 'refused',
      error_code: 400,
      description: 'Bad Request',
    });
    const field = page.getByRole('textbox', { name: language === 'ru' ? 'Сообщение' : 'Message' });
    await field.fill('Не дойдёт');
    await field.press('Enter');
    await expect(page.getByRole('log').getByRole('alert')).toBeVisible();
    expect(await findings(page)).toEqual([]);

    await page.goto(`${product.url}/c/1/settings/channels`);
    await page.getByText('@harbour_desk_bot').waitFor();
    expect(await findings(page)).toEqual([]);

    for (const section of ['delivery', 'company', 'account']) {
      await page.goto(`${product.url}/c/1/settings/${section}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await findings(page), section).toEqual([]);
    }
  });
}

test('the inbox is worked by keyboard alone', async ({ page, product }) => {
  const [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
  for (const name of ['Катя', 'Ольга', 'Ирина']) {
    const client = await product.telegram.client(name, 'Орлова');
    await client.writes(`Это ${name}`);
  }
  await product.enter(page, marina);
  const view = inbox(page);
  await expect(view.row('Катя Орлова')).toContainText('Это Катя');
  await expect(page.getByRole('list', { name: 'Чаты' }).getByRole('link')).toHaveCount(3);

  // One row is in the tab order, arrows move within the list.
  await page.getByRole('list', { name: 'Чаты' }).getByRole('link').first().focus();
  // Twice before the list is drawn once, as a held key does on a busy machine.
  await page.evaluate(() => {
    const down = { key: 'ArrowDown', bubbles: true, cancelable: true };
    for (let i = 0; i < 2; i += 1) document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', down));
  });
  await expect(view.row('Катя Орлова')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(view.field).toBeFocused();
  await page.keyboard.type('Первая строка');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('вторая');
  await page.keyboard.press('Enter');
  await expect(view.bubble('Первая строка').getByRole('img', { name: 'Отправлено' })).toBeVisible();
  await expect(view.field).toHaveValue('');

  // A menu gives the focus back to its button.
  const assignee = page.getByRole('button', { name: /^Ответственный:/ }).first();
  await assignee.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Ответственный: Марина Белова' }).first()).toBeFocused();
});
