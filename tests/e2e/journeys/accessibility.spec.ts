import { findings } from '../support/axe';
import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';
import { connectWidget } from '../support/widget';

const LOOKS = [
  ['ru', 'light'],
  ['ru', 'dark'],
  ['en', 'light'],
  ['en', 'dark'],
] as const;

const WORDS = {
  ru: { message: 'Сообщение', note: 'Комментарий', emoji: 'Эмодзи', add: 'Добавить', remove: 'Удалить' },
  en: { message: 'Message', note: 'Comment', emoji: 'Emoji', add: 'Add', remove: 'Delete' },
} as const;

for (const [language, scheme] of LOOKS) {
  test(`the checker finds nothing, ${language}, ${scheme}`, async ({ page, product }) => {
    // Every screen in one go.
    test.setTimeout(150_000);
    const words = WORDS[language];
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
    expect.soft(await findings(page), 'signing in').toEqual([]);

    await page.goto(product.url + new URL(marina.signInLink).pathname);
    await page.getByRole('main').getByRole('button').click();
    await page.getByRole('link', { name: /Катя Орлова/ }).click();
    await expect(page.getByRole('log').getByRole('article')).toHaveCount(3);
    await product.telegram.fault('sendMessage', 1, {
      fault: 'refused',
      error_code: 400,
      description: 'Bad Request',
    });
    const field = page.getByRole('textbox', { name: words.message });
    await field.fill('Не дойдёт');
    await field.press('Enter');
    await expect(page.getByRole('log').getByRole('alert')).toBeVisible();
    expect.soft(await findings(page), 'chat').toEqual([]);

    await page.getByRole('button', { name: words.emoji }).click();
    await page.getByRole('gridcell').first().waitFor();
    expect.soft(await findings(page), 'emoji').toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: words.note, exact: true }).click();
    await page.getByRole('textbox', { name: words.note }).fill('Клиент просил скидку');
    await page.keyboard.press('Enter');
    await expect(page.getByText('Клиент просил скидку')).toBeVisible();
    expect.soft(await findings(page), 'note').toEqual([]);

    await page.goto(`${product.url}/c/1/quick-replies`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect.soft(await findings(page), 'no templates').toEqual([]);
    await product.api(marina, 'POST', '/companies/1/quick-replies', { name: 'Цена', text: 'Курс стоит 5 400 ₽' });
    await page.getByRole('button', { name: /Цена/ }).first().click();
    expect.soft(await findings(page), 'a template').toEqual([]);
    await page.getByRole('button', { name: words.add, exact: true }).click();
    expect.soft(await findings(page), 'a new template').toEqual([]);

    await page.goto(`${product.url}/c/1/settings/channels`);
    await page.getByText('@harbour_desk_bot').waitFor();
    expect.soft(await findings(page), 'channels').toEqual([]);

    for (const section of ['delivery', 'company', 'account']) {
      await page.goto(`${product.url}/c/1/settings/${section}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect.soft(await findings(page), section).toEqual([]);
    }

    // Only its conversation is left.
    await page.goto(`${product.url}/c/1/settings/channels`);
    await page.getByRole('button', { name: /@harbour_desk_bot/ }).last().click();
    await page.getByRole('menuitem', { name: words.remove }).click();
    await page.getByRole('dialog').getByRole('button', { name: words.remove }).waitFor();
    expect.soft(await findings(page), 'deleting a channel').toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: words.remove }).click();
    await page.goto(`${product.url}/c/1/messages`);
    await page.getByRole('link', { name: /Катя Орлова/ }).click();
    await expect(page.getByRole('log').getByRole('article')).toHaveCount(5);
    expect.soft(await findings(page), 'a deleted channel').toEqual([]);
  });

  test(`the checker finds nothing on the card and in the search, ${language}, ${scheme}`, async ({
    page,
    product,
  }) => {
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
    await client.writes('Добрый день');
    await page.goto(product.url + new URL(marina.signInLink).pathname);
    await page.getByRole('main').getByRole('button').click();
    await page.getByRole('link', { name: /Катя Орлова/ }).click();

    // The card with its fields open, a quarrel about the comment, the list of colleagues.
    const ru = language === 'ru';
    const panel = page.getByRole('complementary');
    for (const name of ru
      ? ['Изменить: Имя клиента', 'Изменить: Комментарий по клиенту']
      : ['Edit: Client name', 'Edit: Comment on the client']) {
      await panel.getByRole('button', { name }).click();
    }
    const { items } = await product.api<{ items: { contact: { id: number } }[] }>(
      marina,
      'GET',
      '/companies/1/conversations',
    );
    await product.api(marina, 'PATCH', `/companies/1/contacts/${items[0]?.contact.id}`, {
      phone: '+7 926 418-07-53',
      comment: 'Дочь Соня',
      comment_before: '',
    });
    await expect(panel.getByRole('alert')).toContainText('Дочь Соня');
    expect.soft(await findings(page), 'card').toEqual([]);
    await panel.getByRole('button', { name: ru ? /^Ответственный/ : /^Assignee/ }).click();
    await expect(page.getByRole('combobox')).toBeFocused();
    expect.soft(await findings(page), 'assignee').toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('combobox')).toBeFocused();
    expect.soft(await findings(page), 'search, nothing asked').toEqual([]);
    await page.keyboard.type('926 орл');
    await expect(page.getByRole('option', { name: /Катя Орлова/ })).toBeVisible();
    expect.soft(await findings(page), 'search').toEqual([]);
    await page.keyboard.press('Escape');
  });

  test(`the checker finds nothing on the site widget, ${language}, ${scheme}`, async ({ page, product }) => {
    const open = language === 'ru' ? /^Открыть чат/ : /^Open chat/;
    const [send, close, emoji] =
      language === 'ru' ? ['Отправить', 'Закрыть чат', 'Эмодзи'] : ['Send', 'Close chat', 'Emoji'];
    const [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
    await product.serve();
    await connectWidget(product, marina, {
      language,
      scheme,
      suggestions: ['Сколько стоит курс?', 'Какое расписание?'],
      form: { name: 'required', phone: 'optional', email: 'optional' },
    });
    await page.goto(`${product.url}/demo/site`);
    const launcher = page.getByRole('button', { name: open });
    await launcher.waitFor();
    expect.soft(await findings(page), 'closed').toEqual([]);

    // By keyboard alone: open, be told what is missing, send, close; the focus is where it was.
    await launcher.focus();
    await page.keyboard.press('Enter');
    const panel = page.getByRole('dialog', { name: 'Точка роста' });
    const field = panel.getByRole('textbox', { name: language === 'ru' ? 'Сообщение' : 'Message' });
    await expect(field).toBeFocused();
    expect.soft(await findings(page), 'open, with the form').toEqual([]);
    await page.keyboard.type('Есть ли рассрочка?');
    await page.keyboard.press('Enter');
    await expect(panel.getByRole('alert')).not.toBeEmpty();
    const name = panel.getByRole('textbox', { name: language === 'ru' ? 'Имя' : 'Name' });
    await expect(name).toBeFocused();
    expect.soft(await findings(page), 'the form is not filled in').toEqual([]);
    await page.keyboard.type('Катя');
    await field.focus();
    await page.keyboard.press('Enter');
    await expect(panel.getByRole('log').getByText('Есть ли рассрочка?')).toBeVisible();
    await expect(panel.getByRole('img', { name: language === 'ru' ? 'Отправлено' : 'Sent' })).toBeVisible();
    const { items } = await product.api<{ items: { id: number }[] }>(
      marina,
      'GET',
      '/companies/1/conversations?filter=all',
    );
    await product.api(marina, 'POST', `/companies/1/conversations/${items[0]?.id}/messages`, {
      client_message_id: 'answer',
      text: 'Да: https://example.org/rassrochka',
    });
    await expect(panel.getByText('Да:')).toBeVisible();
    await panel.getByRole('button', { name: emoji }).focus();
    await page.keyboard.press('Enter');
    await panel.getByRole('button', { name: '🙂' }).waitFor();
    expect.soft(await findings(page), 'a conversation').toEqual([]);
    await expect(panel.getByRole('button', { name: send })).toBeVisible();
    await panel.getByRole('button', { name: close }).focus();
    await page.keyboard.press('Enter');
    await expect(launcher).toBeFocused();
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

  // A list gives the focus back to its button.
  const assignee = page.getByRole('button', { name: /^Ответственный:/ }).first();
  await assignee.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('combobox')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Ответственный: Марина Белова' }).first()).toBeFocused();
});

test('a template is written and used by keyboard alone', async ({ page, product }) => {
  const [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
  await product.serve();
  await product.connectBot(marina);
  const client = await product.telegram.client('Катя', 'Орлова');
  await client.writes('Сколько стоит курс?');
  await product.enter(page, marina);
  const press = async (name: string | RegExp, role: 'link' | 'button' = 'button') => {
    await page.getByRole(role, { name }).first().focus();
    await page.keyboard.press('Enter');
  };
  await press(/^Шаблоны/, 'link');
  await press(/^Добавить/);
  await expect(page.getByRole('textbox', { name: 'Название шаблона' })).toBeFocused();
  await page.keyboard.type('Цена');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('textbox', { name: 'Текст ответа' })).toBeFocused();
  await page.keyboard.type('@name@, курс стоит 5 400 ₽');
  await press('Сохранить');
  await expect(page.getByText('Шаблон «Цена» сохранён')).toBeVisible();

  await press(/^Сообщения/, 'link');
  await press(/Катя Орлова/, 'link');
  const view = inbox(page);
  await expect(view.field).toBeFocused();
  await page.keyboard.type('/це');
  await expect(page.getByRole('option', { name: /Цена/ })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(view.field).toHaveValue('Катя Орлова, курс стоит 5 400 ₽');
  await page.keyboard.press('Enter');
  await expect(view.bubble('курс стоит').getByRole('img', { name: 'Отправлено' })).toBeVisible();

  // A comment, and back to the answer, by the keys of the composer.
  await page.keyboard.press('Alt+KeyP');
  await expect(page.getByRole('textbox', { name: 'Комментарий' })).toBeFocused();
  await page.keyboard.type('Обещала скидку');
  await page.keyboard.press('Enter');
  await expect(view.log.getByText('Обещала скидку')).toBeVisible();
  await page.keyboard.press('Alt+KeyL');
  await expect(view.field).toBeFocused();
  expect(await client.texts()).toEqual(['Катя Орлова, курс стоит 5 400 ₽']);
});
