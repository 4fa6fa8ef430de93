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

const WORDS = {
  ru: {
    signIn: 'Войти',
    settings: /^Настройки/,
    messages: /^Сообщения/,
    more: /^Действия: /,
    remove: 'Удалить',
    asked: 'Удалить Telegram Bot @harbour_desk_bot?',
    told: /токен будет забыт.*не уйдёт.*Переписка останется/,
    done: /Переписка осталась/,
    chats: 'Чаты',
    gone: 'Канал удалён',
    closed: /удалён: переписку можно читать/,
    note: 'Комментарий',
    leave: 'Оставить комментарий',
    field: 'Сообщение',
    failed: 'Не отправлено',
    why: 'Канал удалён, сообщение не отправлено',
    retry: 'Повторить',
  },
  en: {
    signIn: 'Sign in',
    settings: /^Settings/,
    messages: /^Messages/,
    more: /^Actions: /,
    remove: 'Delete',
    asked: 'Delete Telegram Bot @harbour_desk_bot?',
    told: /token will be forgotten.*will not go.*conversations stay/,
    done: /The conversations stay/,
    chats: 'Chats',
    gone: 'Channel deleted',
    closed: /was deleted: the conversation can be read/,
    note: 'Comment',
    leave: 'Leave the comment',
    field: 'Message',
    failed: 'Not sent',
    why: 'The channel was deleted, the message was not sent',
    retry: 'Retry',
  },
} as const;

for (const language of ['ru', 'en'] as const) {
  test(`a deleted channel leaves its chats to be read, ${language}`, async ({ page, product }) => {
    const words = WORDS[language];
    const client = await product.telegram.client('Катя', 'Орлова');
    await client.writes('Добрый день');
    await page.evaluate((chosen) => localStorage.setItem('uzel-language', chosen), language);
    await page.reload();
    const row = page.getByRole('list', { name: words.chats }).getByRole('link', { name: /Катя Орлова/ });
    await row.click();
    const log = page.getByRole('log');
    await expect(log.getByText('Добрый день')).toBeVisible();
    // The provider answers nothing for a while: this answer is still queued when the channel goes.
    await product.telegram.fault('sendMessage', 1, { fault: 'too_many_requests', retry_after: 600 });
    const field = page.getByRole('textbox', { name: words.field });
    await field.fill('Не успеет');
    await field.press('Enter');
    await expect(log.getByText('Не успеет')).toBeVisible();

    await page.getByRole('link', { name: words.settings }).first().click();
    await page.getByRole('button', { name: words.more }).click();
    await page.getByRole('menuitem', { name: words.remove }).click();
    const dialog = page.getByRole('dialog', { name: words.asked });
    await expect(dialog).toContainText(words.told);
    await dialog.getByRole('button', { name: words.remove }).click();
    await expect(page.getByText(words.done)).toBeVisible();
    await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
    await expect(page.getByRole('button', { name: words.more })).toHaveCount(0);

    await page.getByRole('link', { name: words.messages }).first().click();
    await expect(row).toHaveAccessibleName(new RegExp(words.gone));
    await row.click();
    await expect(page.locator('header').getByText(words.gone, { exact: true })).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: words.closed })).toBeVisible();
    await expect(field).toHaveCount(0);
    const lost = log.getByRole('article').filter({ hasText: 'Не успеет' });
    await expect(lost.getByRole('img', { name: words.failed })).toBeVisible();
    await expect(log.getByText(words.why)).toBeVisible();
    await expect(log.getByRole('button', { name: words.retry })).toHaveCount(0);

    // Colleagues may still talk about it.
    await page.getByRole('button', { name: words.note, exact: true }).click();
    await page.getByRole('textbox', { name: words.note }).fill('Клиент перешёл в другой канал');
    await page.getByRole('button', { name: words.leave }).click();
    await expect(log.getByText('Клиент перешёл в другой канал')).toBeVisible();
    expect(await client.texts()).toEqual([]);
  });
}
