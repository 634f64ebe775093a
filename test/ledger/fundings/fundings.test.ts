import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import { ingest } from '../../../src/ledger/cash-outs/ingest.ts';
import { addClient } from '../../../src/ledger/clients/changes.ts';
import { closeClient } from '../../../src/ledger/clients/close.ts';
import {
  addFunding,
  cancelFunding,
  confirmFunding,
  type NewFunding,
  withdrawFunding,
} from '../../../src/ledger/fundings/fundings.ts';
import { historyOf } from '../../../src/ledger/fundings/history.ts';
import type { PastChoice } from '../../../src/ledger/fundings/late.ts';
import { listFundings } from '../../../src/ledger/fundings/view.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { machinesInUse } from '../../../src/ledger/machines/machines.ts';
import { seeMachines } from '../../../src/ledger/machines/register.ts';
import { machineViews } from '../../../src/ledger/machines/view.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { type Instant, plus } from '../../../src/time.ts';
import { bootless, now } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';
import { nextMoment } from '../../support/payday.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };

function ago(ms: number): Instant {
  return plus(now(), -ms);
}

async function withClients(open: () => Promise<Ledger>): Promise<Ledger> {
  const ledger = await open();
  const limits = [{ currency: 'GTQ', digits: 2, daily: 50_000n }];
  for (const [name, mode] of [
    ['alice', 'flow'],
    ['bob', 'fixed'],
  ] as const) {
    const wallet = { id: `wallet-of-${name}`, key: new Secret('key') };
    await ledger.write((trx) =>
      addClient(trx, { ...who, at: now() }, { name, wallet, mode, limits: mode === 'fixed' ? limits : [] }),
    );
  }
  return ledger;
}

/** Cash of 100.00 GTQ of alice that is in any machine for a minute; `funding` says what is different. */
function fund(
  ledger: Ledger,
  { minor = 10_000n, currency = 'GTQ', ...funding }: Partial<NewFunding> & Amount = {},
) {
  const amount = { minor, currency, digits: 2 };
  const usual = { client: 'alice', amount, machine: null, rate: null, depositedAt: ago(60_000) };
  return ledger.write((trx) => addFunding(trx, { ...who, at: now() }, { ...usual, ...funding }));
}
interface Amount {
  minor?: bigint;
  currency?: string;
}

function confirm(ledger: Ledger, id: bigint, depositedAt: Instant, past?: PastChoice) {
  return ledger.write((trx) =>
    confirmFunding(trx, { ...who, at: now() }, id, { depositedAt, counted: null, past }),
  );
}

function cancel(ledger: Ledger, id: bigint) {
  return ledger.write((trx) => cancelFunding(trx, { ...who, reason: 'lost', at: now() }, id));
}

function withdraw(ledger: Ledger, id: bigint, minor: bigint | null, currency = 'GTQ') {
  const amount = minor === null ? null : { minor, currency };
  return ledger.write((trx) => withdrawFunding(trx, { ...who, at: now(), reason: 'asked for' }, id, amount));
}

function cashOut(ledger: Ledger, id: string, fiat: bigint, machine = 'm1', confirmedAt = ago(1_000)) {
  const row = {
    id,
    source: 'lamassu',
    machine,
    confirmedAt,
    currency: 'GTQ',
    digits: 2,
    fiat,
    distributed: fiat,
  };
  return ledger.write((trx) =>
    ingest(
      trx,
      { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless, at: now() },
      { ...row, commission: 0n, undelivered: 0n, method: 'ticker', lamassu: {} },
      {
        timezone: 'UTC',
        priority: 'shared',
        origin: 'lamassu',
      },
    ),
  );
}

function knowMachine(ledger: Ledger, id: string, name: string | null = null) {
  return ledger.write((trx) => seeMachines(trx, { ...who, at: now() }, [{ deviceId: id, name }], 'lamassu'));
}

forEachLedger((_kind, open) => {
  describe('a funding', () => {
    test('on its way, confirmed, spent in part, withdrawn: its amounts always add up', async () => {
      const ledger = await withClients(open);
      const { funding } = await fund(ledger, { depositedAt: null, rate: 5_000n });
      expect(funding).toMatchObject({ id: 1n, status: 'in_flight', deposited_at: null, rate: 5_000n });
      await confirm(ledger, 1n, ago(30_000));
      await cashOut(ledger, 'one', 2_500n);
      expect(await withdraw(ledger, 1n, 500n)).toMatchObject({
        status: 'deposited',
        remaining: 7_000n,
        spent: 2_500n,
        withdrawn: 500n,
      });
      expect(await withdraw(ledger, 1n, null)).toMatchObject({
        status: 'withdrawn',
        remaining: 0n,
        spent: 2_500n,
        withdrawn: 7_500n,
      });
    });

    test('has a history with every change, by whom and why, and what each cash-out took', async () => {
      const ledger = await withClients(open);
      await fund(ledger, { depositedAt: null });
      await confirm(ledger, 1n, ago(30_000));
      await cashOut(ledger, 'one', 2_500n);
      await nextMoment();
      const last = await withdraw(ledger, 1n, 500n);
      const history = await historyOf(ledger.db, last);
      expect(history).toMatchObject([
        { action: 'funding add', actor: 'dora', before: null, after: { status: 'in_flight' } },
        { action: 'funding confirm', before: { status: 'in_flight' }, after: { status: 'deposited' } },
        { action: 'spent', cash_out: 'one', fiat: '25.00', net_sats: 2_500n, payout: null, settled: false },
        {
          action: 'funding withdraw',
          reason: 'asked for',
          before: { remaining: '75.00', withdrawn: '0.00' },
          after: { remaining: '70.00', withdrawn: '5.00' },
        },
      ]);
    });

    test('on its way can be cancelled, but not withdrawn; one in the machine the other way round', async () => {
      const ledger = await withClients(open);
      await fund(ledger, { depositedAt: null });
      await fund(ledger);
      await expect(withdraw(ledger, 1n, null)).rejects.toThrow('f1 is in flight');
      await expect(cancel(ledger, 2n)).rejects.toThrow('f2 is deposited');
      await expect(confirm(ledger, 2n, now())).rejects.toThrow('f2 is deposited');
      expect(await cancel(ledger, 1n)).toMatchObject({
        status: 'cancelled',
        remaining: 0n,
        deposited_at: null,
      });
      await expect(cancel(ledger, 1n)).rejects.toThrow('f1 is cancelled');
      await expect(cancel(ledger, 9n)).rejects.toThrow('there is no funding f9');
    });

    test('gives back no more than remains, and only in its own currency', async () => {
      const ledger = await withClients(open);
      await fund(ledger);
      await expect(withdraw(ledger, 1n, 10_001n)).rejects.toThrow(
        '100.01 GTQ is more than the 100.00 GTQ that remain of f1',
      );
      await expect(withdraw(ledger, 1n, 1n, 'USD')).rejects.toThrow('f1 is cash in GTQ, not in USD');
      expect(await listFundings(ledger.db)).toMatchObject([{ remaining: 10_000n, withdrawn: 0n }]);
    });

    test('is refused with a time in the future, for a client who cannot use it, and for an unknown client', async () => {
      const ledger = await withClients(open);
      const future = plus(now(), 3_600_000);
      await expect(fund(ledger, { depositedAt: future })).rejects.toThrow('is in the future');
      await fund(ledger, { depositedAt: null });
      await expect(confirm(ledger, 1n, future)).rejects.toThrow('is in the future');
      await expect(fund(ledger, { client: 'bob', currency: 'USD' })).rejects.toThrow(
        'bob is a fixed client without a daily limit in USD',
      );
      await expect(fund(ledger, { client: 'carol' })).rejects.toThrow('there is no client "carol"');
      await ledger.write((trx) => closeClient(trx, { ...who, at: now() }, 'bob'));
      await expect(fund(ledger, { client: 'bob' })).rejects.toThrow('bob is closed');
      expect(await listFundings(ledger.db)).toHaveLength(1);
    });
  });

  describe('the machine of a funding', () => {
    test('has to be given as soon as there are two', async () => {
      const ledger = await withClients(open);
      expect(await fund(ledger, { machine: undefined })).toMatchObject({ funding: { machine: null } });
      await knowMachine(ledger, 'm1', 'Antigua');
      expect(await fund(ledger, { machine: undefined })).toMatchObject({ funding: { machine: null } });
      await knowMachine(ledger, 'm2');
      await expect(fund(ledger, { machine: undefined })).rejects.toMatchObject({
        message: expect.stringContaining('there are 2 machines'),
        hint: expect.toSatisfy((hint) => /Antigua \(m1\).*m2.*any_machine/.test(`${hint}`)),
      });
    });

    test('is known by its device id, or by a name that only one has', async () => {
      const ledger = await withClients(open);
      await knowMachine(ledger, 'm1', 'Antigua');
      await knowMachine(ledger, 'm2', 'Centro');
      await knowMachine(ledger, 'm3', 'Centro');
      expect(await fund(ledger, { machine: 'm2' })).toMatchObject({ funding: { machine: 'm2' } });
      expect(await fund(ledger, { machine: 'Antigua' })).toMatchObject({
        funding: { machine: 'm1', machineName: 'Antigua' },
      });
      await expect(fund(ledger, { machine: 'Centro' })).rejects.toMatchObject({
        message: expect.stringContaining('2 machines are called "Centro"'),
        hint: 'Use the device id: Centro (m2), Centro (m3).',
      });
      await expect(fund(ledger, { machine: 'antigua' })).rejects.toMatchObject({
        message: expect.stringContaining('there is no machine "antigua"'),
        hint: expect.toSatisfy((hint) => /Antigua \(m1\).*doctor/.test(`${hint}`)),
      });
    });

    test('pays out one currency, if that is known', async () => {
      const ledger = await withClients(open);
      await knowMachine(ledger, 'm1');
      await fund(ledger);
      await ledger.db.updateTable('machines').set({ currency: 'GTQ' }).execute();
      await expect(fund(ledger, { machine: 'm1', currency: 'USD' })).rejects.toThrow(
        'm1 pays out GTQ, not USD',
      );
    });

    test('shows the cash that is for it', async () => {
      const ledger = await withClients(open);
      await knowMachine(ledger, 'm1', 'Antigua');
      await knowMachine(ledger, 'm2');
      await fund(ledger, { machine: 'm1' });
      await fund(ledger, { machine: 'm1', minor: 500n });
      await fund(ledger, { machine: 'm1', depositedAt: null });
      await fund(ledger, { minor: 300n });
      await cashOut(ledger, 'one', 1_080n);
      expect(await machineViews(ledger.db, await machinesInUse(ledger.db), now())).toMatchObject([
        {
          deviceId: 'm1',
          remaining: [{ currency: 'GTQ', remaining: 9_450n }],
          remainingAny: [{ remaining: 270n }],
          lastCashOut: expect.any(String),
        },
        { deviceId: 'm2', remaining: [], remainingAny: [{ remaining: 270n }], lastCashOut: null },
      ]);
    });
  });
});
