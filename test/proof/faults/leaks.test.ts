import { type ChildProcess, fork as startChild } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WireFault } from '../../support/fault-proxy.ts';
import { finish } from '../../support/kill.ts';
import type { Asked, Held } from '../../support/poll-child.ts';
import { seed } from '../seed.ts';
import { behindProxy, GARBAGE, HTML, type Link, twoClients } from './faulty.ts';

const ROUNDS = 1_000;
/** At the first, everything was loaded and compiled. */
const COUNTED = [200, 600, ROUNDS];
/** Rounds after which there is something new to pay. */
const NEWS = 25;
/** What a process of the same rounds without faults may gain by its caches. */
const HEAP_BYTES = 6_000_000;

/** Several installations, so that the pauses of one are used by the others; of each only one thing goes wrong. */
const lanes: Link[] = [
  'lnbits',
  'lamassu',
  'lnbits',
  'ssh',
  'lnbits',
  'forwarded',
  'lnbits',
  'lamassu',
  'lnbits',
  'ssh',
];

const faults: (WireFault | null)[] = [
  null,
  { do: 'refuse' },
  { do: 'reset' },
  { do: 'cut', after: 10 },
  { do: 'cut', after: 150 },
  { do: 'cut', after: 2_000 },
  { do: 'lose-answer' },
  { do: 'answer', with: HTML },
  { do: 'answer', with: GARBAGE },
];
// PostgreSQL's client takes them for the beginning of a long answer and waits until its deadline.
const soon = (link: Link) => faults.filter((fault) => link === 'lnbits' || fault?.do !== 'answer');

test('a thousand polls with faults leave no socket, no handle and no memory', {
  timeout: 400_000,
}, async () => {
  const stack = new AsyncDisposableStack();
  try {
    const template = await twoClients();
    stack.defer(() => template.stop());
    const child = startChild(fileURLToPath(new URL('../../support/poll-child.ts', import.meta.url)), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    stack.defer(() => void child.kill());
    const ask = asking(child);
    const counts: Held[] = [];
    const codes = new Map<string, number>();
    let polled = 0;
    const counting = async () => {
      // Sockets that were closed take a moment to go.
      await sleep(500);
      const { held } = await ask({ count: true });
      if (held) counts.push(held);
    };
    const installations = await Promise.all(lanes.map((link) => behindProxy(template, link)));
    for (const { stop } of installations) stack.defer(stop);
    const choose = fc.sample(fc.nat(), { numRuns: ROUNDS + lanes.length, seed });
    const rounds = async (until: number) => {
      await Promise.all(
        installations.map(async ({ world, proxy }, lane) => {
          while (polled < until) {
            const choice = choose[polled] ?? 0;
            polled += 1;
            const possible = soon(lanes[lane] ?? 'lnbits');
            await proxy.set(possible[choice % possible.length] ?? null);
            const answer = await ask({ poll: world.configFile });
            for (const code of answer.codes ?? []) codes.set(code, (codes.get(code) ?? 0) + 1);
          }
        }),
      );
    };
    for (let until = NEWS; until <= ROUNDS; until += NEWS) {
      // What is new makes a run ask LNbits.
      const crypto_atoms = '12810';
      await template.insertCashOut({ fiat: '100.00000', crypto_atoms, received_crypto_atoms: crypto_atoms });
      await rounds(until);
      if (COUNTED.includes(until)) await counting();
    }
    process.stdout.write(`polls: ${polled}; ${[...codes].map(([code, n]) => `${code} ${n}`).join(', ')}\n`);
    process.stdout.write(`held at ${COUNTED}: ${JSON.stringify(counts)}\n`);
    const [early, , late] = counts;
    if (!early || !late) throw new Error('nothing was counted');
    expect(codes.get('lnbits/unreachable')).toBeGreaterThan(50);
    expect(
      [...codes.keys()].every((code) => /^(lnbits|lamassu)\//.test(code)),
      [...codes.keys()].join(),
    ).toBe(true);
    expect(late.files - early.files).toBeLessThanOrEqual(2);
    expect(late.resources - early.resources).toBeLessThanOrEqual(2);
    expect(late.heap - early.heap).toBeLessThan(HEAP_BYTES);

    await Promise.all(installations.map(({ proxy }) => proxy.set(null)));
    for (const { world } of installations) expect(await finish(world)).toEqual([]);
  } finally {
    await stack.disposeAsync();
  }
});

interface Answer {
  id: number;
  codes?: string[];
  held?: Held;
}

function asking(child: ChildProcess): (what: { poll: string } | { count: true }) => Promise<Answer> {
  let last = 0;
  const waiting = new Map<number, (answer: Answer) => void>();
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return (what) =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      child.send({ id: last, ...what } satisfies Asked);
    });
}
