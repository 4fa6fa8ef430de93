import type { Page } from '@playwright/test';

/** The inbox as a person sees it: by roles and names. */
export const inbox = (page: Page) => ({
  row: (name: string) =>
    page.getByRole('list', { name: 'Чаты' }).getByRole('link', { name: new RegExp(name) }),
  log: page.getByRole('log', { name: 'Сообщения чата' }),
  field: page.getByRole('textbox', { name: 'Сообщение' }),
  bubble: (text: string) =>
    page.getByRole('log', { name: 'Сообщения чата' }).getByRole('article').filter({ hasText: text }),
  filter: page.getByRole('button', { name: /^Отбор:/ }),
  async send(text: string) {
    await this.field.fill(text);
    await this.field.press('Enter');
  },
});
