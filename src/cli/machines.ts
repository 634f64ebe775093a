import type { Command } from 'commander';
import { formatDecimal } from '../dca/money.ts';
import type { MachineView, Remaining } from '../ledger/machines.ts';
import { makeCli } from './context.ts';
import { formatFiat, formatTime, table } from './print.ts';

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
}

async function list(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { machinesInUse, machineViews } = await import('../ledger/machines.ts');
  const views = await cli.withLedger('read', async ({ db }) => machineViews(db, await machinesInUse(db)));
  const rows = views.map((one) => [
    one.deviceId,
    one.name,
    one.currency,
    one.remaining.map(shown).join(', '),
    one.lastCashOut && formatTime(one.lastCashOut, timezone).slice(0, 16),
  ]);
  cli.answer(
    views.map(machineJson),
    rows.length === 0
      ? 'No machine is known yet. `aio-dca doctor` reads the machines of Lamassu.'
      : table(['machine', 'name', 'currency', 'cash for it', 'last cash-out'], rows),
  );
}

async function show(named: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { findMachine, machineViews } = await import('../ledger/machines.ts');
  const views = await cli.withLedger('read', async ({ db }) =>
    machineViews(db, [await findMachine(db, named, 'MACHINE')]),
  );
  for (const view of views) cli.answer(machineJson(view), page(view, timezone));
}

function machineJson(one: MachineView) {
  const amounts = (list: Remaining[]) =>
    Object.fromEntries(
      list.map(({ currency, digits, remaining }) => [currency, formatDecimal(remaining, digits)]),
    );
  return {
    machine: one.deviceId,
    name: one.name,
    currency: one.currency,
    first_seen: one.first_seen,
    remaining: amounts(one.remaining),
    remaining_any_machine: amounts(one.remainingAny),
    last_cash_out: one.lastCashOut,
  };
}

function page(one: MachineView, timezone: string): string {
  const amounts = (list: Remaining[]) => list.map(shown).join(', ') || 'none';
  return [
    `${one.name ?? 'A machine without a name'}, device id ${one.deviceId}, known since ${formatTime(one.first_seen, timezone)}`,
    `Currency: ${one.currency ?? 'not known'}`,
    `Cash of clients for this machine: ${amounts(one.remaining)}`,
    `Cash of clients for any machine: ${amounts(one.remainingAny)}`,
    `Last cash-out: ${one.lastCashOut ? formatTime(one.lastCashOut, timezone) : 'none yet'}`,
  ].join('\n');
}

function shown({ remaining, digits, currency }: Remaining): string {
  return formatFiat(remaining, digits, currency);
}
