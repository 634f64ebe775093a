import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { errorInWords, setCommand } from '../../src/cli/terminal/words.ts';
import type { BridgeError } from '../../src/errors.ts';
import { settle } from '../../src/ledger/cash-outs/settlement.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { type Instant, plus } from '../../src/time.ts';
import { type Books, books } from '../support/books.ts';
import { bootless } from '../support/clock.ts';
import { forEachLedger } from '../support/ledgers.ts';

/*
 * The examples of docs/modes.md, in its order: each row of a table is worked out here and must stand there.
 * Times without a zone are those of Guatemala, UTC−6.
 */

const sections = new Map(
  readFileSync(new URL('../../docs/modes.md', import.meta.url), 'utf8')
    .split(/^## /m)
    .map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
);

/** `2026-11-20 12:00` or `2026-11-20 12:00:30`, in Guatemala. */
function at(local: string): Instant {
  const time = local.replace(' ', 'T').padEnd(19, ':00');
  return new Date(`${time}-06:00`).toISOString().replace('Z', '000Z');
}

const utc = (text: string): Instant => `${text.padEnd(19, ':00')}.000000Z`;
const before = at('2026-11-01 00:00');

forEachLedger((_kind, open) => {
  /** One section: `says` expects a row of the document that begins so; in the end the books balance. */
  const section = (
    title: string,
    work: (book: Books, says: (...cells: string[]) => void) => Promise<void>,
  ) => {
    test(title, async () => {
      const ledger = await open();
      const text = sections.get(title) ?? '';
      await work(await books(ledger), (...cells) => expect(text).toContain(`\n| ${cells.join(' | ')} |`));
      await balances(ledger);
    });
  };

  const balances = async (ledger: Ledger) => expect((await verifyLedger(ledger)).differences).toEqual([]);

  /** Felix, fixed, with 500 USD a day unless said otherwise, and 5,000 USD in the machine. */
  const felix = async (book: Books, daily = 500) => {
    await book.client('felix', { mode: 'fixed', daily }, before);
    await book.cash('felix', 5_000, before);
  };
  const flora = async (book: Books) => {
    await book.client('flora', { mode: 'flow' }, before);
    await book.cash('flora', 5_000, before);
  };
  const sat = (paid: Partial<Record<string, bigint>>) => `${(paid.felix ?? 0n).toLocaleString('en-US')} sat`;

  const NONE = '0.00';

  section('How much each gives', async (book, says) => {
    await flora(book);
    await felix(book);
    for (const [usd, day] of [
      [2000, 20],
      [400, 21],
      [1000, 21],
    ] as const) {
      const { flora = NONE, felix = NONE } = await book.cashOut(usd, at(`2026-11-${day} 12:30`));
      says(`${usd} USD`, `${day} November`, flora, felix);
    }
  });

  section('What a limit frees goes to all others', async (book, says) => {
    await book.client('ann', { mode: 'flow' }, before);
    await book.client('ben', { mode: 'fixed', daily: 100 }, before);
    await book.client('cleo', { mode: 'fixed', daily: 700 }, before);
    await book.cash('ann', 1_000, before);
    await book.cash('ben', 4_000, before);
    await book.cash('cleo', 5_000, before);
    for (const [usd, day] of [
      [1000, 20],
      [2000, 21],
    ] as const) {
      const given = await book.cashOut(usd, at(`2026-11-${day} 12:30`));
      const { ann = NONE, ben = NONE, cleo = NONE, own = NONE } = given;
      says(`${usd} USD`, `${day} November`, ann, ben, cleo, own);
    }
  });

  for (const priority of ['shared', 'flow-first', 'fixed-first'] as const) {
    test(`Who comes first: ${priority}`, async () => {
      const ledger = await open();
      const book = await books(ledger);
      book.settings.priority = priority;
      await flora(book);
      await felix(book);
      const { flora: first = NONE, felix: second = NONE } = await book.cashOut(400, at('2026-11-20 12:30'));
      expect(sections.get('Who comes first')).toContain(`\n| ${priority} | ${first} | ${second} |`);
      await balances(ledger);
    });
  }

  section('Several fundings of one client', async (book, says) => {
    await book.client('felix', { mode: 'fixed', daily: 400 }, before);
    const ids = [await book.cash('felix', 300, before), await book.cash('felix', 900, before)];
    const { own = NONE } = await book.cashOut(1_000, at('2026-11-20 12:30'));
    const rows = await book.ledger.db.selectFrom('allocations').select(['funding_id', 'fiat']).execute();
    const spent = ids.map((id) => `${(rows.find((row) => row.funding_id === id)?.fiat ?? 0n) / 100n}.00`);
    says('1000 USD', ...spent, own);
  });

  section('When fixed mode is paid', async (book, says) => {
    await felix(book);
    await book.cashOut(90, at('2026-11-20 09:00'), at('2026-11-20 09:05'));
    await book.cashOut(60, at('2026-11-20 11:50'), at('2026-11-20 11:55'));
    await book.read(at('2026-11-20 11:56'));
    says('11:55', sat(await book.pay(at('2026-11-20 11:56'))));
    await book.read(at('2026-11-20 12:00:01'));
    says('12:00', sat(await book.pay(at('2026-11-20 12:00:02'))));
    says('12:05', sat(await book.pay(at('2026-11-20 12:05'))));
    await book.cashOut(30, at('2026-11-20 13:00'), at('2026-11-20 13:05'));
    says('13:05', sat(await book.pay(at('2026-11-20 13:06'))));
    says('12:00 the next day', sat(await book.pay(at('2026-11-21 12:00'))));
  });

  test('When fixed mode is paid: three times a day, and by `fixed run` at once', async () => {
    const book = await books(await open());
    book.settings.times = ['18:00', '09:30', '12:00'];
    const says = (time: string, paid: Partial<Record<string, bigint>>) =>
      expect(sections.get('When fixed mode is paid')).toContain(`\n| ${time} | ${sat(paid)} |`);
    await felix(book);
    await book.cashOut(90, at('2026-11-20 09:00'));
    says('09:30', await book.pay(at('2026-11-20 09:30')));
    await book.cashOut(60, at('2026-11-20 11:50'));
    says('12:00', await book.pay(at('2026-11-20 12:00')));
    await book.cashOut(30, at('2026-11-20 13:00'));
    says('18:00', await book.pay(at('2026-11-20 18:00')));
    await book.cashOut(20, at('2026-11-20 18:30'));
    const nine = at('2026-11-20 21:00');
    expect(await book.pay(nine)).toEqual({});
    expect(await book.pay(nine, nine)).toEqual({ felix: 20_000n });
    await balances(book.ledger);
  });

  section('A bridge that was off at that time', async (book, says) => {
    await felix(book);
    await book.cashOut(90, at('2026-11-20 09:00'), at('2026-11-20 09:15'));
    await book.read(at('2026-11-20 09:15:01'));
    says('09:15', sat(await book.pay(at('2026-11-20 09:15:02'))));
    await book.cashOut(60, at('2026-11-20 11:50'), at('2026-11-20 15:00'));
    await book.cashOut(30, at('2026-11-20 13:00'), at('2026-11-20 15:00'));
    await book.read(at('2026-11-20 15:00:01'));
    says('15:00', sat(await book.pay(at('2026-11-20 15:00:02'))));
    says('15:05', sat(await book.pay(at('2026-11-20 15:05'))));
    says('12:00 the next day', sat(await book.pay(at('2026-11-21 12:00'))));
  });

  section('Cash that comes out late', async (book, says) => {
    await felix(book);
    await book.read(at('2026-11-20 12:00:01'));
    says('12:00', sat(await book.pay(at('2026-11-20 12:00:02'))));
    await book.cashOut(60, at('2026-11-20 11:50'), at('2026-11-20 12:25'));
    await book.read(at('2026-11-20 12:25:01'));
    says('12:25', sat(await book.pay(at('2026-11-20 12:25:02'))));
    says('12:00 the next day', sat(await book.pay(at('2026-11-21 12:00'))));
  });

  section('Lamassu that does not answer', async (book, says) => {
    await felix(book);
    await book.cashOut(90, at('2026-11-20 09:00'), at('2026-11-20 09:05'));
    await book.read(at('2026-11-20 10:00'));
    says('12:00', sat(await book.pay(at('2026-11-20 12:00'))));
  });

  test('Cash that comes out late: one that Lamassu never saw', async () => {
    const book = await books(await open());
    await felix(book);
    await book.read(at('2026-11-20 11:40'));
    const settled = (id: string, fiat: bigint, enteredAt: Instant) => {
      const money = { distributed: fiat * 10n, commission: 0n };
      const stated = { ...money, fiat: { minor: fiat, currency: 'USD', digits: 2 } };
      const cashOut = {
        ...{ id, source: 'external', machine: 'm', confirmedAt: at('2026-11-20 11:50'), lamassu: null },
        ...{ ...money, fiat, currency: 'USD', digits: 2, undelivered: 0n, method: 'given' as const },
      };
      const settlement = { cashOut, origin: 'external' as const, stated, credit: false };
      const act = {
        principal: OPERATOR,
        actor: 'dora',
        run: null,
        clock: bootless,
        at: enteredAt,
        reason: 'receipt',
      };
      return book.ledger.write((trx) => settle(trx, act, settlement, book.settings));
    };
    await settled('receipt-1', 9_000n, at('2026-11-20 11:59'));
    await settled('receipt-2', 6_000n, at('2026-11-20 12:25'));
    expect(await book.pay(at('2026-11-20 12:26'))).toEqual({ felix: 90_000n });
    expect(await book.pay(at('2026-11-21 12:00'))).toEqual({ felix: 60_000n });
    await balances(book.ledger);
  });

  test('Lamassu that does not answer, while another one does', async () => {
    const book = await books(await open());
    await felix(book);
    await book.read(at('2026-11-20 11:55'), 'north');
    await book.read(at('2026-11-20 11:56'), 'south');
    await book.read(at('2026-11-20 12:01'), 'north');
    await book.cashOut(90, at('2026-11-20 11:58'), at('2026-11-20 12:03'), { source: 'south' });
    await book.cashOut(60, at('2026-11-20 11:59'), at('2026-11-20 12:06'), { source: 'north' });
    await book.read(at('2026-11-20 12:07'), 'south');
    await book.cashOut(30, at('2026-11-20 11:59'), at('2026-11-20 12:08'), { source: 'south' });
    expect(await book.pay(at('2026-11-20 12:09'))).toEqual({ felix: 90_000n });
    expect(await book.pay(at('2026-11-21 12:00'))).toEqual({ felix: 90_000n });
    await balances(book.ledger);
  });

  section('Midnight', async (book, says) => {
    await felix(book);
    for (const [usd, time, shown] of [
      [500, '2026-11-21T05:59:59.000000Z', '20 November 23:59:59'],
      [200, '2026-11-21T05:59:59.999999Z', '20 November 23:59:59.999999'],
      [200, '2026-11-21T06:00:00.000000Z', '21 November 00:00:00'],
    ] as const) {
      const { felix = NONE } = await book.cashOut(usd, time);
      says(`${usd} USD`, shown, felix);
    }
  });

  section('Days of 23 and of 25 hours', async (book, says) => {
    book.settings.timezone = 'America/New_York';
    await book.client('felix', { mode: 'fixed', daily: 500 }, utc('2026-01-01T00:00'));
    await book.cash('felix', 5_000, utc('2026-01-01T00:00'));
    for (const { day, morning, evening, time, due } of [
      {
        ...{ day: '8 March', morning: '2026-03-08T05:30', evening: '2026-03-09T03:30' },
        ...{ time: '02:30', due: '2026-03-08T07:00' },
      },
      {
        ...{ day: '1 November', morning: '2026-11-01T04:30', evening: '2026-11-02T04:30' },
        ...{ time: '01:30', due: '2026-11-01T05:30' },
      },
    ]) {
      book.settings.times = [time];
      says('400 USD', `${day} 00:30`, (await book.cashOut(400, utc(morning))).felix ?? NONE);
      says(time, day, `${due}Z`);
      expect(await book.pay(plus(utc(due), -1))).toEqual({});
      expect(await book.pay(utc(due))).toEqual({ felix: 400_000n });
      expect(await book.pay(plus(utc(due), 3_600_000))).toEqual({});
      says('400 USD', `${day} 23:30`, (await book.cashOut(400, utc(evening))).felix ?? NONE);
      expect(await book.pay(plus(utc(evening), 86_400_000))).toEqual({ felix: 100_000n });
    }
  });

  section('A time zone that is changed', async (book, says) => {
    await felix(book);
    for (const [usd, time] of [
      [500, '2026-11-21T03:00'],
      [300, '2026-11-21T05:00'],
      [300, '2026-11-21T06:00'],
    ] as const) {
      if (time > '2026-11-21T04:00') book.settings.timezone = 'UTC';
      const { felix = NONE } = await book.cashOut(usd, utc(time));
      const { local_date } = await book.ledger.db
        .selectFrom('cash_outs')
        .select('local_date')
        .where('confirmed_at', '=', utc(time))
        .executeTakeFirstOrThrow();
      says(`${usd} USD`, `${time}Z`, local_date, felix);
    }
  });

  section('A limit that is changed in the afternoon', async (book, says) => {
    await felix(book);
    const out = async (shown: string, confirmed: string, read = confirmed) => {
      const { felix = NONE } = await book.cashOut(600, at(confirmed), at(read));
      says('600 USD', shown, felix);
    };
    await out('10:00', '2026-11-20 10:00');
    await book.limit('felix', 800, at('2026-11-20 14:00'));
    await out('15:00', '2026-11-20 15:00');
    await book.limit('felix', 300, at('2026-11-20 16:00'));
    await out('17:00', '2026-11-20 17:00');
    await out('13:00, read at 17:05', '2026-11-20 13:00', '2026-11-20 17:05');
    await out('10:00 the next day', '2026-11-21 10:00');
  });

  section('From fixed to flow, and back', async (book, says) => {
    await felix(book);
    await book.cashOut(90, at('2026-11-20 09:00'));
    says('09:30', 'a run', sat(await book.pay(at('2026-11-20 09:30'))));
    await book.mode('felix', 'flow', at('2026-11-20 10:00'));
    says(
      '10:00',
      '`clients set felix --mode flow`, and a run',
      sat(await book.pay(at('2026-11-20 10:00:01'))),
    );
    await book.cashOut(40, at('2026-11-20 10:30'));
    await book.mode('felix', 'fixed', at('2026-11-20 10:45'));
    says(
      '10:45',
      '`clients set felix --mode fixed`, and a run',
      sat(await book.pay(at('2026-11-20 10:45:01'))),
    );
  });

  section('A client who is paused', async (book, says) => {
    await flora(book);
    await felix(book);
    const out = async (shown: string, confirmed: string) => {
      const { flora = NONE, felix = NONE } = await book.cashOut(180, at(confirmed));
      says('180 USD', shown, flora, felix);
    };
    await out('09:00', '2026-11-20 09:00');
    await book.pause('felix', at('2026-11-20 10:00'));
    await out('10:30', '2026-11-20 10:30');
    says('12:00', sat(await book.pay(at('2026-11-20 12:00'))));
  });

  section('Small sums', async (book, says) => {
    book.settings.minimumSats = 100_000n;
    await felix(book);
    await book.cashOut(90, at('2026-11-20 09:00'));
    says('12:00 on the 20th', sat(await book.pay(at('2026-11-20 12:00'))));
    await book.cashOut(20, at('2026-11-21 09:00'));
    says('12:00 on the 21st', sat(await book.pay(at('2026-11-21 12:00'))));
  });

  section("The operator's maximum", async (book, says) => {
    setCommand(new Command().option('--daily-limit <limit>'));
    await book.client('felix', { mode: 'fixed', daily: 500, max: 800 }, before);
    for (const usd of [800, 801]) {
      const answer = await book.limit('felix', usd, at('2026-11-20 10:00')).then(
        () => 'set',
        (error: BridgeError) => errorInWords(error).message,
      );
      says(`${usd} USD`, answer);
    }
    const euros = { amount: { minor: 100n, currency: 'EUR', digits: 2 } };
    await expect(book.cash('felix', 1, before, euros)).rejects.toThrow('without a daily limit in EUR');
    await book.cash('felix', 5_000, before);
    expect(await book.cashOut(900, at('2026-11-20 11:00'))).toMatchObject({ felix: '800.00' });
  });
});
