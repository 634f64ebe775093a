import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Act } from '../ledger/log/log.ts';
import type { Payout } from '../ledger/payouts/payouts.ts';
import type { FeeRate } from '../ledger/payouts/service-fee.ts';
import type { Run } from '../ledger/runs/lease.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { message } from '../lib/message.ts';
import { isOfLnbits } from '../lnbits/answer.ts';
import type { LnbitsClient, LnbitsOptions } from '../lnbits/wallet-client.ts';
import { type Clock, type Instant, type Moment, msSince, toMs } from '../time.ts';
import type { Destination } from './destination.ts';
import { LnbitsDestination } from './lnbits-destination.ts';

/**
 * The longest time between a committed `sending` and its POST, in ms; a process that was suspended in between does not
 * send.
 */
const STALE_MS = 5_000;
/** Timers may fire slightly early; in ms. */
const TIMER_MS = 5;

/** LNbits with the wallet that pays. Close `lnbits` when done. */
export interface SourceWallet {
  lnbits: LnbitsClient;
  /** The same for the steps of payments; claims, rights, former wallets and credits are LNbits' own. */
  destination: Destination;
  sourceWallet: { key: Secret; walletId: string; balanceMsat: bigint };
  clock: Clock;
  /** From LNbits 1.4 on, reading a wallet's payments changes nothing. */
  looksArePure: boolean;
  /** What the source wallet showed as the fee of debits, in msat, by payment hash. */
  fees: Map<string, bigint>;
}

/** The times that tell whether a POST may still be under way. */
export interface Quiet {
  clock: Clock;
  /** The quiet time: how long after a POST no payment becomes dead, in ms. */
  quietMs: number;
  /** When the run began, and when it made each POST (by its `sent_at`), on the monotonic clock. */
  began: number;
  posted: Map<Instant, number>;
}

/** A claim that a run made. */
export interface Claim {
  nonce: string;
  /** The wallet that its invoice is in and that pays, also where a key onto a shared wallet names an id of its own. */
  walletId: string;
  /** When the last check that found no other copy began, by three clocks: the host's own stop while it is suspended. */
  checked: Moment & { lnbits: number };
}

/** The most that is sent in one local day without the operator. */
export interface Ceiling {
  sats: bigint;
  timezone: string;
}

/** The state of one run's paying. */
export interface PayContext extends SourceWallet, Quiet {
  ledger: Ledger;
  run: Run;
  /** `[payouts] maximum_sats`: the most of one payment. */
  maximumSats: bigint;
  /** LNbits' service fee, where this run was told its settings; null: it takes none. */
  toldFee?: FeeRate | undefined;
  /** Set once this run may pay. */
  claim?: Claim;
  /** `[payouts] daily_ceiling_sats`; null: there is none. */
  ceiling: Ceiling | null;
  /** Aborted when the program was asked to stop: no new step is begun. */
  signal: AbortSignal;
  /** Payments whose every POST was answered by LNbits within this run. */
  answered: Set<bigint>;
  /** Called with the milliseconds that the run waits because LNbits takes no more requests for now. */
  onWait?: ((ms: number) => void) | undefined;
  /** Called with each payout of which every part has arrived. */
  onPaid?: ((payout: Payout) => void) | undefined;
  /** How often it said so since the last payout was finished. */
  limited?: number;
  /**
   * What went wrong with LNbits: one of each kind, and what concerns one payout for each payout. See `reportProblem`.
   */
  problems: Map<string, BridgeError>;
}

/** The claim under which a run pays. Without one, nothing is sent. */
export function claimOf({ claim }: Pick<PayContext, 'claim'>): Claim {
  if (!claim) throw new Error('a run without a claim was going to pay');
  return claim;
}

/** The act of this run, now or at `at`. */
export function actOf({ run, clock }: Pick<PayContext, 'run' | 'clock'>, at: Instant = clock.now()): Act {
  return { ...run.who, at };
}

/** Records a problem of the run; with `payout`, of that payout, which the message names. */
export function reportProblem(
  { problems }: Pick<PayContext, 'problems'>,
  error: BridgeError,
  payout?: { id: bigint; recipient: { name: string } },
): void {
  if (payout === undefined) {
    problems.set(error.code, error);
    return;
  }
  const { code, sentence, hint } = error;
  const named = message`p${payout.id} to ${payout.recipient.name} is deferred: ${sentence}`;
  problems.set(`${code} p${payout.id}`, new BridgeError(code, named, hint, { cause: error }));
}

/** Reaches LNbits and the wallet of an admin key. Errors: `lnbits/key` for an invoice key, and those of the client. */
export async function openSourceWallet(
  options: LnbitsOptions,
  key: Secret,
  clock: Clock,
): Promise<SourceWallet> {
  // Imported here, so that a poll with nothing to pay starts faster.
  const { LnbitsClient } = await import('../lnbits/wallet-client.ts');
  const lnbits = new LnbitsClient(options, clock);
  try {
    const { id: walletId, balanceMsat } = await lnbits.wallet(key);
    if (walletId === null) {
      throw new BridgeError(
        'lnbits/key',
        '[lnbits] source_wallet_key is an invoice key, which cannot pay',
        'Use the admin key of the source wallet.',
      );
    }
    const version = await lnbits.version().catch(unlessTooOld);
    return {
      lnbits,
      destination: new LnbitsDestination(lnbits, key),
      sourceWallet: { key, walletId, balanceMsat },
      clock,
      looksArePure: looksArePure(version),
      fees: new Map(),
    };
  } catch (error) {
    await lnbits.close();
    throw error;
  }
}

/** LNbits' version; null if a proxy hides it. Then LNbits counts as old: reading a wallet may change it. */
function unlessTooOld(error: unknown): string {
  if (isOfLnbits(error) && error.code !== 'lnbits/version') return 'unknown';
  throw error;
}

/** Up to 1.3, listing a wallet's payments marks unpaid invoices as failed. An unknown version counts as old. */
function looksArePure(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major > 1 || (major === 1 && minor >= 4);
}

/** Whether the last POST of a payment is older than the quiet time; true for one that was never sent. */
export function isQuiet(ctx: Quiet, sentAt: Instant | null): boolean {
  return msUntilQuiet(ctx, sentAt) <= 0;
}

/** Waits until all of these POSTs are older than the quiet time, or the run is asked to stop. */
export async function untilQuiet(
  ctx: Quiet & Pick<PayContext, 'signal'>,
  sentAt: (Instant | null)[],
): Promise<void> {
  const ms = Math.max(0, ...sentAt.map((at) => msUntilQuiet(ctx, at))) + TIMER_MS;
  await ctx.clock.sleep(ms, { signal: ctx.signal });
}

/**
 * Counted on the monotonic clock since this run made the POST or, for a POST of an earlier run, since this run began.
 * By the ledger's times, a clock that jumps ahead would end the quiet time while LNbits still works on the POST, and a
 * clock that was set back would make runs wait until it has caught up.
 */
function msUntilQuiet({ clock, quietMs, began, posted }: Quiet, sentAt: Instant | null): number {
  if (sentAt === null) return 0;
  return (posted.get(sentAt) ?? began) + quietMs - clock.monotonic();
}

/** The time of a POST that is about to be made, noted by both clocks. */
export function timeOfPost({ clock, posted }: Quiet): Instant {
  const sentAt = clock.now();
  posted.set(sentAt, clock.monotonic());
  return sentAt;
}

/** Whether the process was suspended between its committed `sending` and the call that has to follow at once. */
export function wasSuspended({ clock, posted }: Quiet, sentAt: Instant): boolean {
  const monotonic = posted.get(sentAt) ?? Number.NEGATIVE_INFINITY;
  return msSince(clock, { monotonic, date: toMs(sentAt) }) > STALE_MS;
}
