import { formatSats } from '../../dca/money.ts';
import type { LoggedChange } from '../../operations/log.ts';
import { clean } from '../terminal/clean.ts';
import { formatTime, withLocalTimes } from '../terminal/figures.ts';
import { fitted } from '../terminal/wrap.ts';

/** The entries of the log, page by page: rows may be more than fit into memory. */
export async function* entries(
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
