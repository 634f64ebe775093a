import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { BridgeError } from '../errors.ts';
import {
  addClaim,
  claimHolds,
  claimMade,
  mayStillSend,
  reopenClaims,
  unknownClaims,
} from '../ledger/runs/claims.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { isSealed, type Seals, sealOf } from '../ledger/store/seals.ts';
import { call, message } from '../lib/message.ts';
import { tooFull } from '../lnbits/answer.ts';
import { lacksRightToReceive } from '../lnbits/rights.ts';
import type { WalletPayment } from '../lnbits/wallet-client.ts';
import { momentOf, msSince } from '../time.ts';
import { labelOf } from './label.ts';
import { type Claim, claimOf, type PayContext } from './session.ts';

/*
 * A ledger may have been copied: a cloned host, a folder, a timer that was left on. Two copies that both pay would pay
 * everything twice, and neither could see it in its own ledger. So before it pays, each run makes a claim in the source
 * wallet, where every copy sees it: an invoice of 1 sat that is never paid. Then it looks for other claims. All copies
 * write before they read, so at least one sees the other, and does not pay. A claim of another copy counts however old
 * it is, until the operator says that the copy is out of use (by recovering the ledger): no clock decides.
 *
 * A copy that was made during a run knows the claim of that run, which may still be paying. So a run that finds the
 * claim of an earlier run without an end makes its own, and then waits until the other can no longer send anything. A
 * long run keeps checking that it is still alone.
 *
 * If the wallet shows two invoices with one claim, its request arrived twice, or the host was copied at that moment
 * with its memory. The run claims again with a nonce that a copy cannot have drawn, too, and waits as long.
 */

const TAG = 'aio-dca-run';
const DRY_RUN = call('ledger.recover', { dry_run: true });
const RECOVER = call('ledger.recover');
/** LNbits 1.0 deletes unpaid invoices that have expired. */
const EXPIRY_SECONDS = 30 * 86_400;
/** The longest time between a run's last check for other claims and a POST, in ms. */
const LOOK_MS = 5_000;
const SEND_MS = 10_000;

/** Another copy's claim, as the source wallet shows it. */
export interface StrangeClaim {
  nonce: string;
  hash: string;
  wallet: string;
  /** It was made on this host since its boot, by a ledger at this place. */
  here: boolean;
  /** What it says of itself, for messages. */
  who: string;
}

/** The newest claim of another copy; undefined if there is none. */
export async function strangeClaim(ctx: PayContext): Promise<StrangeClaim | undefined> {
  return (await readClaims(ctx, ctx.claim?.nonce)).strange[0];
}

/**
 * Reads the claims in the source wallet, newest first. It stops at the newest claim at which this ledger knew that no
 * other copy was in use; but it always reads as far as `own`, because LNbits' clock may have been set back.
 *
 * `strange`: the claims of other copies. `doubled`: the nonces of this ledger that have a second invoice. `seen`: the
 * wallet shows `own`.
 */
export async function readClaims(
  { ledger, lnbits, sourceWallet }: Pick<PayContext, 'ledger' | 'lnbits' | 'sourceWallet'>,
  own?: string,
): Promise<{ strange: StrangeClaim[]; doubled: string[]; seen: boolean }> {
  const withdrawn = new Set<string>();
  const strange: StrangeClaim[] = [];
  const doubled = new Set<string>();
  let seen = false;
  for await (const page of lnbits.tagged(sourceWallet.key, TAG)) {
    const shown = page.flatMap((one) => readClaim(ledger.seals, one) ?? []);
    // The payment that takes a claim back is newer, so the list has it first.
    for (const one of shown) if (one.withdrawn) withdrawn.add(one.nonce);
    const found = await unknownClaims(
      ledger.db,
      shown.filter(({ nonce, withdrawn: back }) => !back && !withdrawn.has(nonce)),
    );
    strange.push(...found.unknown.map((one) => ({ ...one, here: one.place === placeOf(ledger) })));
    for (const nonce of found.doubled) doubled.add(nonce);
    seen ||= shown.some(({ nonce }) => nonce === own);
    if (found.checked && (seen || own === undefined)) break;
  }
  return { strange, doubled: [...doubled], seen };
}

/**
 * Makes this run's claim in the source wallet and looks for others. If an earlier run without an end may still send
 * something, waits and checks once more, also for payments: `refuse` throws if it finds some. Sets `ctx.claim`, unless
 * the run is stopped meanwhile.
 */
export async function claimToPay(ctx: PayContext, refuse: () => Promise<void>): Promise<void> {
  const { ledger, clock, run, quietMs, signal } = ctx;
  let nonce = await begin(ctx);
  const { hash, walletId } = await put(ctx, nonce, false).catch((error: unknown) =>
    explain(error, ctx.sourceWallet),
  );
  await run.write((trx) => claimMade(trx, nonce, hash));
  let checked = moment(ctx);
  try {
    let found = await readClaims(ctx, nonce);
    if (found.doubled.length > 0) {
      const { doubled } = found;
      await run.write((trx) => reopenClaims(trx, doubled));
      nonce = await begin(ctx);
      await put(ctx, nonce, false);
      checked = moment(ctx);
      found = await readClaims(ctx, nonce);
    }
    if (found.strange[0]) throw notAlone(found.strange[0]);
    // An answer without this run's own claim may lack other claims, too.
    if (!found.seen) throw notShown();
    if (await mayStillSend(ledger.db, nonce)) {
      await clock.sleep(quietMs + SEND_MS, { signal });
      if (signal.aborted) return;
      checked = moment(ctx);
      await refuse();
    }
  } catch (error) {
    // Another copy that sees the claim need not wait for it: this run is not going to pay. If this fails, the operator
    // resolves it. A claim that is there twice is not taken back: it may also belong to a copied host, which may be
    // paying.
    if (error instanceof BridgeError && error.kind === 'misconfigured')
      await put(ctx, nonce, true).catch(() => {});
    throw error;
  }
  await run.write((trx) => claimHolds(trx, nonce));
  ctx.claim = { nonce, walletId, checked };
}

/**
 * Commits a new nonce. The time in it differs between hosts that were copied with the state of their random numbers.
 */
async function begin({ clock, run, sourceWallet }: PayContext): Promise<string> {
  const drawn = `${randomBytes(16).toString('hex')} ${clock.monotonic()} ${clock.now()}`;
  const nonce = createHash('sha256').update(drawn).digest('hex').slice(0, 32);
  await run.write((trx) => addClaim(trx, { nonce, run: run.id, wallet: sourceWallet.walletId }, clock.now()));
  return nonce;
}

/** Before each call that moves money: checks for other claims again, unless the last check is recent. */
export async function stayAlone(ctx: PayContext, refuse: () => Promise<void>): Promise<void> {
  if (msSinceLook(ctx) < LOOK_MS) return;
  const checked = moment(ctx);
  await refuse();
  claimOf(ctx).checked = checked;
}

/**
 * Whether a run was suspended so long after its last check that it must not send: another copy may be paying by now.
 */
export function checkedTooLongAgo(ctx: PayContext): boolean {
  return msSinceLook(ctx) > SEND_MS;
}

function msSinceLook(ctx: PayContext): number {
  const { checked } = claimOf(ctx);
  return Math.max(msSince(ctx.clock, checked), ctx.lnbits.clock - checked.lnbits);
}

function moment({ clock, lnbits }: Pick<PayContext, 'clock' | 'lnbits'>): Claim['checked'] {
  return { ...momentOf(clock), lnbits: lnbits.clockNow };
}

function explain(error: unknown, { walletId, balanceMsat }: PayContext['sourceWallet']): never {
  if (!(error instanceof BridgeError) || error.code !== 'lnbits/refused') throw error;
  const rights = lacksRightToReceive(error);
  if (rights) throw rights;
  const full = tooFull(error, `the source wallet ${walletId}`, balanceMsat);
  if (full) throw full;
  throw new BridgeError(
    'lnbits/refused',
    `the source wallet takes no invoice of 1 sat, the claim that a run makes before it pays: ${error.message}`,
    'Until then nothing is paid; what is due waits, and the next run tries again.',
  );
}

function notShown(): BridgeError {
  return new BridgeError(
    'lnbits/rights',
    'the key of the source wallet makes invoices but does not see them, so a run cannot see whether another copy of this ledger is in use',
    'Use the admin key of the wallet itself, or let its owner grant the shared one to view payments.',
  );
}

/**
 * A payment that the source wallet shows and the ledger does not know. If it was made under a claim of a ledger at
 * another place, another copy made it, even if this ledger had that claim when it was copied. Otherwise this ledger is
 * an older copy.
 */
export async function unknownPayment(ctx: PayContext, payment: WalletPayment): Promise<BridgeError> {
  const { hash, extra } = payment;
  const what = `payment ${hash} of this ledger (${extra.payout} for ${extra.client})`;
  const nonce = labelOf(ctx.ledger.seals, payment)?.claim;
  // Under this run's own claim: this host was reset to a moment of its run.
  const other = nonce !== undefined && nonce !== ctx.claim?.nonce;
  const claim = other ? await claimBy(ctx, nonce) : undefined;
  if (claim && claim.place !== placeOf(ctx.ledger)) return inUseElsewhere(`${claim.who}, made ${what}`);
  return olderLedger(`LNbits shows ${what}, and the ledger does not know it`);
}

/** As the source wallet shows it. */
async function claimBy({ ledger, lnbits, sourceWallet }: PayContext, nonce: string) {
  for await (const page of lnbits.tagged(sourceWallet.key, TAG)) {
    const claim = page
      .flatMap((one) => readClaim(ledger.seals, one) ?? [])
      .find((one) => one.nonce === nonce);
    if (claim) return claim;
  }
  return undefined;
}

/** Why this ledger may not pay now. */
export function notAlone({ who, here }: StrangeClaim): BridgeError {
  if (here) return olderLedger(`LNbits shows that ${who}, was going to pay, and the ledger does not know it`);
  return inUseElsewhere(`${who}, was going to pay from this source wallet`);
}

function inUseElsewhere(what: string): BridgeError {
  return new BridgeError(
    'ledger/in-use-elsewhere',
    `another copy of this ledger is in use: ${what}, and this ledger does not know it`,
    message`Permanently stop the copy that should not run (a cloned host, an old timer, a copied folder). Then, with the one that stays, ${DRY_RUN} and ${RECOVER}: it recovers what the other one paid, and the next run pays again. If a backup was restored instead, first enter again what was entered after it. Nothing is distributed or paid before.`,
  );
}

/** An older backup replaced a newer ledger. */
function olderLedger(what: string): BridgeError {
  return new BridgeError(
    'ledger/restored',
    what,
    message`An older copy of the ledger was restored. Enter again what was entered after that copy was made (clients, fundings, settlements); then ${DRY_RUN} and ${RECOVER}. Nothing is distributed or paid before.`,
  );
}

async function put(ctx: PayContext, nonce: string, withdrawn: boolean) {
  const { ledger, lnbits, sourceWallet, run } = ctx;
  const about = { nonce, withdrawn, place: placeOf(ledger) };
  return lnbits.createInvoice(sourceWallet.key, {
    sats: 1n,
    memo: withdrawn
      ? 'aio-dca: this run pays nothing'
      : 'aio-dca: a run is going to pay. Nobody has to pay this.',
    expirySeconds: EXPIRY_SECONDS,
    extra: {
      ...{ tag: TAG, ledger: ledger.id, ...about, run: `r${run.id}`, host: hostname(), url: ledger.url },
      seal: sealOf(ledger.seals, ['claim', nonce, `${withdrawn}`, about.place]),
    },
  });
}

/** A claim of this ledger or a copy of it; null for anything else that has the tag. */
function readClaim(seals: Seals, { hash, walletId, time, extra, amountMsat }: WalletPayment) {
  const { ledger, nonce, withdrawn, place, seal } = extra;
  if (ledger !== seals.ledger || amountMsat < 0n) return null;
  if (typeof nonce !== 'string' || typeof withdrawn !== 'boolean' || typeof place !== 'string') return null;
  // Copies of a ledger that is older than its seals may have different secrets. Nobody else writes into this wallet.
  if (seals.all && !isSealed(seals, ['claim', nonce, `${withdrawn}`, place], seal)) return null;
  const who = `run ${plain(extra.run)} on ${plain(extra.host)} (${plain(extra.url)}), at ${time ?? '?'}`;
  return { nonce, hash, wallet: walletId, withdrawn, place, who };
}

/** The printable part of a foreign text. */
function plain(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@?=&%+ -]{1,200}$/.test(value) ? value : '?';
}

/** This host since its boot, and the place of the ledger: both stay the same if a backup is restored in its place. */
function placeOf({ url, clock }: Pick<Ledger, 'url' | 'clock'>): string {
  const boot = clock.host().boot ?? '';
  return createHash('sha256').update(`${boot}\n${hostname()}\n${url}`).digest('hex').slice(0, 16);
}
