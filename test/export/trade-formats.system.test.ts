import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatDecimal, sum } from '../../src/dca/money.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { exportRows } from '../../src/operations/export.ts';
import type { Session } from '../../src/operations/operation.ts';
import { clientScene } from '../support/client-scene.ts';
import { now } from '../support/clock.ts';
import { freshLedger } from '../support/ledgers.ts';
import { perform, sessionOn } from '../support/operations.ts';

/* Purchases as programs for tax and books read them; journals are read by the programs themselves. */

const HOSTILE = 'Antigua; | "centro" \\ (x) =1+1 * !';

async function files() {
  const ledger = await freshLedger('sqlite');
  await clientScene(ledger, now(), { days: 12 });
  await ledger.db.updateTable('machines').set({ name: HOSTILE }).execute();
  const written = async (format: 'koinly' | 'cointracker' | 'hledger' | 'beancount') => {
    let text = '';
    const take: Session['take'] = async (rows) => {
      for await (const piece of rows.text()) text += piece;
      return true;
    };
    await perform(exportRows, sessionOn(ledger, { take }), { kind: 'allocations', client: 'alice', format });
    return text;
  };
  return { ledger, written };
}

async function bought(ledger: Ledger) {
  const rows = await ledger.db
    .selectFrom('allocations')
    .innerJoin('recipients', 'recipients.id', 'allocations.client_id')
    .leftJoin('payouts', 'payouts.id', 'allocations.payout_id')
    .select(['allocations.fiat', 'allocations.net', 'payouts.state'])
    .where('recipients.name', '=', 'alice')
    .execute();
  const fiat = formatDecimal(sum(rows.map((row) => row.fiat)), 2);
  return { fiat, btc: formatDecimal(sum(rows.map((row) => row.net)), 8), rows };
}

test('Koinly and CoinTracker get what has arrived, with the columns that they read', async () => {
  const { ledger, written } = await files();
  const { rows } = await bought(ledger);
  const arrived = rows.filter(({ state }) => state === 'settled');
  expect([arrived.length > 2, rows.length > arrived.length]).toEqual([true, true]);
  const [koinly = '', ...trades] = (await written('koinly')).trimEnd().split('\r\n');
  expect(koinly).toBe(
    'Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Fee Amount,Fee Currency,Net Worth Amount,Net Worth Currency,Label,Description,TxHash',
  );
  expect(trades).toHaveLength(arrived.length);
  expect(new Set(trades.map((line) => line.split(',').at(-1))).size).toBe(trades.length);
  expect(trades[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d,\d+\.\d\d,GTQ,0\.\d{8},BTC,,,,,,/);
  const [cointracker, ...others] = (await written('cointracker')).trimEnd().split('\r\n');
  expect(cointracker).toBe(
    'Date,Received Quantity,Received Currency,Sent Quantity,Sent Currency,Fee Amount,Fee Currency,Tag',
  );
  expect(others).toHaveLength(arrived.length);
  expect(others[0]).toMatch(/^\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d,0\.\d{8},BTC,\d+\.\d\d,GTQ,,,$/);
});

/** In CI they have to be there. */
const isThere = (command: string) =>
  process.env.CI !== undefined || spawnSync(command, ['--version']).error === undefined;

const kept = (name: string, text: string) => {
  const file = join(mkdtempSync(join(tmpdir(), 'aio-dca-journal-')), name);
  writeFileSync(file, text);
  return file;
};

test.skipIf(!isThere('hledger'))('hledger reads the journal, and has the same sums', async () => {
  const { ledger, written } = await files();
  const { fiat, btc } = await bought(ledger);
  const file = kept('alice.journal', await written('hledger'));
  const run = (...args: string[]) => execFileSync('hledger', ['-f', file, ...args], { encoding: 'utf8' });
  run('check');
  expect(run('balance', 'assets:bitcoin', '-N')).toMatch(new RegExp(`\\b${btc} BTC`));
  expect(run('balance', 'assets:aio-dca', '-N')).toMatch(new RegExp(`-${fiat} GTQ`));
  // What has not arrived yet is pending.
  expect(run('balance', 'assets:bitcoin', '-N', '--pending')).toContain('BTC');
});

test.skipIf(!isThere('bean-check'))('beancount reads the journal', async () => {
  const { written } = await files();
  const { stdout, stderr, status } = spawnSync(
    'bean-check',
    [kept('a.beancount', await written('beancount'))],
    {
      encoding: 'utf8',
    },
  );
  expect([stdout, stderr, status]).toEqual(['', '', 0]);
});
