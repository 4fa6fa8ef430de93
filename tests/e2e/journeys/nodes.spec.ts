import { test as base, expect } from '@playwright/test';
import { inbox } from '../support/inbox';
import { Nodes } from '../support/nodes';
import { connectWidget, foreignSite, storedTexts, visitor } from '../support/widget';

const test = base.extend<{ nodes: Nodes }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from the pattern
  nodes: async ({}, use, info) => {
    const nodes = await Nodes.prepare();
    await use(nodes);
    if (info.status !== info.expectedStatus) {
      await info.attach('servers.log', { body: nodes.output(), contentType: 'text/plain' });
    }
    await nodes.close();
  },
});

test('a visitor on one node and an operator on the other', async ({ browser, page, nodes }) => {
  const marina = await nodes.company('Точка роста', 'Марина Белова', '+79036041728');
  await nodes.serve();
  const [near, far] = nodes.urls as [string, string];
  const widget = await connectWidget(nodes, marina);
  const site = await foreignSite(near, widget.script.replaceAll(far, near));
  const operator = await (await browser.newContext({ locale: 'ru-RU' })).newPage();
  try {
    await page.goto(site.url);
    const client = visitor(page);
    await client.launcher.click();
    await client.send('Первое');
    await nodes.enter(operator, marina, 1);
    const desk = inbox(operator);
    await desk.row('Посетитель №1').click();
    await expect(desk.bubble('Первое')).toBeVisible();

    // While nobody writes a letter, each sees the other type; the answer is on the other node at once.
    await client.field.pressSequentially('Есть ли расср');
    await expect(operator.getByText(/печатает/).first()).toBeVisible();
    await client.send('Есть ли рассрочка?');
    await expect(desk.bubble('Есть ли рассрочка?')).toBeVisible();
    await desk.field.pressSequentially('Да');
    await expect(page.getByText('Марина печатает')).toBeVisible();
    await desk.send('Да, двумя частями');
    await expect(client.log.getByText('Да, двумя частями')).toHaveCount(1);
    await expect(
      desk.bubble('Да, двумя частями').getByRole('img', { name: 'Прочитано' }),
    ).toBeVisible();
    await expect(client.marks('Прочитано').last()).toBeVisible();
    expect(await storedTexts(nodes, marina)).toEqual(['Первое', 'Есть ли рассрочка?', 'Да, двумя частями']);
  } finally {
    await operator.context().close();
    await site.close();
  }
});
