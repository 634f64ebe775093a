import type { Command } from 'commander';
import { does, local } from '../command/call.ts';
import { define, reasonOption } from '../command/options.ts';
import { changedMachinePage } from '../pages/machine.ts';

export function register(machines: Command): void {
  const command = define(
    machines,
    'set',
    'change a machine; rates apply to cash-outs confirmed from now on',
    'machines set Antigua --commission-rate 5% --min-rate 3% --max-rate 8%',
    'machines set 7a1f4c2e9b8d4f60 --name Centro --currency GTQ',
  );
  reasonOption(command)
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
    .action(
      does(() => import('../../operations/machines.ts'), 'setMachineSettings', local(changedMachinePage)),
    );
}
