import type { Command } from 'commander';
import { BridgeError } from '../errors.ts';
import { wayOut } from '../ledger/runs/clock-doubts.ts';
import { hostClock, toInstant } from '../time.ts';
import { parseTime } from '../typed/times.ts';
import { makeCli, usage } from './context.ts';
import { clean, counted, formatTime, wrapped } from './print.ts';
import { withReason } from './reason.ts';
import { errorInWords } from './words.ts';

export function register(program: Command): void {
  const clock = program
    .command('clock')
    .description('the clocks that decide whose cash went out, and what was entered by one that was wrong');
  clock
    .command('show')
    .description('what the clocks show, and the entries whose time is in doubt; exit 2 where there are any')
    .addHelpText('after', '\nExample:\n  aio-dca clock show')
    .action(show);
  withReason(clock.command('restate'))
    .description('since when settings hold that were entered by a clock that was wrong')
    .argument('<subject>', 'as `clock show` has it, like "client alice"; cash: aio-dca fundings confirm')
    .requiredOption('--at <time>', 'since when they hold, in truth')
    .addHelpText(
      'after',
      '\nExample:\n  aio-dca clock restate "client alice" --at "2026-11-20 09:30" --reason "the clock was a day ahead"',
    )
    .action(restate);
}

async function show(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { bestTime, entryTime, lastClocks, ledgerTime } = await import('../ledger/runs/clocks.ts');
  const { doubtsAt } = await import('../ledger/runs/clock-doubts.ts');
  const host = toInstant(hostClock().wall);
  const { last, server, entries, problem } = await cli.withLedger('read', async ({ db }) => ({
    last: await lastClocks(db),
    server: await ledgerTime(db),
    entries: await doubtsAt(db, await bestTime(db)),
    problem: await entryTime(db).then(
      () => null,
      (error: unknown) => {
        if (error instanceof BridgeError) return error;
        throw error;
      },
    ),
  }));
  const lines = [
    `This host: ${formatTime(host, timezone)}`,
    ...(server === null ? [] : [`The ledger's server: ${formatTime(server, timezone)}`]),
    last
      ? `Lamassu, as of run r${last.run}: ${formatTime(last.source, timezone)}, when this host showed ${formatTime(last.host, timezone)}`
      : 'Lamassu: not read yet',
    ...(problem === null ? [] : [`${problem.code}: ${errorInWords(problem).message}`]),
    ...entries.flatMap((one) => [
      `${one.subject} holds from ${formatTime(one.at, timezone)} on${one.expected === null ? '' : `, and was entered at about ${formatTime(one.expected, timezone)}`}`,
      `  ${wayOut(one)}`,
    ]),
    ...(entries.length + (problem === null ? 0 : 1) === 0 ? ['Nothing is in doubt.'] : []),
  ];
  cli.answer(
    {
      host,
      ledger: server,
      last_run: last ? { run: `r${last.run}`, lamassu: last.source, host: last.host } : null,
      problem: (problem && errorInWords(problem).message) ?? null,
      entries: entries.map((one) => ({
        ...{ subject: one.subject, from: one.at, entered_at: one.expected, way_out: wayOut(one) },
      })),
    },
    lines.map((line) => wrapped(clean(line))).join('\n'),
  );
  if (entries.length > 0 || problem !== null) process.exitCode = 2;
}

async function restate(text: string, options: { at: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const subject = text.trim();
  if (/^f\d+$/.test(subject)) {
    throw usage(
      'SUBJECT: the time of cash is put right where it is confirmed.',
      `aio-dca fundings confirm ${subject} --at "${options.at}"`,
    );
  }
  const { timezone } = await cli.config();
  const since = parseTime(options.at, timezone, '--at');
  const { bestTime } = await import('../ledger/runs/clocks.ts');
  const { restate: put } = await import('../ledger/runs/clock-doubts.ts');
  const entries = await cli.withLedger('write', (ledger) =>
    ledger.write(async (trx) => put(trx, cli.who, subject, since, await bestTime(trx, { stated: since }))),
  );
  cli.answer(
    { subject, from: since, entries },
    wrapped(
      `${counted(entries, 'setting')} of ${subject} ${entries === 1 ? 'holds' : 'hold'} from ${formatTime(since, timezone)} on.`,
    ),
  );
}
