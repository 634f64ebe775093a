import { formatSats, groupDigits } from '../dca/money.ts';
import type { BridgeError } from '../errors.ts';
import { wayOut } from '../ledger/clocks/doubts.ts';
import { type Call, call, type Message, message } from '../lib/message.ts';
import type { Instant } from '../time.ts';
import type { Overview } from './overview.ts';

/** What can need the operator. */
export const NEEDS = [
  'review',
  'held',
  'unknown',
  'refused',
  'defect',
  'wallet-full',
  'start',
  'broken-off',
  'stale',
  'overrun',
  'clock',
  'entry',
  'credits-doubtful',
  'credits-not-made',
  'contradicted',
  'aged',
  'overdue',
  'short',
] as const;

export type NeedCode = (typeof NEEDS)[number];

/** Something that needs the operator, and the next step. */
export interface Need {
  code: NeedCode;
  /** Since when, as far as it is known: of several, the oldest. */
  since: Instant | null;
  /** How many there are, or how many sats; null: it is one thing. */
  count: bigint | null;
  /** What it is about, where it is one thing with a name: `r12`, `f3`. */
  subject: string | null;
  what: string;
  help: string | Message | Call;
}

export type NextStep = Pick<Need, 'what'> & { help: Call };

/** Facts that are not in the ledger. */
export interface Circumstances {
  /** What the source wallet lacks for what is due now; null if its balance is not known. */
  short: bigint | null;
  /** What is wrong with `[lamassu] start_at`. */
  startProblem: BridgeError | null;
  /** A run that is not going on and has recorded no end. */
  brokenOff: bigint | null;
}

const poll = call('poll');
const doctor = call('doctor');

/** Everything that needs the operator now; empty if nothing does. */
export function needsOf(
  { status, overdue }: Pick<Overview, 'status' | 'overdue'>,
  { short, startProblem, brokenOff }: Circumstances,
): Need[] {
  const { attention, lastRun, paused, clock } = status;
  const { review, held, unknown, stale, aged, credits, contradicted, overrun } = attention;
  const { stuck } = status.credits;
  const open = aged - overdue.payouts;
  const doubtful = credits - BigInt(stuck.length);
  const { oldest, lastSuccessAt } = status;
  const ended = lastRun?.finishedAt ?? null;
  const all: [boolean, NeedCode, string, Need['help'], Partial<Pick<Need, 'since' | 'count' | 'subject'>>][] =
    [
      [
        review > 0n,
        'review',
        `${counted(review, 'row')} of Lamassu in review`,
        call('review.list'),
        { since: oldest.review, count: review },
      ],
      [
        held > 0n,
        'held',
        `${counted(held, 'payout')} held`,
        call('payouts.list', { state: 'held' }),
        { since: oldest.held, count: held },
      ],
      [
        unknown > 0n,
        'unknown',
        `${counted(unknown, 'payout')} with an outcome not known`,
        call('payouts.list', { state: 'unknown' }),
        { since: oldest.unknown, count: unknown },
      ],
      [
        lastRun?.outcome === 'refused',
        'refused',
        'the last run was refused',
        message`${poll} says why, then ${doctor}`,
        { since: ended },
      ],
      [
        lastRun?.outcome === 'failed' && (lastRun.kind === 'poll' || lastRun.kind === 'fixed'),
        'defect',
        'the last run ended in a defect',
        message`${poll} shows it: report it`,
        { since: ended },
      ],
      [
        lastRun?.problems.includes('lnbits/wallet-full') === true,
        'wallet-full',
        'the source wallet holds more than LNbits allows',
        message`${doctor} says how much`,
        { since: ended },
      ],
      [startProblem !== null, 'start', 'start_at is probably a mistake', 'correct it, or wait for it', {}],
      [
        brokenOff !== null,
        'broken-off',
        `run r${brokenOff} broke off: killed, or a full disk`,
        message`${poll} goes on`,
        { subject: `r${brokenOff}` },
      ],
      [
        stale,
        'stale',
        'no run has succeeded for too long',
        message`${poll}, then ${doctor}`,
        { since: lastSuccessAt },
      ],
      [overrun, 'overrun', 'a run goes on for too long', message`${poll} takes over, or says who runs`, {}],
      [
        clock.problem !== null,
        'clock',
        'the clock of this host is wrong',
        message`${doctor}, then timedatectl`,
        {},
      ],
      ...clock.entries.map((doubt): (typeof all)[number] => [
        true,
        'entry',
        `${doubt.subject} from ${doubt.at.slice(0, 16)}Z, a wrong clock`,
        wayOut(doubt),
        { since: doubt.at, subject: doubt.subject },
      ]),
      [
        doubtful > 0n,
        'credits-doubtful',
        `${counted(doubtful, 'credit')} of the source wallet in doubt`,
        call('credits.list'),
        { count: doubtful },
      ],
      [
        stuck.length > 0,
        'credits-not-made',
        `${counted(stuck.length, 'credit')} of the source wallet not made`,
        call('credits.list', { state: 'intended' }),
        { count: BigInt(stuck.length) },
      ],
      [
        contradicted > 0n,
        'contradicted',
        `${contradicted} given up, but shown by LNbits`,
        call('verify'),
        { count: contradicted },
      ],
      [
        open > 0n,
        'aged',
        `${counted(open, 'open payout')} for too long`,
        call('payouts.list', { open: true }),
        { since: oldest.open, count: open },
      ],
      [
        overdue.sats > 0n,
        'overdue',
        `${formatSats(overdue.sats)} due for too long${paused ? ', but paused' : ''}`,
        paused ? call('payouts.resume') : message`${poll} says why`,
        { since: paused?.at ?? null, count: overdue.sats },
      ],
      [
        short !== null && short > 0n,
        'short',
        short === 1n && status.wantsMore
          ? 'LNbits wants more than what is due'
          : `${formatSats(short ?? 0n)} missing for what is due`,
        'top up the source wallet',
        { count: short === 1n && status.wantsMore ? null : short },
      ],
    ];
  return all.flatMap(([stands, code, what, help, more]) =>
    stands ? [{ code, since: null, count: null, subject: null, ...more, what, help }] : [],
  );
}

/** What the ledger has of what a run needs. */
export interface Beginnings {
  hasClients: boolean;
  /** Whether clients have cash in a machine, also if they are paused, and on its way. */
  hasCash: boolean;
  hasCashInFlight: boolean;
}

/** The step that comes next while the bridge has nothing to do yet, or no client's cash; null: none. */
export function nextStepOf(
  { status: { lastRun, lastSuccessAt } }: Pick<Overview, 'status'>,
  { hasClients, hasCash, hasCashInFlight }: Beginnings,
): NextStep | null {
  if (!hasClients)
    return { what: 'add a client', help: call('clients.add', { name: null, wallet_key: null }) };
  if (!hasCash && hasCashInFlight)
    return {
      what: 'confirm the cash once it is in the machine',
      help: call('fundings.confirm', { id: null }),
    };
  if (!hasCash)
    return {
      what: 'enter the clients’ cash',
      help: call('fundings.add', { client: null, amount: null, any_machine: true, deposited: true }),
    };
  if (lastRun === null) return { what: 'the first run', help: poll };
  return lastSuccessAt === null ? { what: 'find out why no run has succeeded yet', help: doctor } : null;
}

function counted(count: number | bigint, noun: string): string {
  return `${groupDigits(BigInt(count))} ${noun}${BigInt(count) === 1n ? '' : 's'}`;
}
