import type { Command } from 'commander';
import { formatDecimal, formatRate, percent, percentRange } from '../dca/money.ts';
import type { Funding } from '../ledger/fundings/view.ts';
import type { MachineChange } from '../ledger/machines/changes.ts';
import type { MachineView, Remaining } from '../ledger/machines/machines.ts';
import { now } from '../time.ts';
import { parseCurrency } from '../typed/numbers.ts';
import { makeCli, usage } from './context.ts';
import { clean, formatFiat, formatTime, table, wrapped } from './print.ts';
import { parseCommissionRate } from './rate.ts';
import { withReason } from './reason.ts';

export function register(program: Command): void {
  const machines = program.command('machines').description('the ATMs that are known, and the cash for them');
  machines
    .command('list')
    .description('all machines in use')
    .addHelpText('after', '\nExample:\n  aio-dca machines list')
    .action(list);
  machines
    .command('show')
    .description('one machine')
    .argument('<machine>', 'device id or name')
    .addHelpText('after', '\nExample:\n  aio-dca machines show Antigua')
    .action(show);
  withReason(machines.command('set'))
    .description('change a machine; rates hold for cash-outs confirmed from now on')
    .argument('<machine>', 'device id or name')
    .option('--name <name>', 'how it is called here, whatever Lamassu calls it')
    .option('--no-name', 'it is called what Lamassu calls it')
    .option('--currency <code>', 'what it pays out, like GTQ')
    .option('--no-currency', 'it pays out any')
    .option(
      '--commission-rate <rate>',
      'of fundings without one of their own, like 5%; "none": what Lamassu charged',
    )
    .option('--min-rate <rate>', 'the least that a funding may have of its own; "none": any')
    .option('--max-rate <rate>', 'the most that a funding may have of its own; "none": any')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca machines set Antigua --commission-rate 5% --min-rate 3% --max-rate 8%\n' +
        '  aio-dca machines set 7a1f4c2e9b8d4f60 --name Centro --currency GTQ',
    )
    .action(set);
  withReason(machines.command('replace'))
    .description(
      'another machine, or the same one re-imaged, takes the place of one: its cash and settings move',
    )
    .argument('<old>', 'device id or name of the one that is in use no more')
    .argument('<new>', 'device id or name of the one that takes its place')
    .addHelpText(
      'after',
      '\nShows what moves and asks before. The other way round it is taken back.' +
        '\n\nExample:\n  aio-dca machines replace Antigua 9c2d1e7f5a3b4860',
    )
    .action(replace);
}

async function list(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { machinesInUse, machineViews } = await import('../ledger/machines/machines.ts');
  const views = await cli.withLedger('read', async ({ db }) =>
    machineViews(db, await machinesInUse(db), now()),
  );
  const rows = views.map((one) => [
    one.deviceId,
    one.name,
    one.currency ?? 'not set',
    one.rates.rate === null ? null : percent(one.rates.rate),
    one.remaining.map(shown).join(', '),
    one.remainingAny.map(shown).join(', '),
    one.lastCashOut && formatTime(one.lastCashOut, timezone).slice(0, 16),
  ]);
  cli.answer(
    views.map(machineJson),
    rows.length === 0
      ? 'No machine is known yet. `aio-dca doctor` reads the machines of Lamassu.'
      : table(['machine', 'name', 'currency', 'rate', 'cash for it', 'cash for any', 'last cash-out'], rows),
  );
}

async function show(named: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { findMachine, findReplaced, machineLabel, machineViews } = await import(
    '../ledger/machines/machines.ts'
  );
  const { views, replaced } = await cli.withLedger('read', async ({ db }) => {
    const gone = await findReplaced(db, named);
    const machine = gone?.machine ?? (await findMachine(db, named, 'MACHINE'));
    return { views: await machineViews(db, [machine], now()), replaced: gone };
  });
  for (const view of views) {
    cli.answer(
      {
        ...machineJson(view),
        replaced_by: replaced?.by.device_id ?? null,
        replaced_at: replaced?.since ?? null,
      },
      [
        ...(replaced
          ? [
              wrapped(
                `Replaced by ${clean(machineLabel(replaced.by))} since ${formatTime(replaced.since, timezone)}; to take it back:`,
              ),
              `  aio-dca machines replace ${clean(replaced.by.device_id)} ${clean(replaced.machine.device_id)}`,
            ]
          : []),
        page(view, timezone),
      ].join('\n'),
    );
  }
}

interface Settings {
  /** False with --no-name. */
  name?: string | false;
  /** False with --no-currency. */
  currency?: string | false;
  commissionRate?: string;
  minRate?: string;
  maxRate?: string;
}

async function set(named: string, options: Settings, command: Command): Promise<void> {
  const cli = makeCli(command);
  if (Object.keys(options).every((key) => key === 'reason')) {
    throw usage(
      'machines set: nothing to change was named.',
      '`aio-dca machines set --help` shows what can be changed.',
    );
  }
  const change: MachineChange = {
    name: orNone(options.name, parseMachineName),
    rate: rateOrNone(options.commissionRate, '--commission-rate'),
    min_rate: rateOrNone(options.minRate, '--min-rate'),
    max_rate: rateOrNone(options.maxRate, '--max-rate'),
  };
  const { timezone } = await cli.config();
  const { setMachine } = await import('../ledger/machines/changes.ts');
  const { findMachine, machineViews } = await import('../ledger/machines/machines.ts');
  const { bestTime } = await import('../ledger/runs/clocks.ts');
  const { entryTimeOf } = await import('../ledger/runs/clock-doubts.ts');
  const rates = [change.rate, change.min_rate, change.max_rate].some((rate) => rate !== undefined);
  const { views, outside } = await cli.withLedger('write', async ({ db, write }) => {
    const known = await cli.currencies(db);
    const currency = orNone(options.currency, (text) => {
      const { currency: code, digits } = parseCurrency(text, '--currency', known);
      return { code, digits };
    });
    const { at, done } = await write(async (trx) => {
      const { device_id: id } = await findMachine(trx, named, 'MACHINE');
      const time = await (rates ? entryTimeOf(trx, `machine ${id}`) : bestTime(trx));
      return {
        at: time,
        done: await setMachine(trx, { ...cli.who, at: time }, named, { ...change, currency }),
      };
    });
    return { views: await machineViews(db, [done.machine], at), outside: done.outside };
  });
  const kept = outside.map((one) => `f${one.id} (${percent(one.rate ?? 0n)})`);
  for (const view of views) {
    cli.answer(
      { ...machineJson(view), outside: outside.map((one) => `f${one.id}`) },
      [
        page(view, timezone),
        ...(kept.length > 0 ? [`Outside of that, and as agreed before: ${kept.join(', ')}.`] : []),
      ].join('\n'),
    );
  }
}

async function replace(
  oldNamed: string,
  newNamed: string,
  _options: object,
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { replaceMachine } = await import('../ledger/machines/changes.ts');
  const { machineLabel, machineViews } = await import('../ledger/machines/machines.ts');
  const { who } = cli;
  const { views, old, moved } = await cli.withLedger('write', async ({ db, dryRun, write }) => {
    const planned = await dryRun((trx) => replaceMachine(trx, { ...who, at: now() }, oldNamed, newNamed));
    const question =
      `${machineLabel(planned.next)} takes the place of ${machineLabel(planned.old)}: ${movedText(planned.moved)}. ` +
      `Device id ${planned.old.device_id} is in use no more then. Replace it?`;
    await cli.confirm(wrapped(clean(question)));
    const { entryTime } = await import('../ledger/runs/clocks.ts');
    const changed = await write(async (trx) => {
      const at = await entryTime(trx);
      const result = await replaceMachine(trx, { ...who, at }, oldNamed, newNamed);
      if (movedText(result.moved) === movedText(planned.moved)) return { ...result, at };
      throw usage('OLD: meanwhile its fundings have changed.', 'Look at it again: nothing was written.');
    });
    return { ...changed, views: await machineViews(db, [changed.next], changed.at) };
  });
  const fundings = moved.map((one) => `f${one.id}`);
  for (const view of views) {
    cli.answer(
      { ...machineJson(view), replaces: old.device_id, fundings },
      [
        `${clean(machineLabel(old))} is replaced; ${fundings.length === 0 ? 'it had no open fundings.' : `moved ${fundings.join(', ')}.`}`,
        page(view, timezone),
      ].join('\n'),
    );
  }
}

/** `f1 (300.00 GTQ remaining) and f2 (…) move`. */
function movedText(moved: Funding[]): string {
  if (moved.length === 0) return 'no open funding moves';
  const each = moved.map(
    (one) => `f${one.id} of ${one.client} (${formatFiat(one.remaining, one.digits, one.currency)})`,
  );
  return `with it ${each.length === 1 ? 'moves' : 'move'} ${each.join(', ')}`;
}

/** Lamassu's names are any text; one that a person types has to fit a line. */
function parseMachineName(text: string): string {
  const name = text.trim().normalize('NFC');
  if (name !== '' && [...name].length <= 64 && clean(name) === name) return name;
  throw usage('--name: it cannot be a name.', 'Use 1 to 64 characters on one line, like "Antigua".');
}

/** Null where it is taken away. */
function orNone<T>(text: string | false | undefined, parse: (text: string) => T): T | null | undefined {
  return typeof text === 'string' ? parse(text) : text === false ? null : undefined;
}

function rateOrNone(text: string | undefined, field: string): bigint | null | undefined {
  if (text === undefined) return undefined;
  return text.trim() === 'none' ? null : parseCommissionRate(text, field);
}

function machineJson(one: MachineView) {
  const rate = (of: bigint | null) => (of === null ? null : formatRate(of));
  const amounts = (list: Remaining[]) =>
    Object.fromEntries(
      list.map(({ currency, digits, remaining }) => [currency, formatDecimal(remaining, digits)]),
    );
  return {
    machine: one.deviceId,
    name: one.name,
    currency: one.currency,
    first_seen: one.first_seen,
    commission_rate: rate(one.rates.rate),
    min_rate: rate(one.rates.min_rate),
    max_rate: rate(one.rates.max_rate),
    remaining: amounts(one.remaining),
    remaining_any_machine: amounts(one.remainingAny),
    last_cash_out: one.lastCashOut,
  };
}

function page(one: MachineView, timezone: string): string {
  const amounts = (list: Remaining[]) => list.map(shown).join(', ') || 'none';
  return [
    `${one.name ?? 'A machine without a name'}, device id ${one.deviceId}, known since ${formatTime(one.first_seen, timezone)}`,
    `Currency: ${one.currency ?? 'not set, so cash of any serves it'}`,
    `Commission: ${one.rates.rate === null ? 'what Lamassu charged' : percent(one.rates.rate)}; a funding may have ${percentRange(one.rates.min_rate, one.rates.max_rate)}`,
    `Cash of clients for this machine: ${amounts(one.remaining)}`,
    `Cash of clients for any machine: ${amounts(one.remainingAny)}`,
    `Last cash-out: ${one.lastCashOut ? formatTime(one.lastCashOut, timezone) : 'none yet'}`,
  ]
    .map((line) => wrapped(clean(line)))
    .join('\n');
}

function shown({ remaining, digits, currency }: Remaining): string {
  return formatFiat(remaining, digits, currency);
}
