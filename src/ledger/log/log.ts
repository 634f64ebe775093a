import type { Clock, Instant } from '../../time.ts';
import type { Role } from '../store/access-schema.ts';
import type { Db, Trx } from '../store/open.ts';

/**
 * On whose right something is done. The operator at the shell may do everything; people on the admin site what their
 * role allows; a token what its scopes allow; a client may see and change only the client's own data; a guest may sign
 * in.
 */
export type Principal =
  | { kind: 'operator' }
  | PersonPrincipal
  | ClientPrincipal
  | { kind: 'token'; token: string; scopes: readonly string[] }
  | { kind: 'guest' };

export interface PersonPrincipal {
  kind: 'person';
  person: string;
  role: Role;
  /** The session, and when the person last proved who it is there. */
  session: bigint;
  provenAt: Instant;
}

export interface ClientPrincipal {
  kind: 'client';
  client: string;
  /** The session on the web site; absent at other doors. */
  session?: bigint;
}

export const OPERATOR: Principal = { kind: 'operator' };

/** Who asks for something to be done, on whose right and why. A run takes it over. */
export interface Asker {
  principal: Principal;
  actor: string;
  /** The reason of the actor, for every change that has no reason of its own. */
  reason?: string | undefined;
}

/** Who changes the ledger: an operator by name, or a run of the timer or daemon with its number. */
export interface Who extends Asker {
  run: bigint | null;
  /** The log keeps what it shows since the boot of the host, for whoever acts outside a run. */
  clock: Clock;
}

export interface Change {
  /** What was done, as noun and verb: `funding confirm`. */
  action: string;
  /** What it was done to: `f12`, `p118`, `client alice`, a cash-out's id. */
  subject: string;
  before?: unknown;
  after?: unknown;
  reason?: string | undefined;
}

/** One act on the ledger: who, when and why, as one argument. */
export interface Act extends Who {
  at: Instant;
}

/** An act with a reason. */
export interface ReasonedAct extends Act {
  reason: string;
}

/** The text of a state that the operator decided: `dora: the receipt is there`; null without a reason. */
export function wordOf({ actor, reason }: Asker): string | null {
  return reason === undefined ? null : `${actor}: ${reason}`;
}

/** Adds a change to the ledger's log, in the transaction that makes the change. */
export async function record(trx: Trx, act: Act, change: Change): Promise<void> {
  // A run records the clocks itself.
  const clock = act.run === null ? act.clock.host() : null;
  await trx
    .insertInto('log')
    .values({
      at: act.at,
      actor: act.actor,
      run_id: act.run,
      action: change.action,
      subject: change.subject,
      before: toJson(change.before),
      after: toJson(change.after),
      reason: change.reason ?? act.reason ?? null,
      boot: clock?.boot ?? null,
      uptime_ms: clock === null ? null : BigInt(clock.uptime),
      principal: principalName(act.principal),
    })
    .execute();
}

/** `operator`, `person dora`, `client alice`, `token till`. */
export function principalName(principal: Principal): string {
  switch (principal.kind) {
    case 'person':
      return `person ${principal.person}`;
    case 'client':
      return `client ${principal.client}`;
    case 'token':
      return `token ${principal.token}`;
    default:
      return principal.kind;
  }
}

/** The subjects of all log entries with this action. */
export async function subjectsOf(db: Db, action: string): Promise<Set<string>> {
  const rows = await db.selectFrom('log').select('subject').where('action', '=', action).execute();
  return new Set(rows.map(({ subject }) => subject));
}

/** JSON text in which integers of any size are strings; null for undefined. */
export function toJson(value: unknown): string | null {
  if (value === undefined) return null;
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? part.toString() : part));
}
