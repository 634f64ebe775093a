import { sql } from 'kysely';
import { Gauge, Registry } from 'prom-client';
import { formatDecimal } from '../dca/money.ts';
import { missing } from '../ledger/owed.ts';
import { lastPoll } from '../ledger/runs/runs.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import { sumOf } from '../ledger/store/sum.ts';
import { type Instant, toMs } from '../time.ts';
import { type OverviewConfig, overview, shortSats } from './overview.ts';
import { sourceWalletBalance } from './source-wallet-balance.ts';

interface Sample {
  labels?: Record<string, string>;
  value: number | bigint;
}

/** The values of `runs.outcome`. */
const OUTCOMES = ['ok', 'attention', 'incomplete', 'refused', 'stopped', 'failed', 'died'];
const STATES = ['planned', 'paying', 'deferred', 'unknown', 'held', 'settled'];

/** Several registries as one Prometheus text. */
export async function together(registries: Registry[]): Promise<string> {
  return await Registry.merge(registries).metrics();
}

/**
 * The ledger and the source wallet in numbers, for Prometheus: times in seconds since 1970, sats, and cash in whole
 * units of its currency. No label names a client, a wallet or a key. LNbits tells the balance, with a short deadline;
 * if it does not answer, the balance is left out. Throws what reading the ledger throws.
 */
export async function ledgerMetrics(
  ledger: Ledger,
  config: OverviewConfig,
  version: string,
): Promise<Registry> {
  const { db, clock } = ledger;
  const at = clock.now();
  const balance = sourceWalletBalance(config.lnbits, clock);
  const view = await overview(ledger, config, at);
  const { status, waiting } = view;
  const { owed, attention, totals, mark } = status;
  const last = await lastPoll(db, config.lamassu.name);
  const sourceWallet = await balance;
  const short = shortSats(view, sourceWallet);

  const registry = new Registry();
  const add = (name: string, help: string, ...samples: Sample[]) => {
    // A sample of 0 would be a value that nobody measured.
    if (samples.length === 0) return;
    const labelNames = [...new Set(samples.flatMap(({ labels = {} }) => Object.keys(labels)))];
    const gauge = new Gauge({ name: `aio_dca_${name}`, help, labelNames, registers: [registry] });
    for (const { labels = {}, value } of samples) gauge.set(labels, Number(value));
  };
  const flag = (is: boolean) => (is ? 1 : 0);

  add('info', 'Always 1: the program and its ledger.', { labels: { version, ledger: ledger.id }, value: 1 });
  add(
    'last_success_timestamp_seconds',
    'When a run last read Lamassu to its end, and reached LNbits where it had to; 0: never.',
    {
      value: seconds(status.lastSuccessAt),
    },
  );
  add('mark_timestamp_seconds', 'Time of the newest cash-out that was read; 0: none.', {
    value: seconds(mark?.confirmedAt ?? null),
  });
  add(
    'mark_age_seconds',
    'Seconds since the newest cash-out that was read; grows while there are no cash-outs.',
    ...(mark ? [{ value: between(mark.confirmedAt, at) }] : []),
  );
  if (last) {
    add('last_run_timestamp_seconds', 'When the last run ended.', { value: seconds(last.finishedAt) });
    add('last_run_duration_seconds', 'How long the last run took.', {
      value: between(last.startedAt, last.finishedAt),
    });
    add(
      'last_run_outcome',
      '1 for the way in which the last run ended.',
      ...OUTCOMES.map((outcome) => ({ labels: { outcome }, value: flag(outcome === last.outcome) })),
    );
    add(
      'last_run_problems',
      'What went wrong in the last run, by error code.',
      ...[...last.problems].map(([code, value]) => ({ labels: { code }, value })),
    );
  }
  add('owed_sats', 'Everything allocated and not settled yet.', { value: owed.sats });
  add('waiting_sats', 'The part of it that is not due yet.', { value: waiting });
  const payouts = await payoutsByState(db);
  add('payouts', 'Payouts by state.', ...payouts.map(({ labels, count }) => ({ labels, value: count })));
  add('payout_sats', 'Their sats.', ...payouts.map(({ labels, sats }) => ({ labels, value: sats })));
  add('review_rows', 'Rows of Lamassu that wait for the operator.', { value: attention.review });
  add(
    'attention',
    'What needs the operator, by reason.',
    ...Object.entries({ ...attention, ...(short !== null && { short_sats: short }) }).map(
      ([reason, value]) => ({ labels: { reason }, value: Number(value) }),
    ),
  );
  add('paused', '1: paying is paused, recording goes on.', { value: flag(status.paused !== null) });
  add('remaining_fiat', "Clients' cash that can still go out.", ...(await remainingCash(db)));
  add('cash_outs', 'Cash-outs processed so far.', { value: totals.cashOuts });
  add(
    'cash_out_sats',
    'Their sats: all of them, and how they were divided.',
    ...[
      { labels: { part: 'gross' }, value: totals.gross },
      { labels: { part: 'commission' }, value: totals.commission },
      { labels: { part: 'net' }, value: totals.net },
      { labels: { part: 'own' }, value: totals.own },
      { labels: { part: 'undelivered' }, value: totals.undelivered },
    ],
  );
  add('settled_sats', 'What has arrived so far.', { value: totals.settled });
  add('service_fee_sats', 'What LNbits took on top of it so far.', {
    value: (totals.feeMsat + 999n) / 1000n,
  });
  add('lnbits_up', '1: LNbits told the balance of the source wallet.', {
    value: flag('balance' in sourceWallet),
  });
  if ('balance' in sourceWallet) {
    const { toCome } = status.credits;
    add('source_wallet_balance_sats', 'What the source wallet holds.', { value: sourceWallet.balance });
    add('source_wallet_short_sats', 'What it lacks for all that is owed.', {
      value: missing(owed.sats, {
        balance: sourceWallet.balance,
        toCome,
        fee: status.fee,
        wantsMore: status.wantsMore,
      }),
    });
  }
  return registry;
}

function between(from: Instant, to: Instant): number {
  return (toMs(to) - toMs(from)) / 1000;
}

function seconds(instant: Instant | null): number {
  return instant === null ? 0 : toMs(instant) / 1000;
}

/** Every state and kind, also with a count of 0: a rule on a missing sample would never fire. */
async function payoutsByState(db: Db) {
  const rows = await db
    .selectFrom('payouts')
    .select((eb) => [
      'state',
      'kind',
      eb.fn.countAll<bigint>().as('count'),
      eb.cast<bigint>(eb.fn.sum('sats'), 'bigint').as('sats'),
    ])
    .groupBy(['state', 'kind'])
    .execute();
  return STATES.flatMap((state) =>
    ['client', 'commission'].map((kind) => {
      const row = rows.find((one) => one.state === state && one.kind === kind);
      return { labels: { state, kind }, count: row?.count ?? 0n, sats: row?.sats ?? 0n };
    }),
  );
}

/** For each currency in which clients ever gave cash, even if none is left. */
async function remainingCash(db: Db) {
  const rows = await db
    .selectFrom('fundings')
    .innerJoin('currencies', 'currencies.code', 'fundings.currency')
    .select([
      'currency',
      'digits',
      sumOf(sql`case when status = 'deposited' then remaining else 0 end`).as('remaining'),
    ])
    .groupBy(['currency', 'digits'])
    .execute();
  return rows.map(({ currency, digits, remaining }) => ({
    labels: { currency },
    value: Number(formatDecimal(remaining, Number(digits))),
  }));
}
