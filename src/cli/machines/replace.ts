import type { Command } from 'commander';
import { asks, local } from '../command/call.ts';
import { define, reasonOption } from '../command/options.ts';
import { replacedPage, replacementQuestion } from '../pages/machine.ts';

export function register(machines: Command): void {
  const command = define(
    machines,
    'replace',
    'replace a machine by another one, or by itself with a new device id: its cash and settings move',
  );
  reasonOption(command)
    .argument('<old>', 'device id or name of the machine that is no longer in use')
    .argument('<new>', 'device id or name of the machine that replaces it')
    .addHelpText(
      'after',
      '\nShows what moves, and asks first. To undo it, replace the new machine by the old one.' +
        '\n\nExample:\n  aio-dca machines replace Antigua 9c2d1e7f5a3b4860',
    )
    .action(
      asks(
        () => import('../../operations/machines.ts'),
        ['previewReplacement', 'replaceMachineBy'],
        replacementQuestion,
        local(replacedPage),
      ),
    );
}
