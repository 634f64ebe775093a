import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type * as z from 'zod';
import type { Config } from '../config/config.ts';
import { BridgeError, type ErrorCode, invalid, notFound } from '../errors.ts';
import type { ExportRow } from '../export/rows.ts';
import { type Principal, toJson, type Who } from '../ledger/log/log.ts';
import { answerTo, keepAnswer } from '../ledger/log/requests.ts';
import { type Run, type RunDecision, withLease } from '../ledger/runs/lease.ts';
import type { Ledger, LedgerUse, Trx } from '../ledger/store/open.ts';
import { didYouMean } from '../lib/did-you-mean.ts';
import type { Message } from '../lib/message.ts';
import { keysAt } from '../lib/schema-keys.ts';
import type { Clock } from '../time.ts';
import type { CheckView } from '../views/doctor.ts';
import { requestOf, restored, stored } from './once.ts';
import { type Audience, assertProven, mayDo } from './rights.ts';

/*
 * An operation is one thing that can be done, defined once for all doors. A door parses its input, calls `perform`,
 * and renders the view. Rights, checks and answer are the same at every door.
 */

/** Who asks, and what the door provides. */
export interface Session {
  principal: Principal;
  clock: Clock;
  /** The name of the actor, for the log. A blank one is refused. */
  actor: string;
  /** The reason, if one was given. Blanks around it do not count; a blank one is none. */
  reason: string | undefined;
  /**
   * The idempotency key of this request of the principal. A second request under it changes nothing and gets the
   * first answer. An operation that opens the ledger itself takes none.
   */
  key?: string | undefined;
  /** Read once, at the first call. */
  config(): Promise<Config>;
  /** Opens the ledger, does `work`, and closes it whatever happens. */
  withLedger<T>(use: LedgerUse, work: (ledger: Ledger) => Promise<T>): Promise<T>;
  /** Aborted when the work should stop at its next safe step. */
  stopSignal(): AbortSignal;
  /** Called with notices for the caller while the work goes on. */
  tell?(text: string | Message): Promise<void>;
  /** Makes the log at this level, unless the caller wants another; without it, nothing is logged. */
  logger?(level: Config['log']['level']): Promise<Logger>;
  /** Called with the milliseconds that a run waits for LNbits' rate limit; without it, the wait is logged. */
  onWait?: ((ms: number) => void) | undefined;
  /**
   * Refuses the change with `usage/changed` if what a reading shows is not what the caller saw. It is read in the
   * transaction of the change.
   */
  unchanged?: Unchanged | undefined;
  /** Called with each check of `doctor` as it ends. */
  onCheck?(check: CheckView): void;
  /** The environment of the process; empty by default. */
  env?: NodeJS.ProcessEnv;
  /** Takes rows as they come, because they may be more than fit into memory. Answers false to stop. */
  take?(rows: Handed): Promise<boolean>;
  /** What answers others for as long as the process runs. */
  doors?: readonly StartDoor[];
  /** Passes pages on and shows the progress; `count` returns the number of rows. */
  watch?<T>(pages: AsyncIterable<T[]>, count: () => Promise<number>): AsyncIterable<T[]>;
}

/** What a door needs to answer others for as long as the process runs. */
export interface Serving extends Required<Pick<Session, 'withLedger' | 'env'>> {
  config: Config;
  clock: Clock;
  log: Logger;
  /** Aborted when the program is asked to stop. */
  signal: AbortSignal;
}

/** Begins to answer; the promise that it resolves with ends that, once what is under way is finished. */
export type StartDoor = (serving: Serving) => Promise<() => Promise<void>>;

/** Rows that are handed on as they come: page by page, or as the pieces of one text. One of both is read, once. */
export interface Handed {
  pages: AsyncIterable<ExportRow[]>;
  text(): AsyncIterable<string>;
}

/** A reading, and whether its view is what the caller saw. */
export interface Unchanged {
  operation: Operation<'read', z.ZodType, z.ZodType>;
  input: unknown;
  isSame(view: unknown): boolean;
}

/** What an operation works with. */
export interface Context {
  config: Config;
  clock: Clock;
  ledger: Ledger;
  /** The run that holds the lease; only where the operation needs it. */
  run: Run;
  who: Who;
  /**
   * The one transaction that makes the change; refused if the run has lost the lease. `work` answers the view, which
   * is stored with the change under the key of the request: the operation has to return it unchanged.
   */
  write<View>(work: (trx: Trx) => Promise<View>): Promise<View>;
  stopSignal(): AbortSignal;
  tell(text: string | Message): Promise<void>;
}

/** A ledger that is changed by `Context.write`. */
export type Book = Omit<Ledger, 'write'>;

/** For an operation that opens the ledger itself. */
type OwnContext = Pick<Context, 'config' | 'clock' | 'who' | 'stopSignal' | 'tell'> &
  Pick<Session, 'withLedger' | 'onWait'> &
  Required<Pick<Session, 'logger' | 'env' | 'doors'>>;

/** For an operation that works without a configuration. */
type BareContext = Omit<OwnContext, 'config'> & Pick<Session, 'config' | 'onCheck'>;

/**
 * What an operation needs. `read`, `write`: the open ledger. `lease`: the ledger and the lease, under which no
 * question is asked. `config`: the configuration only; the operation may open the ledger itself. `none`: not even a
 * configuration.
 */
export type Needs = 'none' | 'config' | 'read' | 'write' | 'lease';

interface ContextOf {
  none: BareContext;
  config: OwnContext;
  read: Omit<Context, 'run' | 'write'> & Required<Pick<Session, 'take' | 'watch'>>;
  write: Omit<Context, 'run' | 'ledger'> & { ledger: Book };
  lease: Context;
}

export type Operation<N extends Needs, Input extends z.ZodType, View extends z.ZodType> = {
  /** Noun and verb: `fundings.confirm`. */
  name: string;
  needs: N;
  /** The kind of its run, under the lease. */
  kind?: RunDecision;
  /** Who may do it besides owners and operators; `rights.ts` has the rest. */
  may: readonly Audience[];
  /** Its own errors, besides those of every operation with the same needs: `errorsOf` has all of them. */
  errors: readonly ErrorCode[];
  /** True if it always needs a reason. `when-applied`: a preview of such a one, to which the reason may follow. */
  reasoned?: true | 'when-applied';
  /** The reason if none was given. */
  usualReason?: string;
  /**
   * True if it signs in, or if its input or answer has a secret that may not be kept. So it takes no key: under one,
   * the answer would be kept.
   */
  once?: true;
  /** The input, in snake case, with amounts, rates and times as people type them. */
  input: Input;
  view: View;
  run(context: ContextOf[N], input: z.output<Input>): Promise<z.input<View>>;
} & (N extends 'lease' ? { kind: RunDecision } : unknown);

/** A command parses each schema one time: compiling its parser would take longer than parsing. */
const UNCOMPILED = { jitless: true };

/** An operation, with its types inferred. */
export function operation<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
  definition: Operation<N, Input, View>,
): Operation<N, Input, View> {
  return definition;
}

/**
 * Does an operation and answers its view. Throws `usage/invalid` (kind `invalid`) for input that the schema refuses, or
 * for a key where the operation takes none, `usage/forbidden` if the principal may not do it, `usage/key-reused` if the
 * key belongs to another request, the errors of the configuration and of opening the ledger, and those that the
 * operation states: `errorsOf` has all of them.
 */
export async function perform<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
  operation: Operation<N, Input, View>,
  session: Session,
  given: z.input<Input>,
): Promise<z.output<View>> {
  const { name, needs, kind, reasoned, usualReason, once: keepsNothing, input, view, run } = operation;
  const { principal, clock, key } = session;
  const actor = session.actor.trim();
  const said = session.reason ?? usualReason;
  const reason = said?.trim() || undefined;
  if (!mayDo(operation, principal)) {
    throw new BridgeError('usage/forbidden', `${actor} may not do ${name}`);
  }
  if (actor === '') throw invalid('actor', 'it is empty', 'The log names who did it.');
  const who: Who = { principal, actor, run: null, reason, clock };
  // A reason that is blank is told before a preview is shown, not after the operator agreed.
  if (reasoned === true || (reasoned && said !== undefined)) withReason(who);
  if (key !== undefined && (keepsNothing || needs === 'none' || needs === 'config'))
    throw takesNoKey(operation);
  const read = input.safeParse(given, UNCOMPILED);
  if (!read.success) throw refused(input, read.error);
  assertProven(principal, name, given, clock);
  const bare = {
    ...{ who, clock, stopSignal: () => session.stopSignal() },
    tell: async (text: string | Message) => session.tell?.(text),
  };
  const done = async (context: object) =>
    view.parse(await run(context as ContextOf[N], read.data), UNCOMPILED);
  const { withLedger, logger = silentLogger, onWait, onCheck, env = {}, doors = [] } = session;
  const own = { ...bare, withLedger, logger, onWait, env, doors };
  if (needs === 'none') return done({ ...own, config: () => session.config(), onCheck });
  const config = await session.config();
  if (needs === 'config') return done({ ...own, config });
  const base = { ...bare, config };
  const { take = nobodyTakes, watch = (pages) => pages } = session;
  if (needs === 'read') return session.withLedger('read', (ledger) => done({ ...base, ledger, take, watch }));
  const request = key === undefined ? null : requestOf(key, name, who, read.data);
  const { unchanged } = session;
  return session.withLedger('write', async (ledger) => {
    const assertSeen = async (trx: Trx): Promise<void> => {
      if (unchanged === undefined) return;
      const { operation: reading, input: asked, isSame } = unchanged;
      const seen = {
        ...base,
        take,
        watch,
        ledger: { ...ledger, db: trx, write: noSecond, dryRun: noSecond },
      };
      if (
        !isSame(
          reading.view.parse(await reading.run(seen, reading.input.parse(asked, UNCOMPILED)), UNCOMPILED),
        )
      ) {
        throw new BridgeError(
          'usage/changed',
          'Somebody else changed the settings meanwhile; nothing was written.',
          'Read them again, and send their new `ETag`.',
        );
      }
    };
    const withKey =
      (write: Ledger['write']): Ledger['write'] =>
      (work) =>
        write(async (trx) => {
          const before = request && (await answerTo(trx, request));
          if (before) return restored(before) as Awaited<ReturnType<typeof work>>;
          await assertSeen(trx);
          const result = await work(trx);
          if (request) await keepAnswer(trx, request, stored(view.parse(result, UNCOMPILED)), clock.now());
          return result;
        });
    const before = request && (await answerTo(ledger.db, request));
    if (before) return view.parse(restored(before), UNCOMPILED);
    if (needs === 'write') return done({ ...base, ledger, write: withKey(ledger.write) });
    if (kind === undefined) throw new Error(`the run of ${name} has no kind`);
    return withLease(ledger, { kind, who }, (held) =>
      done({ ...base, ledger, run: held, write: withKey(held.write), who: held.who }),
    );
  });
}

/** Loaded only when it is needed, because commands then start faster. */
async function silentLogger(): Promise<Logger> {
  const { pino } = await import('pino');
  return pino({ level: 'silent' });
}

function nobodyTakes(): Promise<boolean> {
  throw new Error('this door takes no rows');
}

/**
 * The error for a key where no answer can be kept: the changes are many, each done once by a key of its own, or they
 * are not in the ledger, or the answer has a secret.
 */
function takesNoKey({
  name,
  once,
}: Pick<Operation<Needs, z.ZodType, z.ZodType>, 'name' | 'once'>): BridgeError {
  return invalid(
    'key',
    `${name} takes no idempotency key, because no answer of it is kept`,
    once
      ? 'Leave the key out. Each request does it anew, so look at what there is before you repeat one.'
      : 'Leave the key out: what is already done is not repeated.',
  );
}

/** The error for the first issue of an input. */
function refused(input: z.ZodType, { issues }: z.ZodError): BridgeError {
  // A misspelled field is also missing: its name tells more.
  const unknown = issues.find((one) => one.code === 'unrecognized_keys');
  if (unknown) return unknownField(input, unknown);
  const [issue] = issues;
  const field = issue?.path.join('.') || 'input';
  return invalid(field, issue?.message ?? 'it cannot be used');
}

function unknownField(input: z.ZodType, { path, keys }: z.core.$ZodIssueUnrecognizedKeys): BridgeError {
  const [unknown = ''] = keys;
  const known = keysAt(input, path);
  const takes = known.length === 0 ? 'It takes no fields.' : `Known are ${known.join(', ')}.`;
  return invalid(
    [...path, unknown].join('.'),
    'there is no such field',
    didYouMean(unknown, known).trim() || takes,
  );
}

/** The actor, with the reason that the operation needs. Throws `usage/invalid` if none was given. */
export function withReason(who: Who): Who & { reason: string } {
  const { reason } = who;
  if (reason === undefined) throw invalid('reason', 'it is empty', 'Give a reason: it is kept in the log.');
  return { ...who, reason };
}

/** The actor of a preview, which writes nothing: its reason is given when it is applied. */
export function forPreview(who: Who): Who & { reason: string } {
  return { ...who, reason: who.reason ?? '' };
}

/** The hash of a plan. Equal plans have equal hashes: what the operator agreed to is done, or refused as changed. */
export function digestOf(plan: unknown): string {
  return createHash('sha256')
    .update(toJson(plan) ?? '')
    .digest('hex')
    .slice(0, 16);
}

/**
 * Refuses a plan that differs from the previewed one. `digest` is that of the preview; without a preview nothing is
 * refused. `refusal`: the error of an operation that has more to say.
 */
export function assertUnchanged(
  plan: unknown,
  digest: string | undefined,
  refusal?: () => BridgeError,
): void {
  assertSameDigest(digestOf(plan), digest, refusal);
}

/** The same, where the digest of what is there now is known. */
export function assertSameDigest(
  now: string,
  agreed: string | undefined,
  refusal: () => BridgeError = changedMeanwhile,
): void {
  if (agreed !== undefined && agreed !== now) throw refusal();
}

/** A second transaction would wait for the one that it is in. */
function noSecond(): never {
  throw new Error('what is read within a change has no transaction of its own');
}

function changedMeanwhile(): BridgeError {
  return new BridgeError(
    'usage/changed',
    'the previewed state has changed meanwhile; nothing was written',
    'Check it again.',
  );
}

/** To a client, no other client exists. This is decided before the ledger is asked, so the error tells nothing. */
export function assertOwn({ principal }: Who, client: string, field = 'client'): void {
  if (principal.kind !== 'client' || principal.client === client) return;
  const hint = `Only ${principal.client} can be named here.`;
  throw notFound(field, `there is no client ${JSON.stringify(client)}`, hint);
}

/** The client whose rows are asked for: the one who asks, or the one that another principal names. */
export function clientOf(who: Who, named: string | undefined): string | undefined {
  if (named !== undefined) assertOwn(who, named);
  return ownerOf(who) ?? named;
}

/** The client who asks; undefined for any other principal. */
export function ownerOf({ principal }: Who): string | undefined {
  return principal.kind === 'client' ? principal.client : undefined;
}
