import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import type { World } from '../../support/world.ts';
import { type Case, GARBAGE, HTML, HUGE, type Link, survives, twoClients } from './faulty.ts';

// Nearly all of it is waiting for deadlines.
vi.setConfig({ maxConcurrency: 16, testTimeout: 300_000 });

/** For the way there, each step of it; and for one query. */
const STEP_S = 15;
const QUERY_S = 60;
/** ssh2 asks every 10 s whether the server is still there, three times. */
const KEEPALIVE_S = 40;

const fetching = (request: Buffer) => request.includes('limit 5000');

let template: World;
beforeAll(async () => {
  template = await twoClients();
});
afterAll(async () => {
  await template?.stop();
});

type Row = [title: string, link: Link, wrong: Case];

describe.concurrent('the way to Lamassu', () => {
  const codes = {
    lamassu: 'lamassu/unreachable',
    ssh: 'lamassu/ssh-unreachable',
    forwarded: 'lamassu/unreachable',
  } as const;
  test.each(
    (['lamassu', 'ssh', 'forwarded'] as const).flatMap((link): Row[] => {
      const code = codes[link];
      const late = { code, withinS: STEP_S };
      const soon = { code, withinS: 0 };
      return [
        [
          'refused',
          link,
          link === 'forwarded'
            ? { fault: { do: 'refuse' }, code: 'lamassu/ssh-forward', withinS: 0 }
            : { fault: { do: 'refuse' }, ...soon },
        ],
        // The SSH server may have opened the channel by then, or not.
        [
          'reset',
          link,
          {
            fault: { do: 'reset' },
            code: link === 'forwarded' ? [code, 'lamassu/ssh-forward'] : code,
            withinS: 0,
          },
        ],
        ['a black hole', link, { fault: { do: 'black-hole' }, ...late }],
        ['half-open', link, { fault: { do: 'half-open' }, ...late }],
        ['answers by a byte a second', link, { fault: { do: 'slow' }, ...late }],
        ['requests by a byte a second', link, { fault: { do: 'slow-request' }, ...late }],
        ['cut after 10 bytes', link, { fault: { do: 'cut', after: 10 }, ...soon }],
        ['answers lost', link, { fault: { do: 'lose-answer' }, ...soon }],
        ['garbage', link, { fault: { do: 'answer', with: GARBAGE }, ...soon }],
        ['HTML', link, { fault: { do: 'answer', with: HTML }, ...soon }],
        ['an answer without end', link, { fault: { do: 'huge', with: HUGE }, ...soon }],
      ];
    }),
  )('%s, %s', async (_, link, wrong) => {
    await survives(template, link, wrong);
  });
});

describe.concurrent('in the middle of the reading', () => {
  test.each(
    (['lamassu', 'forwarded'] as const).flatMap((link): Row[] => {
      const where = { hit: fetching };
      const late = { where, code: 'lamassu/timeout', withinS: QUERY_S } as const;
      const soon = { where, code: 'lamassu/lost', withinS: 0 } as const;
      return [
        ['reset', link, { fault: { do: 'reset' }, ...soon }],
        ['a black hole', link, { fault: { do: 'black-hole' }, ...late }],
        ['half-open', link, { fault: { do: 'half-open' }, ...late }],
        ['a byte a second', link, { fault: { do: 'slow' }, ...late }],
        ['cut in the answer', link, { fault: { do: 'cut', after: 100 }, ...soon }],
        ['the answer lost', link, { fault: { do: 'lose-answer' }, ...soon }],
      ];
    }),
  )('%s, %s', async (_, link, wrong) => {
    await survives(template, link, wrong);
  });

  // What the bridge asks first after the login takes more than so many bytes of SSH's answers.
  test('cut after 4,000 bytes, ssh', async () => {
    await survives(template, 'ssh', {
      fault: { do: 'cut', after: 4_000 },
      code: 'lamassu/lost',
      withinS: KEEPALIVE_S,
    });
  });
});
