import type { Page } from '@playwright/test';
import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';
import type { Client } from '../support/telegram';

const PDF = Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n');
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const pdf = (name: string) => ({ name, mimeType: 'application/pdf', buffer: PDF });
const png = (name: string) => ({ name, mimeType: 'image/png', buffer: PNG });

test.describe('writing', () => {
  let marina: Person;
  let anna: Person;
  let client: Client;
  test.beforeEach(async ({ page, product }) => {
    [marina, anna] = (await product.company('Точка роста', [
      ['Марина Белова', '+79036041728'],
      ['Анна Соловьёва', '+79036041729'],
    ])) as [Person, Person];
    await product.serve();
    await product.connectBot(marina);
    client = await product.telegram.client('Катя', 'Орлова');
    await client.writes('Добрый день');
    await product.enter(page, marina);
    await inbox(page).row('Катя Орлова').click();
    await expect(inbox(page).bubble('Добрый день')).toBeVisible();
  });

  const waiting = (page: Page) => page.getByRole('list', { name: 'Файлы к отправке' }).getByRole('listitem');

  test('several files at once: seen before, one refused with its reason, sent in order', async ({ page }) => {
    const view = inbox(page);
    await page
      .locator('form input[type=file]')
      .setInputFiles([
        pdf('Программа.pdf'),
        png('Схема.png'),
        { name: 'пусто.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
      ]);
    await expect(waiting(page)).toHaveCount(2);
    await expect(page.getByRole('alert')).toContainText('пусто.txt: Файл пустой');
    await page.locator('form input[type=file]').setInputFiles([pdf('Лишнее.pdf')]);
    await page.getByRole('button', { name: 'Убрать Лишнее.pdf' }).click();
    await view.send('Вот всё');
    await expect(waiting(page)).toHaveCount(0);
    await expect.poll(async () => (await client.received()).length, { timeout: 15_000 }).toBe(2);
    const sent = await client.received();
    expect(sent.map(({ kind }) => kind)).toEqual(['document', 'photo']);
    expect(await client.texts()).toEqual(['Вот всё', '']);
  });

  test('files are dropped onto the whole pane, and pasted beside text', async ({ page }) => {
    const pane = page.getByRole('region', { name: 'Чат', exact: true });
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['%PDF-1.4'], 'Договор.pdf', { type: 'application/pdf' }));
      return transfer;
    });
    await pane.dispatchEvent('dragenter', { dataTransfer: data });
    await expect(page.getByText('Отпустите файл, чтобы прикрепить')).toBeVisible();
    await pane.dispatchEvent('drop', { dataTransfer: data });
    await expect(waiting(page)).toHaveCount(1);
    await inbox(page).field.evaluate((field: HTMLTextAreaElement, png: string) => {
      const clipboardData = new DataTransfer();
      const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
      clipboardData.items.add(new File([bytes], 'Снимок.png', { type: 'image/png' }));
      clipboardData.setData('text/plain', 'подпись');
      const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      if (field.dispatchEvent(paste)) document.execCommand('insertText', false, 'подпись');
    }, PNG.toString('base64'));
    await expect(waiting(page)).toHaveCount(2);
    await expect(inbox(page).field).toHaveValue('подпись');
  });

  test('a text too long for a caption goes apart, and it is told before', async ({ page }) => {
    const view = inbox(page);
    const long = 'я'.repeat(1_100);
    await page.locator('form input[type=file]').setInputFiles([pdf('Программа.pdf')]);
    await view.field.fill(long);
    await expect(page.getByText('он уйдёт отдельным сообщением')).toBeVisible();
    await view.field.press('Enter');
    await expect.poll(async () => (await client.received()).length, { timeout: 15_000 }).toBe(2);
    const sent = await client.received();
    expect(sent.map(({ kind }) => kind)).toEqual(['text', 'document']);
    expect(await client.texts()).toEqual([long, '']);
    await view.field.fill('я'.repeat(4_097));
    await expect(page.getByText('Лишний 1 знак')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Отправить', exact: true })).toBeDisabled();
  });

  test('an upload shows how far it is, and can be cancelled', async ({ page, context }) => {
    const view = inbox(page);
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 100 * 1024,
    });
    const big = { name: 'Запись.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(2_500_000, PDF) };
    await page.locator('form input[type=file]').setInputFiles([big]);
    await view.send('');
    await expect(view.log.getByRole('progressbar', { name: 'Запись.pdf' })).toBeVisible();
    await expect(view.log.getByText(/ из 2,4 МБ/)).toBeVisible();
    await page.getByRole('button', { name: 'Не отправлять Запись.pdf' }).click();
    await expect(view.log.getByText('Запись.pdf')).toHaveCount(0);
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
    await view.send('Дальше');
    await expect(view.bubble('Дальше').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    expect(await client.texts()).toEqual(['Дальше']);
  });

  test('a comment is seen by colleagues and never by the client', async ({ page, product, browser }) => {
    const context = await browser.newContext();
    const colleague = await context.newPage();
    await product.enter(colleague, anna);
    await inbox(colleague).row('Катя Орлова').click();
    await inbox(page).field.fill('Начатый ответ');
    await page.keyboard.press('Alt+KeyP');
    const note = page.getByRole('textbox', { name: 'Комментарий' });
    await expect(note).toBeFocused();
    await note.fill('Мама Сони, 5 класс');
    await note.press('Enter');
    for (const one of [page, colleague]) {
      const card = one.getByRole('article', { name: /^Комментарий, Марина Белова/ });
      await expect(card).toContainText('Мама Сони, 5 класс');
      await expect(card).toContainText('клиент не видит');
    }
    await page.keyboard.press('Alt+KeyL');
    await expect(inbox(page).field).toHaveValue('Начатый ответ');
    await inbox(page).field.press('Enter');
    await expect(inbox(page).bubble('Начатый ответ').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    expect(await client.texts()).toEqual(['Начатый ответ']);
    await context.close();
  });

  test('a comment written without a connection waits for it', async ({ page, context }) => {
    await page.keyboard.press('Alt+KeyP');
    await context.setOffline(true);
    const note = page.getByRole('textbox', { name: 'Комментарий' });
    await note.fill('Без связи');
    await note.press('Enter');
    const card = page.getByRole('article', { name: /^Комментарий, Марина Белова/ });
    await expect(card.getByRole('img', { name: 'В очереди' })).toBeVisible();
    await context.setOffline(false);
    await expect(card.getByRole('img', { name: 'В очереди' })).toHaveCount(0);
    await expect(card).toHaveCount(1);
  });

  test('quick replies: written once, found by colleagues, inserted with the name and the file', async ({
    page,
    product,
    browser,
  }) => {
    const context = await browser.newContext();
    const colleague = await context.newPage();
    await product.enter(colleague, anna);
    await inbox(colleague).row('Катя Орлова').click();

    await page.getByRole('link', { name: 'Шаблоны' }).first().click();
    await page.getByRole('button', { name: 'Добавить' }).click();
    const form = page.getByRole('form', { name: 'Новый шаблон' });
    await form.getByRole('textbox', { name: 'Название шаблона' }).fill('Оплата частями');
    await form.getByRole('textbox', { name: 'Текст ответа' }).fill('Да, @name@, можно двумя частями');
    await form.locator('input[type=file]').setInputFiles([pdf('Договор_оферты.pdf')]);
    await form.getByRole('button', { name: 'Сохранить' }).click();
    const list = page.getByRole('list', { name: 'Шаблоны быстрых ответов' });
    await expect(list.getByRole('button', { name: /Оплата частями/ })).toBeVisible();

    // The colleague's browser learns of it by itself.
    const field = inbox(colleague).field;
    await field.pressSequentially('Добрый день! /оплат');
    const option = colleague.getByRole('option', { name: /Оплата частями/ });
    await expect(option).toHaveAttribute('aria-selected', 'true');
    await expect(colleague.getByText('Да, Катя Орлова, можно двумя частями')).toBeVisible();
    await field.press('Escape');
    await expect(option).toHaveCount(0);
    await field.fill('Добрый день! ');
    await field.pressSequentially('/част');
    await field.press('Enter');
    await expect(field).toHaveValue('Добрый день! Да, Катя Орлова, можно двумя частями');
    await expect(waiting(colleague)).toHaveCount(1);
    await field.press('Enter');
    await expect.poll(async () => (await client.received()).length, { timeout: 15_000 }).toBe(1);
    expect((await client.received())[0]?.kind).toBe('document');
    expect(await client.texts()).toEqual(['Добрый день! Да, Катя Орлова, можно двумя частями']);

    await field.pressSequentially('//');
    await expect(field).toHaveValue('/');
    await expect(option).toHaveCount(0);

    // Changed, and deleted after a question that names it.
    await page.getByRole('textbox', { name: 'Название шаблона' }).fill('Рассрочка');
    await page.getByRole('button', { name: 'Сохранить' }).click();
    await expect(list.getByRole('button', { name: /Рассрочка/ })).toBeVisible();
    await page.getByRole('button', { name: 'Удалить', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: /Удалить шаблон «Рассрочка»/ });
    await dialog.getByRole('button', { name: 'Удалить' }).click();
    await expect(page.getByText('Шаблонов пока нет')).toBeVisible();
    await context.close();
  });

  test('emoji are found by their Russian names and put where the caret is', async ({ page }) => {
    const { field } = inbox(page);
    await field.fill('Спасибо!');
    await field.press('Home');
    await page.getByRole('button', { name: 'Эмодзи' }).click();
    const picker = page.getByRole('dialog', { name: 'Эмодзи' });
    await picker.getByRole('searchbox', { name: 'Найти эмодзи' }).fill('сердце');
    await picker.getByRole('gridcell').first().click();
    await expect(field).toHaveValue(/^\p{Extended_Pictographic}.*Спасибо!$/u);
    await expect(picker).toHaveCount(0);
  });

  test('a draft is found on another device, and gone there once it was sent', async ({
    page,
    product,
    browser,
  }) => {
    const [again] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
    await inbox(page).field.fill('Начато на компьютере');
    const context = await browser.newContext();
    const phone = await context.newPage();
    await expect
      .poll(
        async () =>
          (await product.api<{ items: unknown[] }>(marina, 'GET', '/companies/1/drafts')).items.length,
      )
      .toBe(1);
    await product.enter(phone, again);
    await inbox(phone).row('Катя Орлова').click();
    await expect(inbox(phone).field).toHaveValue('Начато на компьютере');
    await inbox(phone).field.press('Enter');
    await expect(inbox(phone).bubble('Начато на компьютере')).toBeVisible();
    await page.reload();
    await expect(inbox(page).bubble('Начато на компьютере')).toBeVisible();
    await expect(inbox(page).field).toHaveValue('');
    await context.close();
  });

  test('Ctrl+Enter can be chosen, and the last message changed by ↑', async ({ page }) => {
    const view = inbox(page);
    await page.getByRole('button', { name: 'Enter — отправить' }).click();
    await page.getByRole('menuitemradio', { name: 'Ctrl+Enter — отправить' }).click();
    await view.field.fill('Первая');
    await view.field.press('Enter');
    await expect(view.field).toHaveValue('Первая\n');
    await view.field.press('Control+Enter');
    await expect(view.bubble('Первая').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    await view.field.press('ArrowUp');
    const editing = page.getByRole('textbox', { name: 'Изменение сообщения' });
    await expect(editing).toHaveValue('Первая');
    await editing.fill('Вторая');
    await editing.press('Control+Enter');
    await expect(view.bubble('Вторая')).toContainText('изменено');
  });

  test('what came while the connection was lost is told above the draft', async ({
    page,
    context,
    product,
  }) => {
    const view = inbox(page);
    await view.field.fill('Отвечаю на старое');
    await context.setOffline(true);
    await expect(page.getByText('Нет связи').first()).toBeVisible({ timeout: 90_000 });
    await client.writes('Уже не нужно');
    // The server has it before the browser is back.
    await expect
      .poll(async () => {
        const path = '/companies/1/conversations/1/messages';
        const page = await product.api<{ items: unknown[] }>(marina, 'GET', path);
        return page.items.length;
      })
      .toBe(3);
    await context.setOffline(false);
    await expect(page.getByText('Пока не было связи, здесь появилось 1 сообщение')).toBeVisible();
    await page.getByRole('button', { name: 'Показать', exact: true }).click();
    await expect(view.bubble('Уже не нужно')).toBeInViewport();
    await expect(view.field).toHaveValue('Отвечаю на старое');
  });

  test('the details of a message tell each attempt', async ({ page, product }) => {
    const view = inbox(page);
    await product.telegram.fault('sendMessage', 1, {
      fault: 'refused',
      error_code: 400,
      description: 'Bad Request: message could not be sent',
    });
    await view.send('Посмотрим');
    await view.log.getByRole('button', { name: 'Повторить' }).click();
    await expect(view.bubble('Посмотрим').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    const row = view.log.locator('[data-message]').filter({ hasText: 'Посмотрим' });
    await row.hover();
    await row.getByRole('button', { name: 'Действия с сообщением' }).click();
    await page.getByRole('menuitem', { name: 'Подробности' }).click();
    const dialog = page.getByRole('dialog', { name: 'Подробности сообщения' });
    const steps = dialog.getByRole('list', { name: 'Что было с сообщением' });
    await expect(steps).toContainText('отказ');
    await expect(steps).toContainText('успешно');
  });
});
