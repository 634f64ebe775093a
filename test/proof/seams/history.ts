import { Secret } from '../../../src/config/secret.ts';
import type { Database } from '../../../src/lamassu/database.ts';
import type { LamassuRow } from '../../../src/lamassu/row.ts';
import { sourceOf } from '../../../src/lamassu/source.ts';
import { knownRows, NOTHING_KNOWN } from '../../../src/ledger/cash-outs/known.ts';
import { bindSource, markOf } from '../../../src/ledger/cash-outs/watermark.ts';
import { addClient, pauseClient, setClient } from '../../../src/ledger/clients/changes.ts';
import { addCommission, setCommission } from '../../../src/ledger/commission/commission.ts';
import { addFunding } from '../../../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { setMachine } from '../../../src/ledger/machine-changes.ts';
import { seeMachine } from '../../../src/ledger/machines/register.ts';
import type { Ledger, Trx } from '../../../src/ledger/store/open.ts';
import { readCashOuts } from '../../../src/scheduler/read.ts';
import { pagesToRead } from '../../../src/scheduler/window.ts';
import { type Clock, type Instant, plus } from '../../../src/time.ts';
import { bootless, testClock } from '../../support/clock.ts';
import { type CashOutRow, type Change, type History, MINUTES, machines, names } from './histories.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const SOURCE = 'lamassu';
const MINUTE = 60_000;

/** Three days in which New York's clocks are set back. */
const BEGIN: Instant = '2026-10-30T18:00:00.000000Z';
const TIMEZONE = 'America/New_York';
const USD = { currency: 'USD', digits: 2 };
/** ×10^5. */
const PRICE = 9_000_000_000n;

const when = (minutes: number): Instant => plus(BEGIN, minutes * MINUTE);

/** Lives through a history with runs at these times; answers everything that the ledger then says of the money. */
export async function live(ledger: Ledger, lived: History, { at, page }: History['polls'][number]) {
  await ledger.write((trx) => begin(trx, lived));
  const runs = [...at, MINUTES + 2_000];
  const changes = [...lived.changes];
  for (const run of runs) {
    for (let next = changes[0]; next && next.at <= run; next = changes[0]) {
      const change = next;
      changes.shift();
      await ledger.write((trx) => make(trx, change));
    }
    // The program's clock is that of the run, as in life.
    await read({ ...ledger, clock: testClock(when(run)) }, lived, run, page);
  }
  return books(ledger);
}

async function begin(trx: Trx, { clients, fundings }: History): Promise<void> {
  await bindSource(trx, { name: SOURCE, startAt: BEGIN, systemIdentifier: null }, BEGIN);
  for (const machine of machines) await seeMachine(trx, { ...who, at: BEGIN }, machine, SOURCE);
  for (const [i, { mode, daily }] of clients.entries()) {
    const name = names[i] ?? '';
    const limits = [{ ...USD, daily: BigInt(daily) }];
    await addClient(trx, { ...who, at: BEGIN }, { name, wallet: walletOf(name), mode, limits });
  }
  for (const name of ['operator', 'partner'])
    await addCommission(
      trx,
      { ...who, at: BEGIN },
      { name, wallet: walletOf(name), weight: 1n, machine: null },
    );
  for (const { client, machine, cents, deposited, rate } of fundings) {
    const amount = { ...USD, minor: BigInt(cents) };
    const terms = { client, machine, amount, rate: rate === null ? null : BigInt(rate) };
    await addFunding(trx, { ...who, at: when(MINUTES) }, { ...terms, depositedAt: when(deposited) });
  }
}

function walletOf(name: string) {
  return { id: `wallet of ${name}`, key: new Secret(name) };
}

async function make(trx: Trx, change: Change): Promise<void> {
  const at = when(change.at);
  switch (change.kind) {
    case 'mode':
      await setClient(trx, { ...who, at }, change.client, {
        mode: change.mode,
        limits: [],
        newWallet: false,
      });
      return;
    case 'limit': {
      const limits = [{ ...USD, daily: BigInt(change.daily) }];
      await setClient(trx, { ...who, at }, change.client, { limits, newWallet: false });
      return;
    }
    case 'pause':
      await pauseClient(trx, { ...who, at }, change.client, change.paused);
      return;
    case 'rate': {
      const rate = change.rate === null ? null : BigInt(change.rate);
      await setMachine(trx, { ...who, at }, change.machine, { rate });
      return;
    }
    case 'weight': {
      const { recipient, machine } = change;
      const to = { weight: BigInt(change.weight), machine, newWallet: false };
      await setCommission(trx, { ...who, at }, recipient, to);
    }
  }
}

/** One run's reading, at `minutes`, of what Lamassu shows then. */
async function read(ledger: Ledger, { rows, priority }: History, minutes: number, page: number) {
  const rules = {
    ...{ source: SOURCE, startAt: BEGIN, cashOutAbove: [], currencies: new Map() },
    ...{ method: 'ticker' as const, fallback: 'margin' as const },
  };
  const mark = await markOf(ledger.db, SOURCE);
  const position = { mark, readTo: mark?.confirmedAt ?? null, lastAction: null };
  const source = sourceOf(lamassuAt(rows, ledger.clock, minutes, page), {
    ...{ rules, nothingKnown: NOTHING_KNOWN },
    known: (ids) => knownRows(ledger.db, ids),
  });
  const target = {
    ...{ db: ledger.db, clock: ledger.clock, write: ledger.write, source: SOURCE, mark },
    ingest: {
      timezone: TIMEZONE,
      priority,
      origin: 'lamassu' as const,
    },
    who: { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless },
    onCashOut: () => undefined,
    signal: new AbortController().signal,
  };
  // An overlap of an hour: what is payable later than that is found by its id alone.
  await readCashOuts(
    target,
    source.now,
    pagesToRead(ledger.db, source, { name: SOURCE, startAt: BEGIN, position, overlapMs: 60 * MINUTE }),
  );
}

/** Lamassu as its reader sees it at a moment, in pages of `size` rows. */
function lamassuAt(all: CashOutRow[], clock: Clock, minutes: number, size: number): Database {
  const rows = all.filter(({ confirmed }) => confirmed <= minutes).map((row, i) => rowOf(row, i, minutes));
  return {
    now: when(minutes),
    clocks: { before: clock.host(), after: clock.host() },
    systemIdentifier: null,
    machines: async () => [],
    idsBeginning: async () => [],
    // Nothing here was never confirmed.
    async *confirmedSince(from) {
      const found = rows.filter(({ confirmed_at: at }) => at !== null && at >= from);
      for (let i = 0; i < found.length; i += size) yield found.slice(i, i + size);
    },
    byIds: async (ids) => rows.filter(({ id }) => ids.includes(id)),
    lastAction: async () => null,
    backdatedSince: async () => [],
    withActions: async (rows) => rows.map((row) => ({ ...row, actions: null })),
    check: async () => {
      throw new Error('nobody asks');
    },
    close: async () => undefined,
  };
}

function rowOf(
  { confirmed, payable, machine, fiat, charge }: CashOutRow,
  i: number,
  minutes: number,
): LamassuRow {
  const out = payable <= minutes;
  const principal = (BigInt(fiat) * 1_000n * 100_000_000n) / PRICE;
  const atoms = `${(principal * BigInt(100 + charge)) / 100n + 1n}`;
  const digits = `${fiat}`.padStart(3, '0');
  return {
    id: `00000000-0000-4000-8000-${`${i}`.padStart(12, '0')}`,
    ...{ device_id: machine, crypto_atoms: atoms, received_crypto_atoms: atoms, crypto_code: 'LN' },
    ...{ fiat: `${digits.slice(0, -2)}.${digits.slice(-2)}000`, fiat_code: 'USD', status: 'confirmed' },
    ...{ dispense: `${out}`, dispense_confirmed: `${out}`, redeem: `${!out}`, error: null, error_code: null },
    ...{ created: when(confirmed), confirmed_at: when(confirmed), discount: '0', fixed_fee: null },
    ...{ commission_percentage: '0.05500', raw_ticker_price: '90000.00000' },
  };
}

/** All that is said of the money and of the rows; not when it was written, nor by which run. */
async function books({ db }: Ledger) {
  return {
    mark: await db.selectFrom('sources').select(['mark_confirmed_at', 'mark_id']).execute(),
    cashOuts: await db
      .selectFrom('cash_outs')
      .select([
        'id',
        'machine',
        'confirmed_at',
        'local_date',
        'fiat',
        'gross',
        'commission',
        'net',
        'own',
        'own_fiat',
      ])
      .orderBy('id')
      .execute(),
    allocations: await db
      .selectFrom('allocations')
      .select([
        'cash_out_id',
        'funding_id',
        'client_id',
        'mode',
        'local_date',
        'fiat',
        'gross',
        'commission',
        'net',
      ])
      .orderBy('cash_out_id')
      .orderBy('funding_id')
      .execute(),
    shares: await db
      .selectFrom('commission_shares')
      .select(['cash_out_id', 'recipient_id', 'sats'])
      .orderBy('cash_out_id')
      .orderBy('recipient_id')
      .execute(),
    fundings: await db
      .selectFrom('fundings')
      .select(['id', 'remaining', 'spent', 'status'])
      .orderBy('id')
      .execute(),
    watched: await db.selectFrom('watch').select('cash_out_id').execute(),
  };
}
