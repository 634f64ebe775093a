import type { Command } from 'commander';
import type { LoggedChange } from '../operations/log.ts';
import type { RangeInput } from '../typed/range.ts';
import { inputOf } from './call.ts';
import { withRange } from './options.ts';
import { makeCli } from './terminal/context.ts';
import { clean, escapedJson, fitted, formatSats, formatTime, withLocalTimes } from './terminal/print.ts';
import { toStdout } from './terminal/stdout.ts';

interface LogOptions extends RangeInput {
  subject?: string;
}

export function register(program: Command): void {
  withRange(
    program.command('log').description('every change of the ledger by an operator or a run, oldest first'),
  )
    .option('--actor <name>', 'only changes by this operator, timer or daemon')
    .option(
      '--subject <what>',
      'only changes of this client (with fundings and payouts), f12, p118, cash-out or machine',
    )
    .addHelpText(
      'after',
      '\nWith --json the entries have the columns of `aio-dca export changes`.\n\nExamples:\n' +
        '  aio-dca log --from 2026-11-20\n  aio-dca log --subject f12\n  aio-dca log --actor dora --json',
    )
    .action(list);
}

async function list(options: LogOptions, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { listLog } = await import('../operations/log.ts');
  // Elsewhere `--actor` names who acts. Reading changes nothing, so here it selects changes by actor.
  const { actor, json = false } = cli.globals;
  await cli.perform(listLog, {
    ...{ ...inputOf(options), actor },
    take: (changes) => toStdout(json ? escaped(changes.json()) : entries(changes.pages, timezone)),
  });
}

async function* escaped(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  for await (const piece of pieces) yield escapedJson(piece);
}

async function* entries(
  pages: AsyncIterable<LoggedChange[]>,
  timezone: string,
): AsyncGenerator<string, void> {
  let none = true;
  for await (const rows of pages) {
    none = false;
    yield rows.map((row) => `${entry(row, timezone)}\n`).join('');
  }
  if (none) yield 'No change was made.\n';
}

/** The members that identify the object of a change. */
const ABOUT = ['cash_out', 'payment_hash'];

/** Members that hold an amount in satoshi. */
const SATS = ['sats', 'gross', 'commission', 'net', 'own', 'undelivered'];

/** One line that says who did what to what and why, and one for each value that differs. */
function entry(
  { at, actor, run, action, subject, reason, before = null, after = null }: LoggedChange,
  timezone: string,
): string {
  const by = run === null ? actor : `${actor}, run r${run}`;
  // `client add` of `client alice` prints `client add alice`; `payouts pause` of `payouts` prints `payouts pause`.
  const [noun = ''] = `${action}`.split(' ');
  const to = `${subject} `.replace(`${noun} `, '').trim();
  const why = reason === null ? '' : ` (${withLocalTimes(`${reason}`, timezone)})`;
  const head = `${formatTime(`${at}`, timezone)}  ${by}: ${action} ${to}${why}`.trim();
  return fitted([head, ...differences(before, after, timezone)].map(clean).join('\n    '), '      ');
}

function differences(before: LoggedChange[string], after: LoggedChange[string], timezone: string): string[] {
  const [was, is] = [members(before, timezone), members(after, timezone)];
  const names = [...new Set([...was.keys(), ...is.keys()])];
  return names.flatMap((name) => {
    const [old, value] = [was.get(name), is.get(name)];
    // Both sides name the subject of the entry: leave it out.
    if (old === value) return ABOUT.includes(name) ? [`${name}: ${value}`] : [];
    const label = name === '' ? '' : `${name}: `;
    if (before === null) return [`${label}${value}`];
    if (after === null) return [`${label}was ${old}`];
    return [`${label}${old ?? 'none'} → ${value ?? 'none'}`];
  });
}

/** The members of an object in JSON as text, without empty ones; of anything else, one without a name. */
function members(json: LoggedChange[string], timezone: string): Map<string, string> {
  if (typeof json !== 'string') return new Map();
  const value: unknown = JSON.parse(json);
  const whole = value instanceof Object && !Array.isArray(value) ? value : { '': value };
  const texts = Object.entries(whole).map(([name, part]) => [name, shown(name, part, timezone)] as const);
  return new Map(texts.filter(([, text]) => text !== ''));
}

function shown(name: string, value: unknown, timezone: string): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map((part) => shown(name, part, timezone)).join('; ');
  if (typeof value === 'object') {
    const parts = Object.entries(value).map(([name, part]) => [name, shown(name, part, timezone)] as const);
    return parts.flatMap(([name, text]) => (text === '' ? [] : [`${name} ${text}`])).join(', ');
  }
  const text = `${value}`;
  if (SATS.includes(name) && /^-?\d+$/.test(text)) return formatSats(BigInt(text));
  return withLocalTimes(text, timezone);
}
