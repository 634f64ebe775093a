import type { Command } from 'commander';
import type * as z from 'zod';
import { BridgeError } from '../../errors.ts';
import type { Message } from '../../lib/message.ts';
import type { Operation } from '../../operations/operation.ts';
import type { EnteredFundingView, enteredFundingView, pastView } from '../../views/fundings.ts';
import { type Action, inputOf, local, print } from '../command/call.ts';
import { reasonOption } from '../command/options.ts';
import { pastLines } from '../pages/funding.ts';
import { makeCli } from '../terminal/context.ts';
import { canAsk, choose } from '../terminal/prompt.ts';
import { errorInWords, inCommandWords } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';

/** Options that decide what happens to cash-outs that were divided before the cash was entered. */
export function withPast(command: Command): Command {
  return reasonOption(command)
    .option('--from-own', "entered late: give it its part of the operator's own share in past cash-outs")
    .option('--no-past', 'entered late: leave past cash-outs as they are');
}

type PreviewAndEntry =
  | ['previewAddFunding', 'addOneFunding']
  | ['previewConfirmFunding', 'confirmOneFunding'];

/**
 * Enters cash. If past cash-outs were divided without it and no option decides about them, it asks on the terminal;
 * without a terminal, the error lists them.
 */
export function enters(
  [previewed, entered]: PreviewAndEntry,
  page: (view: EnteredFundingView, timezone: string) => string | Message,
): Action {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const cli = makeCli(command);
    const operations = await import('../../operations/enter-funding.ts');
    const preview = operations[previewed] as Operation<'read', z.ZodType, typeof pastView>;
    const operation = operations[entered] as Operation<'write', z.ZodType, typeof enteredFundingView>;
    const input = inputOf(command);
    const enter = (given: object) => cli.perform(operation, given);
    const done = await enter(input).catch(async (error: unknown) => {
      if (!(error instanceof BridgeError) || error.next?.operation !== preview.name) throw error;
      const past = await cli.perform(preview, input);
      const lines = pastLines(past, (await cli.config()).timezone);
      const told = (text: string) => [text, ...lines].join('\n');
      if (!canAsk()) throw new BridgeError(error.code, told(inCommandWords(error.text)), error.hint, error);
      process.stderr.write(`${wrapped(told(errorInWords(error).message))}\n`);
      const choice = await choose('What should happen to them?', [
        { value: 'from_own', label: "It gets its part out of the operator's own share (--from-own)" },
        { value: 'no_past', label: 'They stay as they are (--no-past)' },
      ]);
      return enter({ ...input, [choice]: true, digest: past.digest });
    });
    await print(cli, done, done, local(page));
  };
}
