import type * as z from 'zod';
import type { Operation } from '../../operations/operation.ts';
import type { settlementView } from '../../views/settlements.ts';
import {
  proposalPage,
  settledBeforePage,
  settledPage,
  settleQuestion,
  voidPage,
} from '../pages/settlement.ts';
import type { Cli } from '../terminal/context.ts';
import { canAsk } from '../terminal/prompt.ts';

const DRY_RUN = 'Dry run: nothing was written.';

/** Shows the division, and writes it once the operator agrees. */
export async function askToSettle<Input extends z.ZodType, Agreed extends z.ZodType>(
  cli: Cli,
  preview: Operation<'read', Input, typeof settlementView>,
  apply: Operation<'write', Agreed, typeof settlementView>,
  input: Record<string, unknown>,
  dryRun: boolean,
): Promise<void> {
  const { timezone } = await cli.config();
  const perform = (more: object = {}) => cli.perform(apply, { ...input, ...more } as z.input<Agreed>);
  if (cli.globals.yes && !dryRun) {
    const done = await perform();
    const text = done.already_settled
      ? settledBeforePage(done, timezone)
      : `${proposalPage(done, timezone)}\n${settledPage(done)}`;
    cli.answer(done, text);
    return;
  }
  const seen = await cli.perform(preview, input as z.input<Input>);
  if (seen.already_settled) {
    cli.answer(seen, settledBeforePage(seen, timezone));
    return;
  }
  const page = proposalPage(seen, timezone);
  if (dryRun) {
    cli.answer(seen, `${DRY_RUN}\n${page}`);
    return;
  }
  const doubt = seen.proposal?.currency_doubt ?? null;
  if (doubt !== null && input.new_currency !== true && !canAsk()) {
    const { doubtfulCurrency } = await import('../../operations/settlements.ts');
    throw doubtfulCurrency(doubt);
  }
  process.stderr.write(`${page}\n`);
  await cli.confirm(settleQuestion(seen));
  const done = await perform({ digest: seen.digest, ...(doubt !== null && { new_currency: true }) });
  cli.answer(done, done.already_settled ? settledBeforePage(done, timezone) : settledPage(done));
}

/** The same for a settlement that is undone. */
export async function askToUndo(cli: Cli, id: string, dryRun: boolean): Promise<void> {
  const { previewVoid, voidSettled } = await import('../../operations/settlements.ts');
  const { timezone } = await cli.config();
  if (cli.globals.yes && !dryRun) {
    const done = await cli.perform(voidSettled, { id });
    cli.answer(done, `${voidPage(done, timezone)}\n${undoneLine(done.id)}`);
    return;
  }
  const { digest, ...seen } = await cli.perform(previewVoid, { id });
  const page = voidPage({ ...seen, digest }, timezone);
  if (dryRun) {
    cli.answer({ ...seen, digest }, `${DRY_RUN}\n${page}`);
    return;
  }
  process.stderr.write(`${page}\n`);
  await cli.confirm(`Undo the settlement of ${seen.id}?`);
  const done = await cli.perform(voidSettled, { id: seen.id, ...(digest !== null && { digest }) });
  cli.answer(done, undoneLine(done.id));
}

function undoneLine(id: string): string {
  return `Undone: ${id} is no longer settled.`;
}
