/* The pages of the system and of the clocks on the admin site. */

export const systemEn = {
  version: 'Version',
  ledger: 'Ledger',
  config: 'Configuration',
  user: 'Runs as',
  checkTitle: 'Check everything',
  checkLead:
    'Each step that a run needs is tried: configuration, ledger, SSH, Lamassu, LNbits, clocks. Nothing is paid.',
  check: 'Check everything',
  checking: 'It takes some seconds.',
  noCheck: 'Owners and operators see the checks and the configuration.',
  allGood: 'Everything works.',
  someBad: (count: number) => `${count === 1 ? '1 check' : `${count} checks`} failed.`,
  levels: { ok: 'good', warn: 'look at it', fail: 'failed' },
  checkHeads: { name: 'Check', level: 'Result', detail: 'What was found', hint: 'What to do' },
  lacks: 'This site runs without some keys, which is safer. What needs them works on the host:',
  settings: {
    title: 'The configuration in force',
    lead: 'It is changed in the file only. Of a secret it says whether it is set, never what it is.',
    key: 'Setting',
    value: 'Value',
    origin: 'From',
    line: (line: number) => `line ${line}`,
    refused: 'a mistake, so not shown',
    empty: 'not set',
    secrets: 'Secrets',
    state: 'State',
    place: 'Where',
    ignored: 'Variables that nothing reads:',
    problem: 'The file has a mistake:',
  },
  origins: {
    file: 'the file',
    'ledger.url': 'the address of the ledger',
    default: 'the default',
    unset: 'nowhere',
  },
  secretStates: { set: 'set', missing: 'missing', unusable: 'cannot be used', unset: 'not set' },
  backup: {
    title: 'Backup',
    lead: 'A backup is made on the host, with the program’s backup command, and is then put somewhere else.',
    after:
      'Once a day is right, kept away from this machine. It holds everything, and nobody comes in by it: sessions, links and tokens are ended in the copy.',
  },
  clocks: 'Clocks',
  more: 'More',
};

export type SystemTexts = typeof systemEn;

export const clocksEn = {
  title: 'Clocks',
  lead: 'Which cash counts for a cash-out is decided by time. These clocks have to agree.',
  host: 'This host',
  ledger: 'The server of the ledger',
  file: 'the ledger is a file of this host',
  lamassu: (run: string) => `Lamassu, in run ${run}`,
  hostThen: 'This host, at that moment',
  none: 'no run yet',
  good: 'Nothing contradicts the clock of this host.',
  bad: 'The clock of this host cannot be right:',
  entries: 'Entries that a wrong clock made',
  noEntries: 'No entry is in doubt.',
  heads: { subject: 'What', from: 'Counts from', entered: 'Entered about', way: 'What to do' },
  unknown: 'not known',
  restate: 'Correct the time',
  form: {
    title: (subject: string) => `Correct the time of ${subject}`,
    lead: 'From when the entry really counts. Cash-outs that waited for this are divided by the next run.',
    subject: 'What',
    at: 'Counts from',
    atHelp: 'A local time like 2026-11-21 14:30.',
    submit: 'Correct the time',
    done: 'The time is corrected. To undo this, correct it again.',
  },
};

export type ClocksTexts = typeof clocksEn;
