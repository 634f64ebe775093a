import { expect, test } from 'vitest';
import { OPERATOR, record } from '../../../src/ledger/log/log.ts';
import { startRun } from '../../../src/ledger/runs/lease.ts';
import { systemClock } from '../../../src/time.ts';
import { forEachLedger } from '../../support/ledgers.ts';
import { bookkeeper } from '../../support/principals.ts';

const AT = '2026-11-20T10:00:00.000000Z';

forEachLedger((_kind, open) => {
  test('what is done outside a run is logged with the boot and the uptime of its clock; a run records them itself', async () => {
    const ledger = await open();
    const host = { wall: 0, boot: 'this boot', uptime: 77 };
    const clock = { ...systemClock, host: () => host };
    const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'timer' });
    await run.write(async (trx) => {
      await record(
        trx,
        { principal: OPERATOR, actor: 'dora', run: null, clock, at: AT },
        { action: 'test', subject: 'by hand' },
      );
      await record(trx, { ...run.who, clock, at: AT }, { action: 'test', subject: 'by a run' });
    });
    const rows = await ledger.db
      .selectFrom('log')
      .select(['subject', 'run_id', 'boot', 'uptime_ms'])
      .execute();
    expect(rows).toEqual([
      { subject: 'by hand', run_id: null, boot: 'this boot', uptime_ms: 77n },
      { subject: 'by a run', run_id: run.id, boot: null, uptime_ms: null },
    ]);
  });

  test('what a run does is logged with the right and the reason of who asked for it', async () => {
    const ledger = await open();
    const asker = {
      principal: bookkeeper,
      ...{ actor: 'dora', reason: 'the month ends' },
    };
    const run = await startRun(ledger, 'poll', asker);
    await run.write(async (trx) => {
      await record(trx, { ...run.who, at: AT }, { action: 'test', subject: 'by itself' });
      await record(
        trx,
        { ...run.who, at: AT },
        { action: 'test', subject: 'with a reason', reason: 'it is due' },
      );
    });
    const rows = await ledger.db
      .selectFrom('log')
      .select(['subject', 'run_id', 'actor', 'principal', 'reason'])
      .execute();
    const by = { run_id: run.id, actor: 'dora', principal: 'person emil' };
    expect(rows).toEqual([
      { ...by, subject: 'by itself', reason: 'the month ends' },
      { ...by, subject: 'with a reason', reason: 'it is due' },
    ]);
  });
});
