/**
 * Every failure that an operator can meet: a stable code, what it means, what to do, and the exit code.
 * `docs/errors.md` has one entry for each; a test keeps the two equal.
 *
 * Exit codes (sysexits.h where one fits): 1 a defect in this program, 2 something needs a person,
 * 64 wrong usage, 75 could not do it now and the next run goes on, 78 no retry will help.
 */
export const catalogue = {
  'internal/defect': { exit: 1, means: 'A defect of this program: report it, with the stack trace.' },
  'usage/invalid': { exit: 64, means: 'An argument or option has a value that cannot be used.' },
  'usage/confirm': {
    exit: 64,
    means: 'The command asks before it acts, and there is no terminal to ask on.',
  },
  'usage/declined': {
    exit: 64,
    means: 'A question was answered with no, or left with Esc, Ctrl-C or Ctrl-D.',
  },
  'init/stopped': {
    exit: 75,
    means: 'Another `init` is at work, or took a name meanwhile; this one left nothing behind.',
  },
  'init/unwritable': { exit: 78, means: '`init` cannot write its files.' },
  'config/missing': { exit: 78, means: 'No configuration file was found.' },
  'config/invalid': { exit: 78, means: 'The configuration file has a mistake.' },
  'config/secret': { exit: 78, means: 'A secret of the configuration is missing or cannot be read.' },
  'ledger/missing': { exit: 78, means: 'There is no ledger where the configuration says.' },
  'ledger/owner': { exit: 78, means: 'The ledger file belongs to another user.' },
  'ledger/newer': { exit: 78, means: 'The ledger was used by a newer version of this program.' },
  'ledger/outdated': { exit: 78, means: 'The ledger has an older schema than this program needs.' },
  'ledger/retired': { exit: 78, means: 'The ledger was moved elsewhere and is out of use.' },
  'ledger/unfinished': { exit: 78, means: 'A copy of a ledger was begun here and not finished.' },
  'ledger/copy-differs': { exit: 78, means: 'A copy of the ledger is not the same as the ledger.' },
  'ledger/rights': {
    exit: 78,
    means: 'The database of the ledger refuses the user, the password or a right.',
  },
  'ledger/unusable': { exit: 78, means: 'The ledger cannot be opened as a ledger, or not be written.' },
  'ledger/unreachable': { exit: 75, means: 'The database or the disk of the ledger does not answer.' },
  'ledger/read-only': { exit: 75, means: 'The database of the ledger takes no changes now.' },
  'ledger/tls': { exit: 78, means: 'No trusted TLS connection to the PostgreSQL of the ledger came about.' },
  'ledger/busy': { exit: 75, means: 'Another command held the ledger for too long.' },
  'run/busy': { exit: 75, means: 'Another run is going on on this ledger.' },
  'run/lost-lease': { exit: 75, means: 'This run stood still for so long that another one took its place.' },
  'payouts/paused': { exit: 75, means: 'Paying is paused by a person, and the command would pay.' },
  'ledger/currency': { exit: 78, means: 'A currency has other digits than the ledger keeps for it.' },
  'ledger/source-differs': {
    exit: 78,
    means: 'The configuration names another Lamassu, or another start, than the ledger is bound to.',
  },
  'lnbits/unreachable': {
    exit: 75,
    means:
      'LNbits gave no answer that can be relied on: not there, too slow, cut off, or something else answered.',
  },
  'lnbits/tls': { exit: 78, means: 'No trusted TLS connection to LNbits came about.' },
  'lnbits/redirect': { exit: 78, means: 'The address of LNbits leads to another address.' },
  'lnbits/proxy': { exit: 78, means: 'LNbits, or something in front of it, does not let this host through.' },
  'lnbits/rate-limited': { exit: 75, means: 'LNbits takes no more requests from this address for now.' },
  'lnbits/refused': { exit: 75, means: 'LNbits answered and said no.' },
  'lnbits/balance': { exit: 75, means: 'The source wallet holds less than is due.' },
  'lnbits/wallet-full': {
    exit: 75,
    means: 'The source wallet holds more than LNbits lets a wallet hold, so no run can pay from it.',
  },
  'lnbits/service-fee': {
    exit: 2,
    means: 'LNbits began to take a service fee from the source wallet on top of each payment.',
  },
  'lnbits/key': { exit: 78, means: 'LNbits does not know the wallet key, or the key may not do this.' },
  'lnbits/rights': {
    exit: 78,
    means: 'The key of a wallet may not do what a run needs it for: see its payments, receive, or send.',
  },
  'lnbits/superuser': {
    exit: 78,
    means: 'LNbits does not let the superuser in, or the user is not the superuser.',
  },
  'lnbits/version': { exit: 78, means: 'LNbits is too old.' },
  'lamassu/start-at': {
    exit: 2,
    means: '`start_at` is in the future, or before there were Lamassu machines.',
  },
  'lamassu/ssh-unreachable': { exit: 75, means: 'The SSH server in front of Lamassu does not answer.' },
  'lamassu/ssh-host-key': {
    exit: 78,
    means: 'The SSH server showed another host key than the configuration expects.',
  },
  'lamassu/ssh-algorithms': {
    exit: 78,
    means: 'The SSH server has no algorithm in common with this program.',
  },
  'lamassu/ssh-key': { exit: 78, means: 'The private SSH key cannot be used.' },
  'lamassu/ssh-authentication': { exit: 78, means: 'The SSH server refuses the user or the key.' },
  'lamassu/ssh-forbidden': {
    exit: 78,
    means: 'The SSH server does not allow this key or user to open the tunnel.',
  },
  'lamassu/ssh-forward': {
    exit: 75,
    means: 'The SSH server opens no tunnel to the PostgreSQL of Lamassu.',
  },
  'lamassu/unreachable': { exit: 75, means: 'The PostgreSQL of Lamassu does not answer.' },
  'lamassu/tls': { exit: 78, means: 'No trusted TLS connection to the PostgreSQL of Lamassu came about.' },
  'lamassu/credentials': { exit: 78, means: 'The PostgreSQL of Lamassu refuses the user or the password.' },
  'lamassu/no-database': { exit: 78, means: 'There is no such database on the PostgreSQL of Lamassu.' },
  'lamassu/unsuitable': {
    exit: 78,
    means: 'The PostgreSQL of Lamassu, or a pooler in front of it, cannot do what the bridge needs.',
  },
  'lamassu/column-missing': { exit: 78, means: 'A table or column that the bridge needs is not there.' },
  'lamassu/too-many-rights': {
    exit: 78,
    means: 'The role by which Lamassu is read may change something, or is a superuser.',
  },
  'lamassu/not-granted': { exit: 78, means: 'The bridge may not read a column of Lamassu that it needs.' },
  'lamassu/timeout': { exit: 75, means: 'A query on Lamassu took too long.' },
  'lamassu/lost': { exit: 75, means: 'The connection to Lamassu was cut while it was in use.' },
  'lamassu/query': { exit: 75, means: 'The PostgreSQL of Lamassu could not answer a query.' },
  'ledger/wallet-differs': {
    exit: 78,
    means: 'The configuration names another source wallet than the one from which payments are open.',
  },
  'ledger/restored': {
    exit: 78,
    means: 'LNbits shows payments of this ledger that the ledger does not know.',
  },
  'ledger/in-use-elsewhere': {
    exit: 78,
    means: 'Another copy of this ledger is in use, and was going to pay from the same source wallet.',
  },
  'reconcile/open': {
    exit: 75,
    means: 'Payments are open, and on an LNbits before 1.4 a look at the wallets would change them.',
  },
  'lnbits/restored': { exit: 78, means: 'LNbits no longer shows a payment that it had shown as paid.' },
  'clock/differs': { exit: 2, means: 'Two clocks that have to agree are far apart.' },
  'clock/entry': { exit: 2, means: 'Cash or a setting was entered by a clock that was wrong.' },
  'settle/changed': {
    exit: 75,
    means: 'The division of a settlement became another one while a person looked at it.',
  },
  'metrics/listen': { exit: 78, means: 'The address for the metrics cannot be used.' },
  'output/unwritable': { exit: 75, means: 'What was printed could not be written.' },
  'export/stopped': { exit: 75, means: 'An export was stopped before its end; it left no file.' },
  'payout/under-way': {
    exit: 75,
    means: 'A payment was sent so shortly ago that nobody can say yet what became of it.',
  },
  'payout/wallet-unseen': {
    exit: 2,
    means: 'What another source wallet paid to a recipient cannot be seen, so nothing is paid from this one.',
  },
  'payout/contradicted': {
    exit: 64,
    means: 'What a person says of a payment contradicts what the wallets show.',
  },
  'credit/contradicted': {
    exit: 64,
    means: 'What a person says of a credit contradicts what the source wallet shows.',
  },
  'payout/changed': {
    exit: 75,
    means: 'What a person was asked about became something else meanwhile.',
  },
  'ledger/no-clients': { exit: 78, means: 'The ledger has no clients yet, or it is the wrong ledger.' },
} as const satisfies Record<string, { exit: 1 | 2 | 64 | 75 | 78; means: string }>;

export type ErrorCode = keyof typeof catalogue;

/** An expected failure: `message` says what happened, `hint` the way out. Neither ever holds a secret. */
export class BridgeError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BridgeError';
    this.code = code;
    this.hint = hint;
  }

  get exitCode(): number {
    return catalogue[this.code].exit;
  }
}
