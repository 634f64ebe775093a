import { sql } from 'kysely';
import type { Config } from '../config/config.ts';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { JudgingConfig } from '../judging/judging.ts';
import { creditsIn, holdCredit, sendCredit } from '../ledger/credits/credits.ts';
import { intendCredits } from '../ledger/credits/plan.ts';
import { accountFor } from '../ledger/credits/source-wallet.ts';
import { type Act, record, type Who } from '../ledger/log/log.ts';
import { anyOpenPayment } from '../ledger/payouts/open-payouts.ts';
import { endAllAccess } from '../ledger/people/end-all-access.ts';
import { type Lost, putBack, type RecoverReport } from '../ledger/recover/recover.ts';
import { letBe } from '../ledger/runs/claims.ts';
import { type Run, withLease } from '../ledger/runs/lease.ts';
import { placeholderRun } from '../ledger/runs/runs.ts';
import type { Db, Ledger, Trx } from '../ledger/store/open.ts';
import { boundSourceWallet } from '../ledger/wallets/wallets.ts';
import { field, message } from '../lib/message.ts';
import { openSourceWallet } from '../payouts/session.ts';
import { paidByAnotherCopy } from '../payouts/source-wallet.ts';
import { LARGEST_CREDIT } from '../payouts/top-up.ts';
import { type ReadAhead, readAhead } from '../scheduler/dry-run.ts';
import { type JudgedRow, readCashOuts } from '../scheduler/read.ts';
import { add, noRunTotals } from '../scheduler/report.ts';
import { bind, readingOf } from '../scheduler/setup.ts';
import { type FoundPayments, findLost } from './unknown-payments.ts';

/** What is needed to read a Lamassu, and to divide what it shows. */
type ReplayConfig = JudgingConfig & Pick<Config, 'timezone' | 'allocation'>;

/** The settings of the replay, and of the wallets that paid. */
type RecoverConfig = ReplayConfig & Pick<Config, 'lnbits' | 'payouts'>;

export interface RecoverDeps {
  ledger: Ledger;
  config: RecoverConfig;
  /** The sources of the other Lamassu servers of this ledger: payouts are for the cash-outs of all of them. */
  otherConfigs: ReplayConfig[];
  who: Who;
  /** Admin keys of wallets that paid before the present source wallet. */
  formerKeys: Secret[];
  /** Whether to book what does not fit as held, by the operator's reason; otherwise then nothing is written. */
  hold: boolean;
  /**
   * The operator declares that former source wallets that are gone paid nothing unknown; otherwise each has to be read.
   */
  withoutFormer: boolean;
}

/**
 * Enters into an older copy of the ledger what LNbits shows as paid since. It reads Lamassu again, as a run would,
 * and forms the same payouts of the same cash-outs. All of that is one transaction, which is written only if every
 * payment fits to the sat; until then no run pays (`ledger/restored`). With `dryRun` it only reports.
 *
 * Errors: those of Lamassu, of LNbits and of the ledger, and `ledger/wallet-differs` if the ledger is bound to a
 * wallet that no key was given for.
 */
export async function recover(deps: RecoverDeps, dryRun: boolean): Promise<RecoverReport> {
  if (dryRun) return recoverWith(deps, null);
  return withLease(deps.ledger, { kind: 'recover', who: deps.who }, async (run) => {
    const report = await recoverWith(deps, run);
    const { payments, cashOuts, misfits, claims } = report;
    const at = deps.ledger.clock.now();
    if (misfits.length === 0) await run.write((trx) => endAllAccess(trx, { ...run.who, run: run.id, at }));
    await run.finish(misfits.length > 0 ? 'attention' : 'ok', { payments, cash_outs: cashOuts, claims });
    return report;
  });
}

async function recoverWith(deps: RecoverDeps, run: Run | null): Promise<RecoverReport> {
  const { ledger, config } = deps;
  const keys = [config.lnbits.sourceWalletKey, ...deps.formerKeys];
  const found: FoundPayments = { lost: [], paid: new Set(), misfits: [], claims: [], foreign: 0 };
  const opened: string[] = [];
  for (const key of keys) {
    const wallet = await openSourceWallet(config.lnbits, key, ledger.clock);
    try {
      opened.push(wallet.sourceWallet.walletId);
      await findLost(deps, wallet, found, run !== null);
    } finally {
      await wallet.lnbits.close();
    }
  }
  if (!deps.withoutFormer) await refuseOtherWallet(ledger.db, opened);
  await refuseOtherPayments(deps, found);
  const { lost, misfits, claims, foreign } = found;
  const wallet = opened[0] ?? '';
  if (lost.length === 0) {
    if (run && misfits.length === 0) {
      await run.write(async (trx) => {
        const act = { ...run.who, run: run.id, at: ledger.clock.now() };
        await letClaimsBe(trx, act, found);
        await answerForFormer(trx, act, deps, wallet);
      });
    }
    return {
      ...{ payments: misfits.length, cashOuts: 0, restored: [], heldCredits: 0, misfits },
      ...{ claims: claims.length, foreign, accounted: accounts(deps) },
    };
  }

  const rows: RowWithLamassu[] = [];
  for (const one of [config, ...deps.otherConfigs]) {
    const problems: BridgeError[] = [];
    const read = await readAhead({ ledger, config: one }, problems);
    if (!read) throw problems[0];
    const from = { config: one, now: read.now, systemIdentifier: read.systemIdentifier };
    for (const judged of read.pages.flat()) rows.push({ judged, from });
  }
  rows.sort((a, b) => compare(timeOf(a), timeOf(b)));
  const book = (trx: Trx, order: RowWithLamassu[]) => replay(trx, deps, run, { ...found, wallet }, order);
  // The division depends on the order in which cash-outs were distributed: by their time, unless some came late.
  for (const order of [rows, inOrderOfPayment(rows, lost)]) {
    const report = await ledger.dryRun((trx) => book(trx, order));
    if (report.misfits.length > 0) continue;
    return run ? run.write((trx) => book(trx, order)) : report;
  }
  return ledger.dryRun((trx) => book(trx, rows));
}

/** Distributes Lamassu's cash-outs and books the payments, in one transaction that the caller may roll back. */
async function replay(
  trx: Trx,
  deps: RecoverDeps,
  run: Run | null,
  found: FoundPayments & { wallet: string },
  rows: RowWithLamassu[],
): Promise<RecoverReport> {
  const { config, hold } = deps;
  const { clock } = deps.ledger;
  const { lost, paid, misfits, wallet, claims, foreign } = found;
  const at = clock.now();
  const id = run?.id ?? (await placeholderRun(trx, { ...deps.who, at }, 'recover'));
  const who = { ...deps.who, run: id };
  const act = { ...who, at };
  const totals = noRunTotals();
  for (const { from, pages } of pagesOf(rows)) {
    const { mark } = await bind(trx, from.config.lamassu, from, at);
    const reading = {
      ...readingOf(from.config, { db: trx, clock }, (work) => inSavepoint(trx, work), mark, who),
      onCashOut: (...what: [Parameters<typeof add>[1], Parameters<typeof add>[2]]) => add(totals, ...what),
      signal: new AbortController().signal,
    };
    await readCashOuts(reading, from.now, pages);
  }
  const { maximumSats } = config.payouts;
  const booked = await putBack(trx, lost, { act, maximumSats, paid, hold });
  const largest = maximumSats < LARGEST_CREDIT ? maximumSats : LARGEST_CREDIT;
  await letClaimsBe(trx, act, found);
  await answerForFormer(trx, act, deps, wallet);
  const heldCredits = config.lnbits.creditSource ? await doubtCredits(trx, act, { wallet, largest }) : 0;
  await record(trx, act, {
    action: 'ledger recover',
    subject: 'ledger',
    after: { payments: lost.length, payouts: booked.restored.length, cash_outs: totals.cashOuts },
  });
  return {
    payments: lost.length + misfits.length,
    cashOuts: totals.cashOuts,
    restored: booked.restored,
    heldCredits,
    misfits: [...misfits, ...booked.misfits],
    claims: claims.length,
    foreign,
    accounted: accounts(deps),
  };
}

/**
 * By recovering, the operator declares that no other copy is in use any more. The next run waits for what that copy may
 * still have sent.
 */
async function letClaimsBe(trx: Trx, act: Act & { run: bigint }, { claims }: FoundPayments): Promise<void> {
  if (claims.length === 0) return;
  const { at, run } = act;
  await letBe(trx, claims, run, at);
  const after = { runs: claims.map(({ who }) => who) };
  await record(trx, act, { action: 'claims let be', subject: 'ledger', after });
}

/** Records that the former source wallets were read, or that the operator says that they are gone. */
async function answerForFormer(trx: Trx, act: Act, deps: RecoverDeps, wallet: string): Promise<void> {
  if (accounts(deps)) await accountFor(trx, act, wallet);
}

function accounts({ formerKeys, withoutFormer }: RecoverDeps): boolean {
  return formerKeys.length > 0 || withoutFormer;
}

/**
 * Every payment in a client's wallet that another copy of the ledger sealed has to be in one of the source wallets
 * that were read. The operator cannot override that.
 */
async function refuseOtherPayments(deps: RecoverDeps, { lost, misfits }: FoundPayments): Promise<void> {
  const { ledger, config } = deps;
  if (!accounts(deps)) return;
  const { lnbits, sourceWallet, looksArePure } = await openSourceWallet(
    config.lnbits,
    config.lnbits.sourceWalletKey,
    ledger.clock,
  );
  try {
    // Before LNbits 1.4, reading the clients' wallets would change open invoices.
    if (!looksArePure && (await anyOpenPayment(ledger.db))) return;
    const shown = await paidByAnotherCopy(ledger, { lnbits, sourceWallet });
    const found = [...lost.map(({ hash }) => hash), ...misfits.map(({ hash }) => hash)];
    const other = shown.find(({ hash }) => !found.includes(hash));
    if (!other) return;
    throw new BridgeError(
      'ledger/restored',
      `LNbits shows payment ${other.hash} of this ledger (${other.extra.payout} for ${other.extra.client}) in wallet ${other.walletId}, and none of the source wallets that were looked at shows it`,
      message`Another source wallet paid it. Give its admin key, too: ${field('former_wallet_key')} (it may be given again).`,
    );
  } finally {
    await lnbits.close();
  }
}

/**
 * Credits carry no label, so it is not known which of them the lost ledger had made. Those for unpaid cash-outs are
 * held: the operator finds them in LNbits, or lets a run make them. Answers their number.
 */
async function doubtCredits(
  trx: Trx,
  act: Act,
  options: { wallet: string; largest: bigint },
): Promise<number> {
  await intendCredits(trx, act, options);
  const credits = await creditsIn(trx, ['intended']);
  const because = 'the ledger was restored: LNbits may have credited this already';
  for (const credit of credits)
    await holdCredit(trx, act, await sendCredit(trx, credit, [], act.at), because);
  return credits.length;
}

/** A failure of one row must not spoil the transaction for the next. */
async function inSavepoint<T>(trx: Trx, work: (trx: Trx) => Promise<T>): Promise<T> {
  await sql`savepoint row`.execute(trx);
  try {
    const result = await work(trx);
    await sql`release savepoint row`.execute(trx);
    return result;
  } catch (error) {
    await sql`rollback to savepoint row`.execute(trx);
    throw error;
  }
}

const PAGE = 500;

/** A row, with its Lamassu. */
interface RowWithLamassu {
  judged: JudgedRow;
  from: Pick<ReadAhead, 'now' | 'systemIdentifier'> & { config: ReplayConfig };
}

/** Groups consecutive rows of the same Lamassu, in their order. */
function pagesOf(rows: RowWithLamassu[]): { from: RowWithLamassu['from']; pages: JudgedRow[][] }[] {
  const series: { from: RowWithLamassu['from']; pages: JudgedRow[][] }[] = [];
  for (const { judged, from } of rows) {
    if (series.at(-1)?.from !== from) series.push({ from, pages: [] });
    const pages = series.at(-1)?.pages ?? [];
    const page = pages.at(-1);
    if (page && page.length < PAGE) page.push(judged);
    else pages.push([judged]);
  }
  return series;
}

/** Rows that were never confirmed are not distributed, and come last. */
function timeOf({ judged: { row } }: RowWithLamassu): string {
  return row.confirmed_at ?? '~';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Cash-outs in the order of their payments: what was paid first was distributed first. Unpaid ones follow in their
 * own order.
 */
function inOrderOfPayment(rows: RowWithLamassu[], lost: Lost[]): RowWithLamassu[] {
  const rank = new Map<string, number>();
  for (const [index, { cashOuts }] of lost.toSorted((a, b) => (a.at < b.at ? -1 : 1)).entries())
    for (const id of cashOuts) rank.set(id, Math.min(index, rank.get(id) ?? index));
  const rankOf = ({ judged: { row } }: RowWithLamassu) => rank.get(row.id) ?? lost.length;
  return rows.toSorted((a, b) => rankOf(a) - rankOf(b));
}

async function refuseOtherWallet(db: Db, opened: string[]): Promise<void> {
  const bound = await boundSourceWallet(db);
  if (bound === null || opened.includes(bound)) return;
  throw new BridgeError(
    'ledger/wallet-differs',
    `this copy of the ledger paid from wallet ${bound}, and the configuration names ${opened[0]}`,
    message`Give the admin key of that wallet, too: ${field('former_wallet_key')}. If that wallet is gone and no older copy of the ledger was restored, declare that with ${field('without_former_wallet')} and a reason.`,
  );
}
