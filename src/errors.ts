import { type Call, type Message, message, field as nameOf } from './lib/message.ts';

/**
 * The kinds of errors. Each door says it in its own way: the CLI by an exit code, an API by a status.
 * - `invalid`, `not-found`, `conflict`, `state`, `declined`: the request cannot be done as it is;
 * - `changed`: what the preview showed has changed; preview again;
 * - `busy`, `paused`, `unavailable`: not now; nothing is lost, and a later try may succeed;
 * - `misconfigured`: configuration, rights or identity is wrong; no retry helps;
 * - `attention`: it is done, and something needs the operator;
 * - `defect`: this program is wrong.
 */
export const errorKinds = [
  'invalid',
  'not-found',
  'conflict',
  'state',
  'declined',
  'changed',
  'busy',
  'paused',
  'unavailable',
  'misconfigured',
  'attention',
  'defect',
] as const;

export type Kind = (typeof errorKinds)[number];

/** Which half of a run a failure concerns: reading from the source, paying from the source wallet, or both. */
export type Concern = 'source' | 'payouts' | 'both';

/**
 * Every failure that the operator can meet: a stable code, its kind and what it means. `docs/errors.md` has one entry
 * for each; a test keeps the two equal.
 */
export const catalogue = {
  'internal/defect': { kind: 'defect', means: 'A defect of this program: report it, with the stack trace.' },
  'usage/invalid': { kind: 'invalid', means: 'A value that was given cannot be used.' },
  'usage/confirm': {
    kind: 'invalid',
    means: 'This needs a confirmation before it is done, and nobody can be asked.',
  },
  'usage/forbidden': { kind: 'state', means: 'The caller has no right to do this.' },
  'usage/changed': { kind: 'changed', means: 'What the preview showed changed before it was done.' },
  'usage/key-reused': { kind: 'conflict', means: 'Something else was asked under the same key before.' },
  'access/required': { kind: 'state', means: 'This needs a sign-in or a token that counts.' },
  'access/refused': { kind: 'state', means: 'Name, password, code or passkey do not fit.' },
  'access/link': { kind: 'state', means: 'The link is used, too old, replaced or unknown.' },
  'access/prove': { kind: 'state', means: 'This needs a proof of the last five minutes of who you are.' },
  'access/origin': { kind: 'state', means: 'A request to change something came from another site.' },
  'access/too-many': { kind: 'unavailable', means: 'Too many requests, or too many failed sign-ins.' },
  'access/precondition': { kind: 'invalid', means: 'A change has to say which settings it changes.' },
  'web/listen': { kind: 'misconfigured', means: 'The address of a web site cannot be used.' },
  'web/no-site': { kind: 'misconfigured', means: 'The configuration has no such web site.' },
  'usage/declined': {
    kind: 'declined',
    means: 'A question was answered with no, or left without an answer.',
  },
  'init/stopped': {
    kind: 'unavailable',
    means: 'Another set-up is running, or took a file name meanwhile; this one left nothing behind.',
  },
  'init/unwritable': { kind: 'misconfigured', means: 'The files of a new installation cannot be written.' },
  'config/missing': { kind: 'misconfigured', concerns: 'both', means: 'No configuration file was found.' },
  'config/invalid': {
    kind: 'misconfigured',
    concerns: 'both',
    means: 'The configuration file has a mistake.',
  },
  'config/secret': {
    kind: 'misconfigured',
    concerns: 'both',
    means: 'A secret of the configuration is missing or cannot be read.',
  },
  'ledger/missing': { kind: 'misconfigured', means: 'There is no ledger where the configuration says.' },
  'ledger/owner': { kind: 'misconfigured', means: 'The ledger file belongs to another user.' },
  'ledger/newer': { kind: 'misconfigured', means: 'The ledger was used by a newer version of this program.' },
  'ledger/outdated': {
    kind: 'misconfigured',
    means: 'The ledger has an older schema than this program needs.',
  },
  'ledger/retired': { kind: 'misconfigured', means: 'The ledger was moved elsewhere and is out of use.' },
  'ledger/unfinished': {
    kind: 'misconfigured',
    means: 'A copy of a ledger was begun here and not finished.',
  },
  'ledger/copy-differs': {
    kind: 'misconfigured',
    means: 'A copy of the ledger is not the same as the ledger.',
  },
  'ledger/rights': {
    kind: 'misconfigured',
    means: 'The database of the ledger refuses the user, the password or a right.',
  },
  'ledger/unusable': {
    kind: 'misconfigured',
    means: 'The file or database is no ledger, or cannot be written.',
  },
  'ledger/unreachable': {
    kind: 'unavailable',
    means: 'The database or the disk of the ledger does not answer.',
  },
  'ledger/read-only': { kind: 'unavailable', means: 'The database of the ledger takes no changes now.' },
  'ledger/tls': {
    kind: 'misconfigured',
    means: 'A trusted TLS connection to the PostgreSQL of the ledger could not be made.',
  },
  'ledger/busy': { kind: 'busy', means: 'Something else held the ledger for too long.' },
  'run/busy': { kind: 'busy', means: 'Another run of this ledger is going on.' },
  'run/lost-lease': {
    kind: 'unavailable',
    means: 'This run was suspended for so long that another one took its place.',
  },
  'payouts/paused': { kind: 'paused', means: 'The operator has paused paying, and this would pay.' },
  'ledger/currency': {
    kind: 'misconfigured',
    means: 'A currency has other digits than those recorded in the ledger.',
  },
  'ledger/source-differs': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The configuration names another Lamassu, or another start, than the ledger is bound to.',
  },
  'lnbits/unreachable': {
    kind: 'unavailable',
    concerns: 'payouts',
    means:
      'LNbits gave no reliable answer: it is not there, is too slow, was cut off, or something else answered.',
  },
  'lnbits/tls': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'A trusted TLS connection to LNbits could not be made.',
  },
  'lnbits/redirect': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'The address of LNbits leads to another address.',
  },
  'lnbits/proxy': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'LNbits, or something in front of it, does not let this host through.',
  },
  'lnbits/rate-limited': {
    kind: 'unavailable',
    concerns: 'payouts',
    means: 'LNbits takes no more requests from this address for now.',
  },
  'lnbits/refused': { kind: 'unavailable', concerns: 'payouts', means: 'LNbits answered and said no.' },
  'lnbits/balance': {
    kind: 'unavailable',
    concerns: 'payouts',
    means: 'The source wallet holds less than is due.',
  },
  'lnbits/wallet-full': {
    kind: 'unavailable',
    concerns: 'payouts',
    means: 'The source wallet holds more than LNbits lets a wallet hold, so no run can pay from it.',
  },
  'lnbits/service-fee': {
    kind: 'attention',
    concerns: 'payouts',
    means: 'LNbits began to take a service fee from the source wallet on top of each payment.',
  },
  'lnbits/key': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'LNbits does not know the wallet key, or the key may not do this.',
  },
  'lnbits/rights': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'The key of a wallet lacks a right that a run needs: to see its payments, to receive, or to send.',
  },
  'lnbits/superuser': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'LNbits does not let the superuser in, or the user is not the superuser.',
  },
  'lnbits/version': { kind: 'misconfigured', concerns: 'payouts', means: 'LNbits is too old.' },
  'lamassu/start-at': {
    kind: 'attention',
    concerns: 'source',
    means: '`start_at` is in the future, or before there were Lamassu machines.',
  },
  'lamassu/ssh-unreachable': {
    kind: 'unavailable',
    concerns: 'source',
    means: 'The SSH server in front of Lamassu does not answer.',
  },
  'lamassu/ssh-host-key': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The SSH server showed another host key than the configuration expects.',
  },
  'lamassu/ssh-algorithms': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The SSH server has no algorithm in common with this program.',
  },
  'lamassu/ssh-key': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The private SSH key cannot be used.',
  },
  'lamassu/ssh-authentication': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The SSH server refuses the user or the key.',
  },
  'lamassu/ssh-forbidden': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The SSH server does not allow this key or user to open the tunnel.',
  },
  'lamassu/ssh-forward': {
    kind: 'unavailable',
    concerns: 'source',
    means: 'The SSH server opens no tunnel to the PostgreSQL of Lamassu.',
  },
  'lamassu/unreachable': {
    kind: 'unavailable',
    concerns: 'source',
    means: 'The PostgreSQL of Lamassu does not answer.',
  },
  'lamassu/tls': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'A trusted TLS connection to the PostgreSQL of Lamassu could not be made.',
  },
  'lamassu/credentials': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The PostgreSQL of Lamassu refuses the user or the password.',
  },
  'lamassu/no-database': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'There is no such database on the PostgreSQL of Lamassu.',
  },
  'lamassu/unsuitable': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The PostgreSQL of Lamassu, or a pooler in front of it, cannot do what the bridge needs.',
  },
  'lamassu/column-missing': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'A table or column that the bridge needs is not there.',
  },
  'lamassu/too-many-rights': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The role that reads Lamassu may change something, or is a superuser.',
  },
  'lamassu/not-granted': {
    kind: 'misconfigured',
    concerns: 'source',
    means: 'The bridge may not read a column of Lamassu that it needs.',
  },
  'lamassu/timeout': { kind: 'unavailable', concerns: 'source', means: 'A query on Lamassu took too long.' },
  'lamassu/lost': {
    kind: 'unavailable',
    concerns: 'source',
    means: 'The connection to Lamassu was cut while it was in use.',
  },
  'lamassu/query': {
    kind: 'unavailable',
    concerns: 'source',
    means: 'The PostgreSQL of Lamassu could not answer a query.',
  },
  'ledger/wallet-differs': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'The configuration names another source wallet than the one from which payments are open.',
  },
  'ledger/restored': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'LNbits shows payments of this ledger that the ledger does not know.',
  },
  'ledger/in-use-elsewhere': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'Another copy of this ledger is in use, and was going to pay from the same source wallet.',
  },
  'reconcile/open': {
    kind: 'unavailable',
    means: 'Payments are open, and before LNbits 1.4 reading the wallets would change them.',
  },
  'lnbits/restored': {
    kind: 'misconfigured',
    concerns: 'payouts',
    means: 'LNbits no longer shows a payment that it had shown as paid.',
  },
  'clock/differs': { kind: 'attention', means: 'Two clocks that have to agree are far apart.' },
  'clock/entry': { kind: 'attention', means: 'Cash or a setting was entered by a clock that was wrong.' },
  'settle/changed': {
    kind: 'changed',
    means: 'The division of a settlement changed while the operator was asked.',
  },
  'metrics/listen': { kind: 'misconfigured', means: 'The address for the metrics cannot be used.' },
  'output/unwritable': { kind: 'unavailable', means: 'The output could not be written.' },
  'export/stopped': { kind: 'unavailable', means: 'An export was stopped before its end; it left no file.' },
  'payout/under-way': {
    kind: 'unavailable',
    means: 'A payment was sent so recently that its outcome is not known yet.',
  },
  'payout/wallet-unseen': {
    kind: 'attention',
    means: 'What another source wallet paid to a recipient cannot be seen, so nothing is paid from this one.',
  },
  'payout/contradicted': {
    kind: 'state',
    means: 'What the operator says of a payment contradicts what the wallets show.',
  },
  'credit/contradicted': {
    kind: 'state',
    means: 'What the operator says of a credit contradicts what the source wallet shows.',
  },
  'payout/changed': {
    kind: 'changed',
    means: 'What the operator was asked about has changed meanwhile.',
  },
  'ledger/no-clients': {
    kind: 'misconfigured',
    means: 'The ledger has no clients yet, or it is the wrong ledger.',
  },
} as const satisfies Record<string, { kind: Kind; means: string; concerns?: Concern }>;

export type ErrorCode = keyof typeof catalogue;

export interface ErrorDetails extends ErrorOptions {
  /**
   * The field of the input, or the key of the configuration, that the error concerns; the message does not repeat it.
   */
  field?: string | undefined;
  /** Overrides the kind of the code. */
  kind?: Kind | undefined;
  /** The operation that helps; by default the first one that the hint names. */
  next?: Call | undefined;
}

/** An expected failure: `text` says what happened, `hint` the way out. Neither ever holds a secret. */
export class BridgeError extends Error {
  readonly code: ErrorCode;
  readonly kind: Kind;
  readonly field: string | undefined;
  readonly text: string | Message;
  readonly hint: string | Message | undefined;
  readonly next: Call | undefined;

  constructor(code: ErrorCode, text: string | Message, hint?: string | Message, details: ErrorDetails = {}) {
    const { field, kind, next, ...options } = details;
    super(field === undefined ? `${text}` : `${field}: ${text}`, options);
    this.name = 'BridgeError';
    this.code = code;
    this.kind = kind ?? catalogue[code].kind;
    this.field = field;
    this.text = text;
    this.hint = hint;
    this.next = next ?? (typeof hint === 'object' ? hint.calls[0] : undefined);
  }

  /** The text with the field it concerns, for a longer message. */
  get sentence(): string | Message {
    return this.field === undefined ? this.text : message`${nameOf(this.field)}: ${this.text}`;
  }

  get concerns(): Concern | undefined {
    return (catalogue as Record<ErrorCode, { concerns?: Concern }>)[this.code].concerns;
  }
}

/** A failure of reading from the source, or of paying from the source wallet: the other half of a run goes on. */
export function concerns(error: unknown, half: 'source' | 'payouts'): error is BridgeError {
  return error instanceof BridgeError && (error.concerns === half || error.concerns === 'both');
}

/** `what` is a sentence without its full stop. */
type Refusal = (field: string, what: string | Message, hint?: string | Message) => BridgeError;

function refusal(kind: Kind): Refusal {
  return (field, what, hint) => new BridgeError('usage/invalid', message`${what}.`, hint, { field, kind });
}

/** A field of the input has a value that cannot be used. */
export const invalid = refusal('invalid');
/** There is nothing of that name or id. */
export const notFound = refusal('not-found');
/** The name is taken, or the input contradicts what is there. */
export const conflict = refusal('conflict');
/** The thing is there, but its state does not allow it. */
export const wrongState = refusal('state');
