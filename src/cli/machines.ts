import type { Command } from 'commander';
import { does, local } from './command/call.ts';
import { define } from './command/options.ts';
import * as replace from './machines/replace.ts';
import * as set from './machines/set.ts';
import { machinePage, machinesPage } from './pages/machine.ts';

const operations = () => import('../operations/machines.ts');

export function register(program: Command): void {
  const machines = define(program, 'machines', 'the known machines, and the cash for them');
  define(machines, 'list', 'all machines in use', 'machines list').action(
    does(operations, 'listMachines', local(machinesPage)),
  );
  define(machines, 'show', 'one machine', 'machines show Antigua')
    .argument('<machine>', 'device id or name')
    .action(does(operations, 'showMachine', local(machinePage)));
  set.register(machines);
  replace.register(machines);
}
