import { expect, test } from 'vitest';
import { finish } from '../../support/kill.ts';
import { type LedgerKind, ledgerKinds } from '../../support/ledgers.ts';
import { until } from '../../support/ssh.ts';
import type { World } from '../../support/world.ts';
import { chanceOf, pick } from '../chance.ts';
import { long } from '../seed.ts';
import { startDay } from './days.ts';
import { commitsOf, onCopy, POLL, stopAt, turns, words } from './stop.ts';

/*
 * A run that is suspended (SIGSTOP) in a transaction, right before its commit, and so holds the ledger's lock. Others
 * wait for it for a while, and then report that. Once it goes on, everything is as it must be.
 */

const ENTER = ['fundings', 'add', 'alice', '10 GTQ', '--deposited', '--any-machine', '--json'];
/** Longer than any process waits for the lock, including its start on a busy machine. */
const LONGEST_MS = 50_000;

test.concurrent.each(ledgerKinds)(
  'a ledger on %s: a run that is suspended with the lock does not keep other runs waiting forever',
  { timeout: 1_200_000 },
  async (ledger) => {
    const world = await startDay(ledger, '1.6.2', 'fresh');
    try {
      const commits = await onCopy(world, commitsOf);
      const all = Array.from({ length: commits }, (_, index) => index + 1);
      const chosen = long ? all : [pick(chanceOf(`locked ${ledger}`), all)];
      const turn = turns(2);
      const wrong = await Promise.all(chosen.map((n) => turn(() => tryLock(world, ledger, n))));
      process.stdout.write(
        `${ledger}: stood still with the lock before ${chosen.length} of ${commits} commits\n`,
      );
      expect(wrong.flat()).toEqual([]);
    } finally {
      await world.stop();
    }
  },
);

test.runIf(long)(
  'a ledger on postgresql: its server takes the lock from a run that is suspended for long',
  { timeout: 600_000 },
  async () => {
    const template = await startDay('postgresql', '1.6.2', 'fresh');
    try {
      await onCopy(template, async (copy) => {
        const { world } = copy;
        const stopped = await stopAt(copy, { at: 'commit', n: 4, phase: 'before' });
        try {
          const free = async () => (await world.aioDca(POLL)).code === 0;
          await until(free, 'another run takes its place', 150_000);
          stopped.wake();
          const { code, stdout } = await stopped.ended;
          expect(code, stdout).toBe(75);
          expect(stdout).toMatch(/"(run\/lost-lease|ledger\/unreachable|ledger\/busy)"/);
          expect(await finish(world)).toEqual([]);
        } finally {
          stopped.child.kill('SIGKILL');
          await stopped.ended;
        }
      });
    } finally {
      await template.stop();
    }
  },
);

/** Says what went wrong. */
async function tryLock(template: World, ledger: LedgerKind, n: number): Promise<string[]> {
  return await onCopy(template, async (copy) => {
    const { world } = copy;
    const stopped = await stopAt(copy, { at: 'commit', n, phase: 'before' });
    const wrong: string[] = [];
    const late = setTimeout(() => {
      wrong.push(`others still wait for the lock after ${LONGEST_MS} ms`);
      stopped.wake();
    }, LONGEST_MS);
    try {
      for (const ran of await Promise.all([world.aioDca(POLL), world.aioDca(ENTER)]))
        if (ran.code !== 75 || !`${ran.stdout}${ran.stderr}`.includes('"ledger/busy"'))
          wrong.push(words(ran));
      clearTimeout(late);
      stopped.wake();
      const { code, stdout, stderr } = await stopped.ended;
      // LNbits may have closed the connection meanwhile, and what was about to be sent then is not: the next run goes
      // on.
      if (![0, 2, 75].includes(code ?? -1)) wrong.push(`woken: exit ${code}: ${stdout}${stderr}`);
      wrong.push(...(await finish(world)));
    } finally {
      clearTimeout(late);
      stopped.child.kill('SIGKILL');
      await stopped.ended;
    }
    return wrong.map((problem) => `${ledger}, before commit ${n}: ${problem}`);
  });
}
