import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { exitOf } from '../../src/cli/command/exit-codes.ts';
import { type Finding, toReview } from '../../src/ledger/cash-outs/review.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { releasePayout } from '../../src/ledger/payouts/operator-actions.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { payFixed } from '../../src/scheduler/fixed.ts';
import { reviewsSince } from '../../src/scheduler/new-since.ts';
import { bootless, now } from '../support/clock.ts';
import { forEachLedger } from '../support/ledgers.ts';
import { oweTwo, payday } from '../support/payday.ts';

/* A run reports what began to need the operator in that run, however often it did before. */

test('a payout that is released and held again is reported each time, and only then', async () => {
  const day = await payday();
  onTestFinished(() => day.stop());
  const { alice } = await oweTwo(day);
  await day.lnbits.resetKeys(alice.id);
  const { ledger, config } = day;
  const run = async () => {
    const signal = new AbortController().signal;
    const report = await payFixed({
      ledger,
      config,
      who: { principal: OPERATOR, actor: 'test' },
      log: pino({ level: 'silent' }),
      signal,
    });
    return [exitOf[report.outcome], report.outcome, report.news.payouts];
  };
  const release = () =>
    ledger.write((trx) =>
      releasePayout(trx, { principal: OPERATOR, actor: 'dora', run: null, clock: bootless, at: now() }, 1n),
    );
  const held = [2, 'attention', ['p1']];
  const nothing = [0, 'ok', []];
  expect(await run()).toEqual(held);
  expect(await run()).toEqual(nothing);
  for (let times = 0; times < 2; times += 1) {
    await release();
    expect(await run()).toEqual(held);
    expect(await run()).toEqual(nothing);
  }
  // A run that was killed reported nothing.
  await release();
  await day.payNow();
  expect(await run()).toEqual(held);
  expect(await run()).toEqual(nothing);
});

forEachLedger((_kind, fresh) => {
  test('a row that waits for a new reason is reported, and one that only waits is not', async () => {
    const ledger = await fresh();
    const finding: Finding = {
      ...{ cashOutId: '7a1c', source: 'lamassu', machine: 'm1', detail: 'it is', lamassu: { id: '7a1c' } },
      reason: 'failed',
    };
    const told = async (reason: string) => {
      const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
      const opened = await run.write((trx) =>
        toReview(trx, { ...run.who, at: now() }, { ...finding, reason }),
      );
      const { reviews, rows } = await reviewsSince(ledger.db, {
        run: run.id - 1n,
        payouts: new Set(),
        log: null,
      });
      await run.finish('ok', null);
      return [opened, reviews, rows.map((row) => row.reason)];
    };
    expect(await told('failed')).toEqual([true, 1, ['failed']]);
    const { since } = await ledger.db.selectFrom('review').select('since').executeTakeFirstOrThrow();
    expect(await told('failed')).toEqual([false, 0, []]);
    expect(await told('changed')).toEqual([true, 1, ['changed']]);
    expect(await told('changed')).toEqual([false, 0, []]);
    // It keeps its place.
    expect(await ledger.db.selectFrom('review').select(['reason', 'since']).execute()).toEqual([
      { reason: 'changed', since },
    ]);
  });
});
