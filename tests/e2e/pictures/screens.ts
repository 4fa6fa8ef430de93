import type { Page } from '@playwright/test';
import type { Demo } from '../support/demo';

/** Every screen that has a picture: how to get there, and which pictures the documentation shows. */

export type Language = 'ru' | 'en';
export type Scheme = 'light' | 'dark';

export interface View {
  width: number;
  height: number;
}

export const VIEWS: View[] = [
  { width: 1920, height: 1080 },
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
  { width: 390, height: 844 },
];

export interface Screen {
  name: string;
  /** Whether somebody is signed in there. */
  inside: boolean;
  open: (page: Page, demo: Demo) => Promise<void>;
}

const chat = (client: string) => (page: Page, demo: Demo) => demo.openChat(page, client);

const section =
  (path: string) =>
  async (page: Page, { url }: Demo) => {
    await page.goto(`${url}/c/1/${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
  };

export const SCREENS: Screen[] = [
  {
    name: 'sign-in',
    inside: false,
    open: async (page, { url }) => {
      await page.goto(`${url}/sign-in`);
      await page.getByRole('heading', { level: 1 }).waitFor();
    },
  },
  { name: 'chat', inside: true, open: chat('Екатерина Жуковская') },
  { name: 'unknown', inside: true, open: chat('Юлия Ким') },
  { name: 'failed', inside: true, open: chat('Наталья Сергеевна Барышникова') },
  {
    name: 'list',
    inside: true,
    open: async (page, { url }) => {
      await page.goto(`${url}/c/1/messages`);
      await page.getByRole('link', { name: /Екатерина Жуковская/ }).waitFor();
    },
  },
  {
    name: 'search',
    inside: true,
    open: async (page, demo) => {
      await demo.openChat(page, 'Екатерина Жуковская');
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill('ек');
      await page.getByRole('option', { name: /Екатерина Жуковская/ }).waitFor();
    },
  },
  { name: 'channels', inside: true, open: section('settings/channels') },
  { name: 'delivery', inside: true, open: section('settings/delivery') },
  { name: 'company', inside: true, open: section('settings/company') },
  { name: 'account', inside: true, open: section('settings/account') },
  {
    name: 'quick-replies',
    inside: true,
    open: async (page, demo) => {
      await section('quick-replies')(page, demo);
      await page.getByRole('button', { name: /^Цены на курсы/ }).click();
    },
  },
  { name: 'widget', inside: true, open: site },
  {
    name: 'note',
    inside: true,
    open: async (page, demo) => {
      await demo.openChat(page, 'Екатерина Жуковская');
      await page.getByRole('button', { name: /^(?:Комментарий|Comment)$/ }).click({ timeout: 10_000 });
    },
  },
];

/** The sample site with the open chat, in the language of the browser. */
async function site(page: Page, { url }: Demo): Promise<void> {
  await page.goto(url);
  const language = await page.evaluate(() => navigator.language.slice(0, 2));
  await page.route('**/demo/site', async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('lang="ru"', `lang="${language}"`);
    await route.fulfill({ response, body });
  });
  await page.goto(`${url}/demo/site`);
  await page.getByRole('button', { name: /^(?:Открыть чат|Open chat)/ }).click();
  await page.getByRole('dialog', { name: 'Точка роста' }).waitFor();
}

/** The pictures that README and guide show, as `screen-width-scheme-language`. */
export const SHOWN = new Set([
  'chat-1440-light-ru',
  'chat-1440-light-en',
  'chat-1440-dark-ru',
  'chat-390-light-ru',
  'chat-390-light-en',
  'sign-in-1440-light-ru',
  'sign-in-1440-light-en',
  'unknown-1440-light-ru',
  'unknown-1440-light-en',
  'failed-1440-light-ru',
  'failed-1440-light-en',
  'channels-1440-light-ru',
  'channels-1440-light-en',
  'quick-replies-1440-light-ru',
  'quick-replies-1440-light-en',
  'widget-1440-light-ru',
  'widget-1440-light-en',
  'account-1440-light-ru',
  'account-1440-light-en',
  'company-1440-light-ru',
  'company-1440-light-en',
  'delivery-1440-light-ru',
  'delivery-1440-light-en',
]);
