import { expect, test } from 'vitest';
import { judgingOf } from '../../src/judging/judging.ts';
import { openSource } from '../../src/lamassu/source.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { settleCashOut } from '../../src/operations/settlements.ts';
import { readCashOuts } from '../../src/scheduler/read.ts';
import { readingOf } from '../../src/scheduler/setup.ts';
import { bootless } from '../support/clock.ts';
import { openCounter } from '../support/counter.ts';
import { ledgerKinds } from '../support/ledgers.ts';

test.each(ledgerKinds)(
  'a row that the operator settles while a run judges it is neither watched nor put into review (%s)',
  async (kind) => {
    const { world, ledger, config, shop, poll, perform, stop } = await openCounter({ ledger: kind });
    try {
      const counter = await shop({ alice: 1000n });
      await poll();
      const id = await counter.jammed();
      const source = await openSource(config.lamassu, ledger.clock, await judgingOf(config, ledger.db));
      const rows = await source.byIds([id]);
      await source.close();

      const write: typeof ledger.write = async (work) => {
        await perform(settleCashOut, { id });
        return ledger.write(work);
      };
      const target = {
        ...readingOf(config, ledger, write, null, {
          principal: OPERATOR,
          actor: 'test',
          run: null,
          clock: bootless,
        }),
        onCashOut: () => undefined,
        signal: new AbortController().signal,
      };
      const report = await readCashOuts(target, source.now, [rows]);

      expect(report).toMatchObject({ read: 1, toReview: 0 });
      const ids = (table: 'watch' | 'review') =>
        ledger.db.selectFrom(table).select('cash_out_id').where('cash_out_id', '=', id).execute();
      expect(await ids('watch')).toEqual([]);
      expect(await ids('review')).toEqual([]);
      expect((await verifyLedger(ledger)).differences).toEqual([]);
      expect(await world.aioDca(['verify'])).toMatchObject({ code: 0 });
    } finally {
      await stop();
    }
  },
);
