import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Demo } from '../support/demo';
import { type Language, SCREENS, type Scheme, SHOWN, VIEWS } from './screens';

/**
 * Every screen at every width, in both colour schemes and languages, from a demo whose clients wait to be written to.
 * All go into a folder to look at; those that the documentation shows also into docs/images.
 */

const root = join(import.meta.dirname, '../../..');
const ALL = process.env.UZEL_PICTURES ?? join(root, 'target/screenshots');
const DOCS = join(root, 'docs/images');
/** Only pictures whose name has this. */
const ONLY = new RegExp(process.env.UZEL_PICTURES_ONLY ?? '');
/** Leaves out what only is to be looked at. */
const ONLY_SHOWN = process.env.UZEL_PICTURES_SHOWN !== undefined;

let demo: Demo;
test.beforeAll(async () => {
  mkdirSync(ALL, { recursive: true });
  mkdirSync(DOCS, { recursive: true });
  demo = await Demo.start(['--still', '--seed', '1']);
});
test.afterAll(() => demo.close());

test('pictures of every screen', async ({ browser }) => {
  const problems: string[] = [];
  const door = await browser.newContext();
  await demo.enter(await door.newPage(), 'Марина Белова');
  const signedIn = await door.storageState();
  await door.close();

  for (const language of ['ru', 'en'] as Language[]) {
    for (const scheme of ['light', 'dark'] as Scheme[]) {
      for (const view of VIEWS) {
        for (const inside of [true, false]) {
          const context = await browser.newContext({
            viewport: view,
            locale: language === 'ru' ? 'ru-RU' : 'en-GB',
            timezoneId: 'Europe/Moscow',
            colorScheme: scheme,
            reducedMotion: 'reduce',
            hasTouch: view.width < 720,
            ...(inside ? { storageState: signedIn } : {}),
          });
          await context.addInitScript(
            ([chosen, colours]) => {
              localStorage.setItem('uzel-language', chosen as string);
              localStorage.setItem('uzel-scheme', colours as string);
            },
            [language, scheme],
          );
          const page = await context.newPage();
          for (const screen of SCREENS.filter((one) => one.inside === inside)) {
            const name = `${screen.name}-${view.width}-${scheme}-${language}`;
            if ((ONLY_SHOWN && !SHOWN.has(name)) || !ONLY.test(name)) continue;
            const said = (text: string) => problems.push(`${name}: ${text}`);
            const onConsole = (message: { type(): string; text(): string }) => {
              // Nobody is signed in there: the browser tells of the 401 by itself.
              if (message.type() === 'error' && screen.inside) said(message.text());
            };
            page.on('console', onConsole);
            await screen.open(page, demo);
            await page.waitForLoadState('networkidle');
            await page.evaluate(() => document.fonts.ready);
            // Pictures in the messages are part of the picture.
            await page.waitForFunction(() => [...document.images].every((image) => image.complete));
            await page.mouse.move(view.width - 2, view.height - 2);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
            if (wide) said('wider than the window');
            await page.screenshot({ path: join(ALL, `${name}.png`) });
            if (SHOWN.has(name)) {
              await page.screenshot({ path: join(DOCS, `${name}.jpg`), type: 'jpeg', quality: 65 });
            }
            page.off('console', onConsole);
          }
          await context.close();
        }
      }
    }
  }
  expect(problems).toEqual([]);
});
