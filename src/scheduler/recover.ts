import { sql } from 'kysely';
import type { Config } from '../config/load.ts';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import { letBe } from '../ledger/claims.ts';
import { intendCredits } from '../ledger/credit-plan.ts';
import { creditsIn, holdCredit, sendCredit } from '../ledger/credits.ts';
import { type Run, startRun } from '../ledger/lease.ts';
import { record, type Who } from '../ledger/log.ts';
import type { Db, Ledger, Trx } from '../ledger/open.ts';
import { anyOpenPayment } from '../ledger/open-payouts.ts';
import { type Lost, type Misfit, putBack, type Restored } from '../ledger/recover.ts';
import { boundSourceWallet } from '../ledger/wallets.ts';
import { openSourceWallet } from '../payouts/context.ts';
import { LARGEST_CREDIT } from '../payouts/credit.ts';
import { accountFor, paidByAnotherCopy } from '../payouts/source-wallet.ts';
import { type Instant, now } from '../time.ts';
import { type Found, findLost } from './lost.ts';
import { readCashOuts } from './read.ts';
import { type ReadAhead, readAhead } from './rehearse.ts';
import { add, noTotals } from './report.ts';
import { bind, readingOf } from './setup.ts';

export interface RecoverDeps {
  ledger: Ledger;
  config: Config;
  /** Of the other Lamassu servers of this ledger: payouts are for the cash-outs of all of them. */
  otherConfigs: Config[];
  actor: string;
  /** Admin keys of wallets that paid before the present source wallet. */
  formerKeys: Secret[];
  /** Why a person has what does not fit booked as held; null: all of it fits, or nothing is written. */
  hold: string | null;
  /** Why a person answers for source wallets that paid before and cannot be looked at any more; null: each is looked at. */
  withoutFormer: string | null;
}

export interface RecoverReport {
  /** Payments that LNbits shows and the ledger did not know. */
  payments: number;
  /** Cash-outs that were read and distributed again. */
  cashOuts: number;
  restored: Restored[];
  /** Credits of the source wallet that the lost ledger may have made already: held. */
  heldCredits: number;
  /** What does not fit; then nothing was written. */
  misfits: Misfit[];
  /** Runs that LNbits shows and the ledger did not know: from now on nobody takes them for another copy in use. */
  claims: number;
  /** Payments with this ledger's id that it did not send; nothing is done about them. */
  foreign: number;
  /** Whether the source wallets that paid before are done with: the clients' wallets are not asked about them any more. */
  accounted: boolean;
}

/**
 * Puts back into an older copy of the ledger what LNbits shows as paid since: reads Lamassu again, as a run would, and
 * forms the same payouts of the same cash-outs. All of it is one transaction, and nothing is written unless every
 * payment finds its place to the sat; until then no run pays (`ledger/restored`). `dryRun` only tells what would be.
 *
 * Errors: those of Lamassu, of LNbits and of the ledger, and `ledger/wallet-differs` where the ledger is bound to a
 * wallet that no key was given for.
 */
export async function recover(deps: RecoverDeps, dryRun: boolean): Promise<RecoverReport> {
  if (dryRun) return recoverWith(deps, null);
  const run = await startRun(deps.ledger, 'recover', deps.actor);
  try {
    const report = await recoverWith(deps, run);
    const { payments, cashOuts, misfits, claims } = report;
    await run.finish(misfits.length > 0 ? 'attention' : 'ok', { payments, cash_outs: cashOuts, claims });
    return report;
  } catch (error) {
    await run.finish('failed', null).catch(() => {});
    throw error;
  }
}

async function recoverWith(deps: RecoverDeps, run: Run | null): Promise<RecoverReport> {
  const { ledger, config } = deps;
  const keys = [config.lnbits.sourceWalletKey, ...deps.formerKeys];
  const found: Found = { lost: [], paid: new Set(), misfits: [], claims: [], foreign: 0 };
  const opened: string[] = [];
  for (const key of keys) {
    const wallet = await openSourceWallet(config.lnbits, key);
    try {
      opened.push(wallet.source.walletId);
      await findLost(deps, wallet, found, run !== null);
    } finally {
      await wallet.lnbits.close();
    }
  }
  if (deps.withoutFormer === null) await refuseOtherWallet(ledger.db, opened);
  await refuseOtherPayments(deps, found);
  const { lost, misfits, claims, foreign } = found;
  const wallet = opened[0] ?? '';
  if (lost.length === 0) {
    if (run && misfits.length === 0) {
      await run.write(async (trx) => {
        await letClaimsBe(trx, deps, run.id, found);
        await answerForFormer(trx, deps, run.id, wallet);
      });
    }
    return {
      ...{ payments: misfits.length, cashOuts: 0, restored: [], heldCredits: 0, misfits },
      ...{ claims: claims.length, foreign, accounted: accounts(deps) },
    };
  }

  const rows: Row[] = [];
  for (const one of [config, ...deps.otherConfigs]) {
    const problems: BridgeError[] = [];
    const read = await readAhead({ ledger, config: one }, problems);
    if (!read) throw problems[0];
    const from = { config: one, now: read.now, systemIdentifier: read.systemIdentifier };
    for (const row of read.pages.flat()) rows.push({ row, from });
  }
  rows.sort((a, b) => compare(timeOf(a), timeOf(b)));
  const book = (trx: Trx, order: Row[]) => replay(trx, deps, run, { ...found, wallet }, order);
  // Shares follow from the order in which cash-outs were distributed: by their time, unless some came late.
  for (const order of [rows, inOrderOfPayment(rows, lost)]) {
    const report = await ledger.rehearse((trx) => book(trx, order));
    if (report.misfits.length > 0) continue;
    return run ? run.write((trx) => book(trx, order)) : report;
  }
  return ledger.rehearse((trx) => book(trx, rows));
}

/** Distributes what Lamassu shows, and books what was paid, in one transaction that the caller may undo. */
async function replay(
  trx: Trx,
  deps: RecoverDeps,
  run: Run | null,
  found: Found & { wallet: string },
  rows: Row[],
): Promise<RecoverReport> {
  const { config, actor, hold } = deps;
  const { lost, paid, misfits, wallet, claims, foreign } = found;
  const at = now();
  const id = run?.id ?? (await imaginedRun(trx, actor));
  const who = { actor, run: id };
  const totals = noTotals();
  for (const { from, pages } of pagesOf(rows)) {
    const { mark } = await bind(trx, from.config, from);
    const reading = {
      ...(await readingOf(from.config, trx, (work) => inSavepoint(trx, work), mark, id)),
      onCashOut: (...what: [Parameters<typeof add>[1], Parameters<typeof add>[2]]) => add(totals, ...what),
      signal: new AbortController().signal,
    };
    await readCashOuts(reading, from.now, pages);
  }
  const { maximumSats } = config.payouts;
  const booked = await putBack(trx, lost, { who, run: id, at, maximumSats, paid, hold });
  const largest = maximumSats < LARGEST_CREDIT ? maximumSats : LARGEST_CREDIT;
  await letClaimsBe(trx, deps, id, found);
  await answerForFormer(trx, deps, id, wallet);
  const heldCredits = config.lnbits.creditSource ? await doubtCredits(trx, who, { wallet, largest }, at) : 0;
  await record(trx, who, {
    at,
    action: 'ledger recover',
    subject: 'ledger',
    after: { payments: lost.length, payouts: booked.restored.length, cash_outs: totals.cashOuts },
    reason: hold ?? undefined,
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

/** Who recovers says that no other copy is in use any more. What it may just have sent, the next run waits for. */
async function letClaimsBe(trx: Trx, { actor }: RecoverDeps, run: bigint, { claims }: Found): Promise<void> {
  if (claims.length === 0) return;
  const at = now();
  await letBe(trx, claims, run, at);
  await record(
    trx,
    { actor, run },
    {
      at,
      action: 'claims let be',
      subject: 'ledger',
      after: { runs: claims.map(({ who }) => who) },
    },
  );
}

/** The source wallets that paid before were looked at, or a person says that they are gone. */
async function answerForFormer(trx: Trx, deps: RecoverDeps, run: bigint, wallet: string): Promise<void> {
  if (accounts(deps))
    await accountFor(trx, { actor: deps.actor, run }, wallet, deps.withoutFormer ?? undefined);
}

function accounts({ formerKeys, withoutFormer }: RecoverDeps): boolean {
  return formerKeys.length > 0 || withoutFormer !== null;
}

/**
 * What the clients' wallets show as sealed by another copy of the ledger has to be in one of the source wallets that were
 * looked at; no word of a person stands against it.
 */
async function refuseOtherPayments(deps: RecoverDeps, { lost, misfits }: Found): Promise<void> {
  const { ledger, config } = deps;
  if (!accounts(deps)) return;
  const { lnbits, source, looksArePure } = await openSourceWallet(
    config.lnbits,
    config.lnbits.sourceWalletKey,
  );
  try {
    // Before LNbits 1.4 a look at the clients' wallets would change what is open.
    if (!looksArePure && (await anyOpenPayment(ledger.db))) return;
    const shown = await paidByAnotherCopy(ledger, { lnbits, source });
    const found = [...lost.map(({ hash }) => hash), ...misfits.map(({ what }) => what.split(' ').at(-1))];
    const other = shown.find(({ hash }) => !found.includes(hash));
    if (!other) return;
    throw new BridgeError(
      'ledger/restored',
      `LNbits shows payment ${other.hash} of this ledger (${other.extra.payout} for ${other.extra.client}) in wallet ${other.walletId}, and none of the source wallets that were looked at shows it`,
      'Another source wallet paid it. Give its admin key, too: --former-wallet-key-file FILE (it may be given again).',
    );
  } finally {
    await lnbits.close();
  }
}

/**
 * Credits carry no label, so nobody knows which of them the lost ledger had made. Those for what is not paid yet are
 * held: a person finds them in LNbits, or lets them be made. Answers how many.
 */
async function doubtCredits(
  trx: Trx,
  who: Who,
  options: { wallet: string; largest: bigint },
  at: Instant,
): Promise<number> {
  await intendCredits(trx, who, options, at);
  const credits = await creditsIn(trx, ['intended']);
  const reason = 'the ledger was put back: LNbits may have credited this already';
  for (const credit of credits) await holdCredit(trx, who, await sendCredit(trx, credit, [], at), reason, at);
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

/** A rehearsal has no run; what it writes names one all the same, and both are undone. */
async function imaginedRun(trx: Trx, actor: string): Promise<bigint> {
  const { last } = await trx
    .selectFrom('runs')
    .select((eb) => eb.fn.coalesce(eb.fn.max('id'), sql<bigint>`0`).as('last'))
    .executeTakeFirstOrThrow();
  const id = last + 1n;
  await trx.insertInto('runs').values({ id, kind: 'recover', actor, started_at: now() }).execute();
  return id;
}

const PAGE = 500;

/** A row, and which Lamassu it is of. */
interface Row {
  row: LamassuRow;
  from: Pick<ReadAhead, 'now' | 'systemIdentifier'> & { config: Config };
}

/** In their order, those of one Lamassu that follow each other together. */
function pagesOf(rows: Row[]): { from: Row['from']; pages: LamassuRow[][] }[] {
  const series: { from: Row['from']; pages: LamassuRow[][] }[] = [];
  for (const { row, from } of rows) {
    if (series.at(-1)?.from !== from) series.push({ from, pages: [] });
    const pages = series.at(-1)?.pages ?? [];
    const page = pages.at(-1);
    if (page && page.length < PAGE) page.push(row);
    else pages.push([row]);
  }
  return series;
}

/** What was never confirmed is not distributed, and comes last. */
function timeOf({ row }: Row): string {
  return row.confirmed_at ?? '~';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What was paid first was distributed first; what was not paid yet keeps its order, behind. */
function inOrderOfPayment(rows: Row[], lost: Lost[]): Row[] {
  const rank = new Map<string, number>();
  for (const [index, { cashOuts }] of lost.toSorted((a, b) => (a.at < b.at ? -1 : 1)).entries())
    for (const id of cashOuts) rank.set(id, Math.min(index, rank.get(id) ?? index));
  const rankOf = ({ row: { id } }: Row) => rank.get(id) ?? lost.length;
  return rows.toSorted((a, b) => rankOf(a) - rankOf(b));
}

async function refuseOtherWallet(db: Db, opened: string[]): Promise<void> {
  const bound = await boundSourceWallet(db);
  if (bound === null || opened.includes(bound)) return;
  throw new BridgeError(
    'ledger/wallet-differs',
    `this copy of the ledger paid from wallet ${bound}, and the configuration names ${opened[0]}`,
    'Give the admin key of that wallet, too: --former-wallet-key-file FILE. If that wallet is gone and no older copy of the ledger was put back, say so: --without-former-wallet --reason "…".',
  );
}
