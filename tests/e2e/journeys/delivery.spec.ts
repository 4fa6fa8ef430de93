import { inbox } from '../support/inbox';
import { expect, type Person, test } from '../support/product';

test.describe('what becomes of an answer', () => {
  let marina: Person;
  test.beforeEach(async ({ page, product }) => {
    [marina] = (await product.company('Точка роста', [['Марина Белова', '+79036041728']])) as [Person];
    await product.serve();
    await product.connectBot(marina);
    const client = await product.telegram.client('Катя', 'Орлова');
    await client.writes('Добрый день');
    await product.enter(page, marina);
    await inbox(page).row('Катя Орлова').click();
  });

  test('refused: the reason stands below it, and a retry is a new attempt', async ({ page, product }) => {
    const view = inbox(page);
    await product.telegram.fault('sendMessage', 1, {
      fault: 'refused',
      error_code: 400,
      description: 'Bad Request: message could not be sent',
    });
    await view.send('Первая попытка');
    const bubble = view.bubble('Первая попытка');
    await expect(bubble.getByRole('img', { name: 'Не отправлено' })).toBeVisible();
    await expect(view.log.getByText('Telegram Bot не принял сообщение')).toBeVisible();
    await view.log.getByRole('button', { name: 'Повторить' }).click();
    await expect(bubble.getByRole('img', { name: 'Отправлено' })).toBeVisible();
    await expect(bubble).toHaveCount(1);
  });

  test('refused: it can be thrown away', async ({ page, product }) => {
    const view = inbox(page);
    await product.telegram.fault('sendMessage', 1, {
      fault: 'refused',
      error_code: 400,
      description: 'Bad Request: message could not be sent',
    });
    await view.send('Лишнее');
    await view.log.getByRole('button', { name: 'Удалить' }).click();
    await expect(view.bubble('Лишнее')).toHaveCount(0);
  });

  test('unknown: a person decides that it did arrive', async ({ page, product }) => {
    const view = inbox(page);
    await product.telegram.fault('sendMessage', 1, { fault: 'accepted_then_cut' });
    await view.send('Дошло или нет');
    const bubble = view.bubble('Дошло или нет');
    await expect(bubble.getByRole('img', { name: 'Не знаем, дошло ли' })).toBeVisible();
    await view.log.getByRole('button', { name: 'Считать отправленным' }).click();
    await expect(bubble.getByRole('img', { name: 'Отправлено' })).toBeVisible();
  });

  test('unknown: sending again warns of a double', async ({ page, product }) => {
    const view = inbox(page);
    await product.telegram.fault('sendMessage', 1, { fault: 'accepted_then_cut' });
    await view.send('Ещё раз');
    await view.log.getByRole('button', { name: 'Отправить ещё раз' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('клиент получит его дважды');
    await dialog.getByRole('button', { name: 'Отправить ещё раз' }).click();
    await expect(view.bubble('Ещё раз').getByRole('img', { name: 'Отправлено' })).toBeVisible();
  });

  test('a file goes with its caption, and a limit is told before it is sent', async ({ page }) => {
    const view = inbox(page);
    const picker = page.locator('input[type=file]');
    await picker.setInputFiles({ name: 'пусто.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) });
    await expect(page.getByRole('alert').filter({ hasText: 'Файл пустой' })).toBeVisible();
    await picker.setInputFiles({
      name: 'Программа.pdf',
      mimeType: 'application/pdf',
      buffer: Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n'),
    });
    await view.send('Вот программа');
    await expect(view.bubble('Вот программа').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    await expect(
      view.bubble('Вот программа').getByRole('link', { name: 'Скачать Программа.pdf' }),
    ).toBeVisible();
  });

  test('an answer can be edited, quoted and deleted', async ({ page }) => {
    const view = inbox(page);
    await view.send('Завтра в 18:00');
    await expect(view.bubble('Завтра в 18:00').getByRole('img', { name: 'Отправлено' })).toBeVisible();
    const tools = (text: string) => view.log.locator('[data-message]').filter({ hasText: text });
    await tools('Завтра в 18:00').hover();
    await tools('Завтра в 18:00').getByRole('button', { name: 'Действия с сообщением' }).click();
    await page.getByRole('menuitem', { name: 'Изменить' }).click();
    const editing = page.getByRole('textbox', { name: 'Изменение сообщения' });
    await editing.fill('Завтра в 19:00');
    await editing.press('Enter');
    await expect(view.bubble('Завтра в 19:00')).toContainText('изменено');

    await tools('Добрый день').hover();
    await tools('Добрый день').getByRole('button', { name: 'Ответить' }).click();
    await view.send('Отвечаю на это');
    await expect(view.bubble('Отвечаю на это')).toContainText('Добрый день');

    await tools('Завтра в 19:00').hover();
    await tools('Завтра в 19:00').getByRole('button', { name: 'Действия с сообщением' }).click();
    await page.getByRole('menuitem', { name: 'Удалить' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Удалить' }).click();
    await expect(view.bubble('Завтра в 19:00')).toHaveCount(0);
    await expect(view.bubble('Сообщение удалено')).toBeVisible();
  });
});
