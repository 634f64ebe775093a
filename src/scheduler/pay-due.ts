import type { Config } from '../config/config.ts';
import { superuserOf } from '../config/superuser.ts';
import { BridgeError, concerns, type ErrorCode } from '../errors.ts';
import { creditsIn } from '../ledger/credits/credits.ts';
import { dropNeedless } from '../ledger/credits/plan.ts';
import { dueGroups, type FormOptions, formPayouts } from '../ledger/payouts/form.ts';
import { notSettled } from '../ledger/payouts/open-payouts.ts';
import { isPaused } from '../ledger/payouts/pause.ts';
import type { Payout } from '../ledger/payouts/payouts.ts';
import type { Run } from '../ledger/runs/lease.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import type { PayoutState } from '../ledger/store/schema.ts';
import { FellOver } from '../lnbits/answer.ts';
import { recheckDead } from '../payouts/late-payments.ts';
import { type Paid, payAll } from '../payouts/pay.ts';
import { refuseOtherLedger, refuseUnsafeSourceWallet } from '../payouts/preflight.ts';
import { openSourceWallet, type PayContext } from '../payouts/session.ts';
import { type Crediting, creditSource } from '../payouts/top-up.ts';
import { type FormConfig, formOptions } from './due.ts';

export interface PayReport extends Record<Exclude<PayoutState, 'settled' | 'paying'>, number> {
  settled: number;
  satsSettled: bigint;
  /** The sats that were credited to the source wallet. */
  satsCredited: bigint;
  /** Whether LNbits answered for as long as there was something to pay. A payout that it refuses is an answer. */
  reached: boolean;
}

const OF_PAYOUTS: readonly ErrorCode[] = ['lnbits/refused', 'lnbits/balance', 'payout/wallet-unseen'];

const NOT_THE_LEDGER: readonly ErrorCode[] = ['ledger/restored', 'ledger/in-use-elsewhere'];

/** Problems of single payouts: LNbits was reached nevertheless. */
function isOfPayout({ code, cause }: BridgeError): boolean {
  return OF_PAYOUTS.includes(code) || cause instanceof FellOver;
}

interface PayDeps {
  ledger: Ledger;
  config: FormConfig & Pick<Config, 'lnbits'>;
  run: Run;
  signal: AbortSignal;
  problems: BridgeError[];
  /** Called with the milliseconds that the run waits because LNbits takes no more requests for now. */
  onWait?: ((ms: number) => void) | undefined;
  /** Called with each payout that this run settles. */
  onPaid?: ((payout: Payout) => void) | undefined;
  /** The rules for what is due; by default those of the configuration at this moment. */
  form?: FormOptions;
}

/**
 * The paying half of a run. LNbits is asked only if something is open or due, or could not be credited, and paying is
 * not paused. Once it has answered and the source wallet is what the ledger expects, that wallet is credited if the
 * configuration says so, and what is due is formed into payouts and paid. Before and after, credits that are no longer
 * needed are dropped.
 */
export async function pay(deps: PayDeps): Promise<PayReport> {
  const { ledger, config, run, signal, problems } = deps;
  const form = deps.form ?? formOptions(config, run.id, ledger.clock.now());
  const paid: Paid = { settled: 0, satsSettled: 0n, stopped: false };
  let satsCredited = 0n;
  const refused = problems.some(isNotTheLedger);
  let reached = !refused;
  if (!refused) await dropNeedlessCredits(run, ledger);
  if (!signal.aborted && !refused && (await somethingToPay(ledger.db, form, config.lnbits.creditSource))) {
    let opened: PayContext | undefined;
    try {
      opened = await openContext(deps);
      const ctx = opened;
      await refuseUnsafeSourceWallet(ctx);
      await recheckDead(ctx);
      if (!signal.aborted) {
        satsCredited = await creditSource(ctx, crediting(config));
        await run.write((trx) => formPayouts(trx, form));
        Object.assign(paid, await payAll(ctx));
      }
    } catch (error) {
      if (!concerns(error, 'payouts')) throw error;
      problems.push(error);
      reached = false;
    } finally {
      const met = [...(opened?.problems.values() ?? [])];
      problems.push(...met);
      if (!met.every(isOfPayout)) reached = false;
      await opened?.lnbits.close();
    }
    await dropNeedlessCredits(run, ledger);
  }
  return {
    settled: paid.settled,
    satsSettled: paid.satsSettled,
    satsCredited,
    reached: reached && !signal.aborted,
    ...(await openByState(ledger.db)),
  };
}

/**
 * Checks, before anything is divided, whether the source wallet shows payments or runs that this ledger does not know;
 * then throws `ledger/restored` or `ledger/in-use-elsewhere`. Recording does not need LNbits, so any other problem is
 * answered, and left to the paying half.
 */
export async function checkBeforeRecording(deps: Omit<PayDeps, 'form'>): Promise<BridgeError | null> {
  let opened: PayContext | undefined;
  try {
    opened = await openContext(deps);
    await refuseOtherLedger(opened);
    return null;
  } catch (error) {
    if (!concerns(error, 'payouts') || isNotTheLedger(error)) throw error;
    return error;
  } finally {
    await opened?.lnbits.close();
  }
}

/** An older copy of the ledger was restored, or another one is in use: this one divides and pays nothing. */
export function isNotTheLedger(error: unknown): error is BridgeError {
  return error instanceof BridgeError && NOT_THE_LEDGER.includes(error.code);
}

async function dropNeedlessCredits(run: Run, { db, clock }: Ledger): Promise<void> {
  if ((await creditsIn(db, ['intended'])).length > 0)
    await run.write((trx) => dropNeedless(trx, { ...run.who, at: clock.now() }));
}

async function somethingToPay(db: Db, form: FormOptions, creditsSource: boolean): Promise<boolean> {
  if (await isPaused(db)) return false;
  const open = await db
    .selectFrom('payouts')
    .select('id')
    .where(notSettled)
    .where('state', '<>', 'held')
    .limit(1)
    .executeTakeFirst();
  if (open !== undefined) return true;
  // With crediting on, a credit that is still needed but could not be made is tried again, or the run says why not.
  const unfinished = await creditsIn(db, [
    'sending',
    'unknown',
    ...(creditsSource ? (['intended'] as const) : []),
  ]);
  if (unfinished.length > 0) return true;
  return (await dueGroups(db, form)).length > 0;
}

/** Null if it is off. */
function crediting({ lnbits, payouts }: Pick<Config, 'lnbits' | 'payouts'>): Crediting | null {
  return !lnbits.creditSource
    ? null
    : { lnbits, superuser: () => superuserOf(lnbits), maximumSats: payouts.maximumSats };
}

async function openContext({ ledger, config, run, signal, onWait, onPaid }: PayDeps): Promise<PayContext> {
  const { dailyCeilingSats: sats, maximumSats } = config.payouts;
  const { clock } = ledger;
  return {
    ...(await openSourceWallet(config.lnbits, config.lnbits.sourceWalletKey, clock)),
    ledger,
    run,
    quietMs: config.payouts.quietMs,
    maximumSats,
    began: clock.monotonic(),
    posted: new Map(),
    ceiling: sats === undefined ? null : { sats, timezone: config.timezone },
    signal,
    ...{ onWait, onPaid },
    answered: new Set(),
    problems: new Map(),
  };
}

async function openByState(db: Db): Promise<Pick<PayReport, 'planned' | 'deferred' | 'unknown' | 'held'>> {
  const rows = await db
    .selectFrom('payouts')
    .select(['state', (eb) => eb.fn.countAll<bigint>().as('count')])
    .where(notSettled)
    .groupBy('state')
    .execute();
  const count = (...states: PayoutState[]) =>
    rows.filter((row) => states.includes(row.state)).reduce((total, row) => total + Number(row.count), 0);
  // A payout that is `paying` when the run ends was begun but not finished; for the reader it is still planned.
  return {
    planned: count('planned', 'paying'),
    deferred: count('deferred'),
    unknown: count('unknown'),
    held: count('held'),
  };
}
