import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';

let marina: Person;
test.beforeEach(async ({ product }) => {
  [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
});

test('a long conversation opens at the first unread message and does not move by itself', async ({
  page,
  product,
}) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  for (let number = 1; number <= 90; number += 1) await client.writes(`Сообщение ${number}.`);
  await product.enter(page, marina);
  const view = inbox(page);
  await expect(view.row('Катя Орлова')).toContainText('Сообщение 90.');
  await view.row('Катя Орлова').click();

  // Two pages lie above the last one; the line stands before the very first message.
  await expect(view.log.getByText('Новые сообщения')).toBeInViewport();
  await expect(view.bubble('Сообщение 1.')).toBeInViewport();

  // What is being read stays where it is when something new arrives.
  const place = (await view.bubble('Сообщение 1.').boundingBox())?.y;
  await client.writes('Самое новое');
  await expect(page.getByRole('button', { name: /нов|К последним/ })).toBeVisible();
  await expect(view.row('Катя Орлова')).toContainText('Самое новое');
  expect((await view.bubble('Сообщение 1.').boundingBox())?.y).toBe(place);

  await view.log.focus();
  await page.keyboard.press('End');
  await expect(view.bubble('Самое новое')).toBeInViewport();
  // At the end, new messages are followed.
  await client.writes('И ещё одно');
  await expect(view.bubble('И ещё одно')).toBeInViewport();

  // Opened again, it is at the end: everything was read, as the server was told.
  await expect
    .poll(async () => {
      const [, company, chat] = /\/c\/(\d+)\/messages\/(\d+)/.exec(page.url()) ?? [];
      const path = `/api/v1/companies/${company}/conversations/${chat}`;
      const answer = await page.request.get(new URL(path, page.url()).href);
      const { conversation, read_marker } = await answer.json();
      return conversation.last_incoming_position - read_marker.position;
    })
    .toBe(0);
  await page.reload();
  await expect(view.bubble('И ещё одно')).toBeInViewport();
  await expect(view.log.getByText('Новые сообщения')).toHaveCount(0);
  // Older pages load upwards, and what is in view does not jump.
  for (let turn = 0; turn < 12; turn += 1) await view.log.press('PageUp');
  await view.log.press('Home');
  await expect(view.bubble('/start')).toBeInViewport();
});

test('a quote leads to its message, however far up it lies', async ({ page, product }) => {
  const client = await product.telegram.client('Катя', 'Орлова');
  const first = await client.writes('С этого всё началось');
  await product.enter(page, marina);
  const view = inbox(page);
  await expect(view.row('Катя Орлова')).toContainText('С этого всё началось');
  for (let number = 1; number <= 60; number += 1) await client.writes(`Сообщение ${number}.`);
  await client.sends({ kind: 'text', text: 'Помните это?', entities: [], reply_to: first });
  await expect(view.row('Катя Орлова')).toContainText('Помните это?');
  await view.row('Катя Орлова').click();
  await view.log.focus();
  await page.keyboard.press('End');
  await view
    .bubble('Помните это?')
    .getByRole('button', { name: /Перейти к сообщению/ })
    .click();
  await expect(view.bubble('С этого всё началось').first()).toBeInViewport();
});

test('the list does not move under the pointer', async ({ page, product }) => {
  const katya = await product.telegram.client('Катя', 'Орлова');
  const olga = await product.telegram.client('Ольга', 'Ким');
  await product.enter(page, marina);
  const rows = page.getByRole('list', { name: 'Чаты' }).getByRole('link');
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText('Ольга Ким');

  await page.mouse.move(900, 500);
  await katya.writes('Я выше');
  await expect(rows.first()).toContainText('Катя Орлова');

  await rows.first().hover();
  await olga.writes('И я');
  await expect(rows.nth(1)).toContainText('И я');
  await expect(rows.first()).toContainText('Катя Орлова');
  await page.getByRole('button', { name: 'Новые сообщения' }).click();
  await expect(rows.first()).toContainText('Ольга Ким');
});
