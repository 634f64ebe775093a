import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Counter, openCounter } from '../support/counter.ts';
import { ledgerKinds } from '../support/ledgers.ts';

/*
 * Currencies come and go, and machines change theirs: no amount is read in another currency or with other digits than
 * it has, and none of it becomes the operator's unnoticed.
 */

const HOUR = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();

describe.each(ledgerKinds)('on a ledger in %s', (kind) => {
  let counter: Counter;
  beforeAll(async () => {
    counter = await openCounter({ ledger: kind });
  });
  afterAll(() => counter.stop());

  const say = async (args: string[]) => {
    const { code, stdout, stderr } = await counter.world.aioDca(args);
    return { code, text: `${stdout}${stderr}` };
  };
  const reviewOf = async (id: string) =>
    counter.ledger.db
      .selectFrom('review')
      .select(['reason', 'state', 'detail'])
      .where('cash_out_id', '=', id)
      .executeTakeFirst();
  const divided = async (id: string) =>
    counter.ledger.db
      .selectFrom('cash_outs')
      .select(['currency', 'fiat', 'own_fiat'])
      .where('id', '=', id)
      .executeTakeFirst();
  const fine = (machine: string, currency: string, hours: number, fiat = '100') =>
    counter.world.insertCashOut({
      ...{ device_id: machine, fiat_code: currency, fiat, raw_ticker_price: '100000' },
      ...{ crypto_atoms: '105500', received_crypto_atoms: '105500' },
      ...{ confirmed_at: ago(hours), created: ago(hours) },
    });

  test('the currencies of today and of yesterday are known, with the digits that they had', async () => {
    const { machine, client } = await counter.shop({ alice: 1n });
    for (const [code, amount] of [
      ['XCG', '1000.50'],
      ['BGN', '900'],
      ['HRK', '1.5'],
      ['BYR', '3000'],
    ] as const) {
      const added = await say([
        ...['fundings', 'add', client('alice'), `${amount} ${code}`, '--machine', machine, '--new-currency'],
      ]);
      expect(added).toMatchObject({ code: 0 });
    }
    expect((await say(['fundings', 'add', client('alice'), '3.5 BYR', '--machine', machine])).code).toBe(64);
  });

  test('a cash-out in an unknown currency waits, and is distributed once its digits are configured', async () => {
    const { machine, client } = await counter.shop({ alice: 500n });
    const add = ['fundings', 'add', client('alice'), '1000 QQQ', '--machine', machine, '--new-currency'];
    const deposited = [...add, '--deposited', '--at', ago(48), '--no-past'];
    const refused = await say(deposited);
    expect(refused.code).toBe(64);
    expect(refused.text).toContain('[currencies] QQQ = 2');
    const id = await fine(machine, 'QQQ', 2);
    expect(await counter.poll()).toMatchObject({ outcome: 'attention' });
    expect(await reviewOf(id)).toMatchObject({ reason: 'unknown-currency', state: 'open' });
    const page = await say(['review', 'show', id]);
    expect(page.text).toContain('QQQ = 2 under [currencies]');
    expect(page.text).not.toContain('USD');
    const settle = await say(['settle', id, '--fiat', '100 USD', '--reason', 'x', '--yes']);
    expect(settle.code).toBe(64);
    expect(settle.text).toContain('which the bridge does not know');

    // One that failed besides: nothing that is proposed names another currency.
    const failed = await counter.world.insertCashOut({ device_id: machine, fiat_code: 'QQS', error: 'jam' });
    expect(await counter.poll()).toMatchObject({ news: { reviews: 1 } });
    const shown = await counter.world.must(['review', 'show', failed, '--json']);
    expect(shown.json<{ commands: string[] }>().commands).toEqual([
      expect.stringMatching(/^aio-dca review show \S+ {2}# after QQS = 2 under \[currencies\]/),
      expect.stringContaining('review dismiss'),
    ]);

    await appendFile(counter.world.configFile, '\n[currencies]\nQQQ = 1\n');
    expect(await say(deposited)).toMatchObject({ code: 0 });
    expect(await say(['poll'])).toMatchObject({ code: 0 });
    expect(await divided(id)).toEqual({ currency: 'QQQ', fiat: 1_000n, own_fiat: 0n });
    expect(await reviewOf(id)).toMatchObject({ state: 'processed' });
    expect(await say(['verify'])).toMatchObject({ code: 0 });
  });

  test('the digits in the ledger take precedence over those of a list or of config.toml', async () => {
    const { machine, client } = await counter.shop({ alice: 500n });
    await counter.ledger.db.insertInto('currencies').values({ code: 'CLP', digits: 2n }).execute();
    await counter.ledger.db.insertInto('currencies').values({ code: 'QQR', digits: 0n }).execute();
    const add = (amount: string) =>
      say(['fundings', 'add', client('alice'), amount, '--machine', machine, '--new-currency']);
    expect((await add('50.25 CLP')).text).toContain('50.25 CLP');
    expect(await add('50 QQR')).toMatchObject({ code: 0 });
    expect((await add('50.000 QQR')).text).toContain('"50.000 QQR" can be read as 50 or as 50,000');
  });

  test('the first cash-outs of a machine that changed its currency wait for the operator', async () => {
    const { machine, client, funding } = await counter.shop({ alice: 900n });
    await fine(machine, 'USD', 9);
    await counter.poll();
    const [first, second] = [await fine(machine, 'EUR', 6), await fine(machine, 'EUR', 5)];
    expect(await counter.poll()).toMatchObject({ outcome: 'attention', source: { toReview: 2 } });
    for (const id of [first, second]) {
      expect(await reviewOf(id)).toMatchObject({ reason: 'currency-changed', state: 'open' });
      expect(await divided(id)).toBeUndefined();
    }
    expect((await reviewOf(first))?.detail).toBe(
      `it is in EUR, and the clients' cash for this machine is in USD (f${funding('alice')} of ${client('alice')})`,
    );
    expect((await say(['status'])).code).toBe(2);
    expect((await say(['review', 'show', first])).text).toContain(`aio-dca review release ${first}`);
    expect(await say(['review', 'dismiss', first, '--reason', 'x'])).toMatchObject({ code: 64 });
    expect(await say(['settle', first, '--reason', 'x', '--yes'])).toMatchObject({ code: 64 });
    // A repetition is not reported again, and nothing of it is lost.
    expect(await counter.poll()).toMatchObject({ source: { toReview: 0 } });

    // The cash is exchanged: what lay there since before is entered with its time, and they are divided.
    const id = `f${funding('alice')}`;
    expect(await say(['fundings', 'withdraw', id, '--yes', '--reason', 'changed over'])).toMatchObject({
      code: 0,
    });
    const eur = ['fundings', 'add', client('alice'), '800 EUR', '--machine', machine, '--new-currency'];
    expect(await say([...eur, '--deposited', '--at', ago(8)])).toMatchObject({ code: 0 });
    await counter.poll();
    for (const one of [first, second]) {
      expect(await divided(one)).toEqual({ currency: 'EUR', fiat: 10_000n, own_fiat: 0n });
      expect(await reviewOf(one)).toMatchObject({ state: 'processed' });
    }
  });

  test('one that is released is the own share, and those after it as well', async () => {
    const { machine } = await counter.shop({ bob: 900n });
    await fine(machine, 'USD', 9);
    await counter.poll();
    const [first, second] = [await fine(machine, 'EUR', 6), await fine(machine, 'EUR', 5)];
    await counter.poll();
    expect(await say(['review', 'release', first, '--reason', 'ours'])).toMatchObject({ code: 0 });
    await counter.poll();
    for (const id of [first, second])
      expect(await divided(id)).toEqual({ currency: 'EUR', fiat: 10_000n, own_fiat: 10_000n });
    // Back again, with the clients' cash still there, the operator need not decide.
    const back = await fine(machine, 'USD', 1);
    await counter.poll();
    expect(await divided(back)).toMatchObject({ own_fiat: 0n });
  });

  test('a machine whose new currency the operator has set needs no decision', async () => {
    const { machine } = await counter.shop({ carol: 1n });
    await counter.ledger.db
      .updateTable('fundings')
      .set({ machine: null })
      .where('machine', '=', machine)
      .execute();
    expect(await say(['machines', 'set', machine, '--currency', 'EUR'])).toMatchObject({ code: 0 });
    const id = await fine(machine, 'EUR', 6);
    await counter.poll();
    expect(await divided(id)).toMatchObject({ currency: 'EUR', own_fiat: 10_000n });
  });
});
