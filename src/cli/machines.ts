import type { Command } from 'commander';
import { answer, inputOf, local, print } from './call.ts';
import { reasonOption } from './options.ts';
import {
  changedMachinePage,
  machinePage,
  machinesPage,
  replacedPage,
  replacementQuestion,
} from './pages/machine.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  const machines = program.command('machines').description('the known machines, and the cash for them');
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
  reasonOption(machines.command('set'))
    .description('change a machine; rates apply to cash-outs confirmed from now on')
    .argument('<machine>', 'device id or name')
    .option('--name <name>', 'its name here, instead of the name in Lamassu')
    .option('--no-name', 'use the name in Lamassu')
    .option('--currency <code>', 'the currency that it pays out, like GTQ')
    .option('--no-currency', 'it pays out any currency')
    .option(
      '--commission-rate <rate>',
      'for fundings without a rate of their own, like 5%; "none": what Lamassu charged',
    )
    .option('--min-rate <rate>', 'the lowest rate that a funding may have; "none": any')
    .option('--max-rate <rate>', 'the highest rate that a funding may have; "none": any')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca machines set Antigua --commission-rate 5% --min-rate 3% --max-rate 8%\n' +
        '  aio-dca machines set 7a1f4c2e9b8d4f60 --name Centro --currency GTQ',
    )
    .action(set);
  reasonOption(machines.command('replace'))
    .description(
      'replace a machine by another one, or by itself with a new device id: its cash and settings move',
    )
    .argument('<old>', 'device id or name of the machine that is no longer in use')
    .argument('<new>', 'device id or name of the machine that replaces it')
    .addHelpText(
      'after',
      '\nShows what moves, and asks first. To undo it, replace the new machine by the old one.' +
        '\n\nExample:\n  aio-dca machines replace Antigua 9c2d1e7f5a3b4860',
    )
    .action(replace);
}

async function list(_options: object, command: Command): Promise<void> {
  const { listMachines } = await import('../operations/machines.ts');
  await answer(command, listMachines, {}, local(machinesPage));
}

async function show(machine: string, _options: object, command: Command): Promise<void> {
  const { showMachine } = await import('../operations/machines.ts');
  await answer(command, showMachine, { machine }, local(machinePage));
}

interface Settings {
  /** False with `--no-name`. */
  name?: string | false;
  /** False with `--no-currency`. */
  currency?: string | false;
}

async function set(machine: string, { name, currency, ...rates }: Settings, command: Command): Promise<void> {
  const { setMachineSettings } = await import('../operations/machines.ts');
  const input = { machine, ...inputOf(rates), name: name === false ? null : name };
  await answer(
    command,
    setMachineSettings,
    { ...input, currency: currency === false ? null : currency },
    local(changedMachinePage),
  );
}

async function replace(old: string, next: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { previewReplacement, replaceMachineBy } = await import('../operations/machines.ts');
  const plan = await cli.perform(previewReplacement, { old, new: next });
  await cli.confirm(replacementQuestion(plan));
  const done = await cli.perform(replaceMachineBy, { old, new: next, digest: plan.digest });
  await print(cli, done, done, local(replacedPage));
}
