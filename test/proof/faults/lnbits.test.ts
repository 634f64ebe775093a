import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { finish } from '../../support/kill.ts';
import type { World } from '../../support/world.ts';
import { long } from '../seed.ts';
import { behindProxy, type Case, GARBAGE, HTML, HUGE, survives, twoClients } from './faulty.ts';

// Nearly all of it is waiting for deadlines.
vi.setConfig({ maxConcurrency: 16, testTimeout: 300_000 });

const GET_S = 12;
const POST_S = 30;
/** Of a GET; once before recording, once before paying. */
const TRIES = 2 * 3;
/** More requests than a run makes that pays two. */
const REQUESTS = 30;
/** Until a body is larger than what is read, at ten megabytes a second. */
const HUGE_S = 1;

const paying = (request: Buffer) => request.includes('"out":true');
const invoicing = (request: Buffer) => request.includes('"out":false');
const looking = (request: Buffer) => request.includes('payment_hash=');

let template: World;
beforeAll(async () => {
  template = await twoClients();
});
afterAll(async () => {
  await template?.stop();
});

describe.concurrent('the way to LNbits', () => {
  const soon = { code: 'lnbits/unreachable', withinS: 0, tries: TRIES } as const;
  const late = { ...soon, withinS: GET_S };
  test.each<[string, Case]>([
    ['nothing listens', { fault: { do: 'refuse' }, ...soon }],
    ['every connection is reset', { fault: { do: 'reset' }, ...soon }],
    ['a black hole', { fault: { do: 'black-hole' }, ...late }],
    ['half-open', { fault: { do: 'half-open' }, ...late }],
    ['answers by a byte a second', { fault: { do: 'slow' }, ...late }],
    ['requests by a byte a second', { fault: { do: 'slow-request' }, ...late }],
    ['cut in the head', { fault: { do: 'cut', after: 20 }, ...soon }],
    ['cut in the body', { fault: { do: 'cut', after: 150 }, ...soon }],
    ['answers lost', { fault: { do: 'lose-answer' }, ...soon }],
    ['garbage', { fault: { do: 'answer', with: GARBAGE }, ...soon }],
    ['HTML', { fault: { do: 'answer', with: HTML }, ...soon }],
    ['a body without end', { fault: { do: 'huge', with: HUGE }, ...soon, withinS: HUGE_S }],
  ])('%s', async (_, wrong) => {
    await survives(template, 'lnbits', wrong);
  });

  test('every request arrives twice', async () => {
    const everything = { hit: () => true };
    await survives(template, 'lnbits', {
      ...{ fault: { do: 'twice' }, where: everything, code: null, withinS: 0, tries: REQUESTS + 5 },
    });
  });
});

describe.concurrent('one payment', () => {
  test.each<[string, Omit<Case, 'code'>]>([
    ['reset', { fault: { do: 'reset' }, withinS: 0 }],
    ['in a black hole', { fault: { do: 'black-hole' }, withinS: POST_S }],
    ['half-open', { fault: { do: 'half-open' }, withinS: POST_S }],
    ['answered by a byte a second', { fault: { do: 'slow' }, withinS: POST_S }],
    ['sent by a byte a second', { fault: { do: 'slow-request' }, withinS: POST_S }],
    ['cut in the answer', { fault: { do: 'cut', after: 150 }, withinS: 0 }],
    ['done, and the answer lost', { fault: { do: 'lose-answer' }, withinS: 0 }],
    ['delivered twice', { fault: { do: 'twice' }, withinS: 0 }],
    ['answered by garbage', { fault: { do: 'answer', with: GARBAGE }, withinS: 0 }],
    ['answered by HTML', { fault: { do: 'answer', with: HTML }, withinS: 0 }],
    ['answered without end', { fault: { do: 'huge', with: HUGE }, withinS: HUGE_S }],
    // The client gave up after 30 s, looked, and sent the same again.
    ['that LNbits does after the client gave up', { fault: { do: 'late', ms: 33_000 }, withinS: POST_S }],
  ])('%s is settled within the run', async (_, wrong) => {
    await survives(template, 'lnbits', { ...wrong, where: { hit: paying, times: 1 }, code: null });
  });

  test('after whose loss nobody answers the look-up is unknown until the next run', async () => {
    const { world, proxy, stop } = await behindProxy(template, 'lnbits');
    try {
      let lost = false;
      const hit = (request: Buffer) => {
        lost ||= paying(request);
        return lost;
      };
      await proxy.set({ do: 'lose-answer' }, { hit });
      const ran = await world.aioDca(['poll', '--json']);
      expect(ran.code).toBe(75);
      expect(ran.json()).toMatchObject({
        payouts: { unknown: 1, held: 0 },
        problems: [{ code: 'lnbits/unreachable' }],
      });
      await proxy.set(null);
      expect(await finish(world)).toEqual([]);
    } finally {
      await stop();
    }
  });
});

describe.concurrent('one request before it', () => {
  test.each<[string, Case]>([
    [
      'an invoice made, and the answer lost: another one is made by the next run',
      {
        fault: { do: 'lose-answer' },
        where: { hit: invoicing, times: 1 },
        code: 'lnbits/unreachable',
        withinS: 0,
      },
    ],
    [
      'an invoice asked for twice',
      { fault: { do: 'twice' }, where: { hit: invoicing }, code: null, withinS: 0, tries: 5 },
    ],
    [
      'HTML for a look-up is asked again',
      { fault: { do: 'answer', with: HTML }, where: { hit: looking, times: 1 }, code: null, withinS: 0 },
    ],
  ])('%s', async (_, wrong) => {
    await survives(template, 'lnbits', wrong);
  });
});

test.runIf(long).concurrent('no payment is ever answered: the run stops after two of them', async () => {
  await survives(template, 'lnbits', {
    fault: { do: 'black-hole' },
    where: { hit: paying },
    code: 'lnbits/unreachable',
    withinS: POST_S,
    tries: 4,
  });
});
