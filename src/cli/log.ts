import type { Command } from 'commander';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Row } from '../export/rows.ts';
import { type Cli, makeCli } from './context.ts';
import { toStdout } from './output.ts';
import { clean, formatTime } from './print.ts';
import { parseRange, type RangeOptions, rangeOptions } from './range.ts';

interface LogOptions extends RangeOptions {
  subject?: string;
}

export function register(program: Command): void {
  rangeOptions(
    program.command('log').description('every change of the ledger by a person or a run, oldest first'),
  )
    .option('--actor <name>', 'only what this person, timer or daemon did')
    .option('--subject <what>', 'only what was done to this: alice, f12, p118, a machine, a cash-out')
    .addHelpText(
      'after',
      '\nWith --json the entries have the columns of `aio-dca export changes`.\n\nExamples:\n' +
        '  aio-dca log --from 2026-11-20\n  aio-dca log --subject f12\n  aio-dca log --actor dora --json',
    )
    .action(async (options: LogOptions, command: Command) => {
      const cli = makeCli(command);
      const { timezone } = await cli.config();
      const range = parseRange(options, timezone);
      const { kinds } = await import('../export/kinds.ts');
      const { pages } = await import('../export/rows.ts');
      const { formatted } = await import('../export/format.ts');
      await cli.withLedger('read', async ({ db }) => {
        const rows = pages(db, kinds.changes, { ...range, client: null, where: conditions(cli, options) });
        const json = cli.globals.json ?? false;
        await toStdout(json ? formatted(kinds.changes, rows, 'json', timezone) : entries(rows, timezone));
      });
    });
}

/** `--actor` elsewhere says who acts; reading changes nothing, so here it says whose changes. */
function conditions({ globals }: Cli, { subject }: LogOptions): RawBuilder<SqlBool>[] {
  const where: RawBuilder<SqlBool>[] = [];
  if (globals.actor !== undefined) where.push(sql`l.actor = ${globals.actor}`);
  if (subject !== undefined) {
    const named = [subject, `client ${subject}`, `commission ${subject}`, `machine ${subject}`];
    where.push(sql`l.subject in (${sql.join(named)})`);
  }
  return where;
}

async function* entries(pages: AsyncIterable<Row[]>, timezone: string): AsyncGenerator<string, void> {
  let none = true;
  for await (const rows of pages) {
    none = false;
    yield rows.map((row) => `${entry(row, timezone)}\n`).join('');
  }
  if (none) yield 'No change was made.\n';
}

/** One line that says who did what to what and why, and one for each value that differs. */
function entry(
  { at, actor, run, action, subject, reason, before = null, after = null }: Row,
  timezone: string,
): string {
  const by = run === null ? actor : `${actor}, run r${run}`;
  // `client add` of `client alice` is `client add alice`.
  const [noun] = `${action}`.split(' ');
  const to = `${subject}`.replace(`${noun} `, '');
  const why = reason === null ? '' : ` (${reason})`;
  const head = `${formatTime(`${at}`, timezone)}  ${by}: ${action} ${to}${why}`;
  return [head, ...differences(before, after)].map(clean).join('\n    ');
}

function differences(before: Row[string], after: Row[string]): string[] {
  const [was, is] = [members(before), members(after)];
  const names = [...new Set([...was.keys(), ...is.keys()])];
  return names.flatMap((name) => {
    const [old, value] = [was.get(name), is.get(name)];
    if (old === value) return [];
    const label = name === '' ? '' : `${name}: `;
    if (before === null) return [`${label}${value}`];
    if (after === null) return [`${label}was ${old}`];
    return [`${label}${old ?? 'none'} → ${value ?? 'none'}`];
  });
}

/** The members of an object in JSON as text, null ones left out; of anything else, one without a name. */
function members(json: Row[string]): Map<string, string> {
  if (typeof json !== 'string') return new Map();
  const value: unknown = JSON.parse(json);
  const whole = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { '': value };
  return new Map(
    Object.entries(whole).flatMap(([name, part]: [string, unknown]) =>
      part === null ? [] : [[name, typeof part === 'string' ? part : JSON.stringify(part)]],
    ),
  );
}
