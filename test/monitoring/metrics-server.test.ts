import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { serveMetrics } from '../../src/monitoring/metrics-server.ts';
import { systemClock } from '../../src/time.ts';
import { freePort } from '../support/free-port.ts';

async function served(read: () => Promise<string>) {
  const listen = `127.0.0.1:${await freePort()}`;
  const close = await serveMetrics(listen, read, { log: pino({ level: 'silent' }), clock: systemClock });
  onTestFinished(close);
  return () => fetch(`http://${listen}/metrics`);
}

test('for many requests the ledger is read once, and the page says how old it is', async () => {
  let reads = 0;
  const get = await served(async () => `page ${++reads}`);
  const answers = await Promise.all(Array.from({ length: 20 }, get));
  expect(new Set(await Promise.all(answers.map((one) => one.text())))).toEqual(new Set(['page 1']));
  expect((await get()).headers.get('age')).toMatch(/^\d+$/);
  expect(reads).toBe(1);
});

test('a reading that failed is no page', async () => {
  let reads = 0;
  const get = await served(async () => {
    reads += 1;
    if (reads === 1) throw new Error('no');
    return 'page';
  });
  expect((await get()).status).toBe(500);
  expect(await (await get()).text()).toBe('page');
});
