import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BrowserContext, type Page, test } from '@playwright/test';
import { gather } from '../support/crowd';
import { Demo } from '../support/demo';
import { type Figure, machine, median, quantile, table, writeInto } from './figures';

/**
 * What a person at the screen waits for, on the demo with a crowd of further chats in the list. Times are taken inside
 * the page, up to the frame in which something is seen.
 */

const CROWD = Number(process.env.UZEL_BENCH_CROWD ?? 100_000);
/** A bot of the demo and a client of it, by their numbers at the simulated messenger. */
const BOT = 700_100_202;
const CLIENT = 5_200_200_001;
const VIEW = { width: 1440, height: 900 };

test('the interface against its budgets', async ({ browser }) => {
  const demo = await Demo.start(['--still']);
  const figures: Figure[] = [];
  try {
    const door = await browser.newContext({ viewport: VIEW });
    const first = await door.newPage();
    await demo.enter(first, 'Марина Белова');
    await demo.openChat(first, 'Екатерина Жуковская');
    const chat = new URL(first.url()).pathname;
    const storageState = await door.storageState();
    await door.close();
    await demo.restart(['--still'], (database) => gather(database, CROWD));
    const fresh = () => browser.newContext({ viewport: VIEW, storageState });

    figures.push(...(await starting(demo, fresh)));
    const context = await fresh();
    const page = await context.newPage();
    await page.goto(`${demo.url}/c/1/messages`);
    await rows(page).first().waitFor();
    figures.push(...(await opening(page)));
    figures.push(await arriving(demo, page, chat));
    figures.push(...(await typing(page)));
    figures.push(...(await scrolling(page)));
    await context.close();
  } finally {
    await demo.close();
  }
  const text = `${machine(browser.version())}.\n\n${table(figures)}`;
  process.stdout.write(`\n${text}\n`);
  if (process.env.UZEL_BENCH_WRITE) {
    writeInto(join(import.meta.dirname, '../../../docs/benchmarks-web.md'), text);
  }
});

const rows = (page: Page) => page.locator('a[href*="/messages/"]');

/** From the address to a list that can be clicked, with a processor four times slower and nothing in the cache. */
async function starting(demo: Demo, fresh: () => Promise<BrowserContext>): Promise<Figure[]> {
  const times: number[] = [];
  let bytes = 0;
  for (let turn = 0; turn < 9; turn += 1) {
    const context = await fresh();
    const page = await context.newPage();
    await page.addInitScript(() => {
      const look = () => {
        if (!document.querySelector('a[href*="/messages/"]')) return requestAnimationFrame(look);
        // The frame is painted, and the page has time for a click.
        return requestAnimationFrame(() =>
          setTimeout(() => {
            (window as unknown as { interactive: number }).interactive = performance.now();
          }),
        );
      };
      requestAnimationFrame(look);
    });
    const scripts: Promise<number>[] = [];
    let counting = true;
    page.on('response', (response) => {
      if (counting && response.request().resourceType() === 'script') {
        scripts.push(response.body().then((body) => gzipSync(body).length));
      }
    });
    const devtools = await context.newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await page.goto(`${demo.url}/c/1/messages`, { waitUntil: 'commit' });
    const seen = await page.waitForFunction(
      () => (window as unknown as { interactive?: number }).interactive,
      null,
      { polling: 50 },
    );
    counting = false;
    times.push((await seen.jsonValue()) as number);
    bytes = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0);
    await context.close();
  }
  return [
    { what: 'inbox interactive, processor 4x slower, empty cache', unit: 'ms', values: times, budget: 1000 },
    { what: 'script loaded until then, gzip', unit: 'KB', values: [bytes / 1000], budget: 200 },
  ];
}

/** From the click on a row to its messages, first from the server, then again from memory. */
async function opening(page: Page): Promise<Figure[]> {
  const open = (at: number) =>
    page.evaluate(async (row) => {
      const link = document.querySelectorAll<HTMLAnchorElement>('a[href*="/messages/"]')[row];
      if (!link) throw new Error('the list is too short');
      const before = document.querySelector('[role=log] [data-message]')?.getAttribute('data-message');
      const begun = performance.now();
      link.click();
      for (;;) {
        await new Promise(requestAnimationFrame);
        const now = document.querySelector('[role=log] [data-message]')?.getAttribute('data-message');
        if (now && now !== before) return performance.now() - begun;
        if (performance.now() - begun > 10_000) throw new Error('the chat did not open');
      }
    }, at);
  const server: number[] = [];
  const memory: number[] = [];
  for (let row = 0; row < 8; row += 1) {
    server.push(await open(row));
    await page.waitForTimeout(200);
  }
  for (let row = 0; row < 7; row += 1) {
    memory.push(await open(row));
    await page.waitForTimeout(200);
  }
  return [
    { what: 'opening a chat, from the server', unit: 'ms', values: server, budget: 400 },
    { what: 'opening a chat, from memory', unit: 'ms', values: memory, budget: 150 },
  ];
}

/** From the client's send at the messenger, through the hub, to the bubble. */
async function arriving(demo: Demo, page: Page, chat: string): Promise<Figure> {
  await page.goto(demo.url + chat);
  await page.getByRole('log').getByRole('article').last().waitFor();
  const times: number[] = [];
  for (let turn = 0; turn < 15; turn += 1) {
    const text = `Измеряем ${turn}`;
    const seen = page.evaluate(async (wanted) => {
      for (;;) {
        await new Promise(requestAnimationFrame);
        if (document.querySelector('[role=log]')?.textContent?.includes(wanted)) return Date.now();
      }
    }, text);
    const begun = Date.now();
    await demo.messenger(`/bots/${BOT}/clients/${CLIENT}/messages`, { kind: 'text', text });
    times.push((await seen) - begun);
    await page.waitForTimeout(150);
  }
  return {
    what: 'incoming message, from the send at the messenger to the screen',
    unit: 'ms',
    values: times,
    budget: 300,
  };
}

/** From the key to the frame with the letter. */
async function typing(page: Page): Promise<Figure[]> {
  const field = page.locator('textarea').first();
  await field.click();
  await page.evaluate(() => {
    const taken: number[] = [];
    Object.assign(window, { taken });
    addEventListener(
      'keydown',
      () => {
        const begun = performance.now();
        requestAnimationFrame(() => setTimeout(() => taken.push(performance.now() - begun)));
      },
      { capture: true },
    );
  });
  await field.pressSequentially('Good afternoon! Yes, two parts are fine.', { delay: 60 });
  const taken = await page.evaluate(() => (window as unknown as { taken: number[] }).taken);
  await field.fill('');
  return [
    { what: `from a key to its letter, ${CROWD} chats`, unit: 'ms', values: taken, budget: 50 },
    { what: 'the same, slowest of twenty', unit: 'ms', values: [quantile(taken, 0.95)] },
  ];
}

/** Frames while the list is scrolled by the wheel. */
async function scrolling(page: Page): Promise<Figure[]> {
  const long: number[] = [];
  const longest: number[] = [];
  const middle: number[] = [];
  const box = await rows(page).first().boundingBox();
  await page.mouse.move((box?.x ?? 100) + 40, (box?.y ?? 300) + 60);
  for (let turn = 0; turn < 5; turn += 1) {
    await page.evaluate(() => {
      const gaps: number[] = [];
      Object.assign(window, { gaps, scrolling: true });
      let last = performance.now();
      const next = () => {
        const now = performance.now();
        gaps.push(now - last);
        last = now;
        if ((window as unknown as { scrolling: boolean }).scrolling) requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    });
    for (let step = 0; step < 60; step += 1) {
      await page.mouse.wheel(0, 240);
      await page.waitForTimeout(16);
    }
    const gaps = await page.evaluate(() => {
      (window as unknown as { scrolling: boolean }).scrolling = false;
      return (window as unknown as { gaps: number[] }).gaps;
    });
    long.push(gaps.filter((gap) => gap > 50).length);
    longest.push(Math.max(...gaps));
    middle.push(median(gaps));
  }
  return [
    { what: `a frame while scrolling the list, ${CROWD} chats`, unit: 'ms', values: middle, budget: 20 },
    { what: 'the longest frame of a stretch of 14,400 px', unit: 'ms', values: longest, budget: 100 },
    { what: 'frames over 50 ms in such a stretch', unit: '', values: long },
  ];
}
