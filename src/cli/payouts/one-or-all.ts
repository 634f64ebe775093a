import type { Command } from 'commander';
import { type Action, takeOption } from '../command/call.ts';
import { usage } from '../terminal/context.ts';

/** One of two actions: by the id of a payout, or with `--all`. */
export function oneOrAll(one: Action, every: Action): Action {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const [id] = command.args;
    const all = takeOption(command, 'all') === true;
    if (all && id !== undefined) throw usage('--all: a payout is given as well.', 'Use one of them.');
    if (!all && id === undefined) throw usage('ID: no payout was given.', 'Give one, like p118, or --all.');
    await (all ? every : one)(...given);
  };
}
