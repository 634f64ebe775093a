import type { Command } from 'commander';
import { inputOf, takeOption } from '../command/call.ts';
import { makeCli, usage } from '../terminal/context.ts';
import { askToSettle, askToUndo } from './ask.ts';

interface SettleOptions {
  external?: string;
  void?: string;
  newCurrency?: boolean;
  dryRun?: boolean;
  [figure: string]: unknown;
}

/** Settles the cash-out that is given, or with `--void` undoes its settlement. */
export async function settleOrVoid(
  id: string | undefined,
  options: SettleOptions,
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const { external, void: undone, dryRun = false, ...figures } = options;
  for (const option of ['void', 'dryRun']) takeOption(command, option);
  const input = inputOf(command);
  const which = [id, external, undone].filter((one) => one !== undefined);
  if (which.length !== 1) {
    throw usage(
      `ID: ${which.length === 0 ? 'no cash-out was given' : 'more than one cash-out was given'}.`,
      'Give its id in Lamassu, or use --external or --void.',
    );
  }
  const operations = await import('../../operations/settlements.ts');
  if (undone !== undefined) {
    refuse(figures, NOT_WITH_VOID, '--void undoes the whole settlement; settle it again afterwards.');
    await askToUndo(cli, undone, dryRun);
  } else if (external === undefined) {
    refuse(figures, ['newCurrency'], 'Lamassu tells it; use it only with --external.');
    const { previewSettle, settleCashOut } = operations;
    await askToSettle(cli, previewSettle, settleCashOut, input, dryRun);
  } else {
    const { previewExternal, settleExternal } = operations;
    await askToSettle(cli, previewExternal, settleExternal, input, dryRun);
  }
}

const NOT_WITH_VOID = [
  'machine',
  'at',
  'fiat',
  'gross',
  'commission',
  'rate',
  'price',
  'credit',
  'newCurrency',
];

function refuse(options: Record<string, unknown>, names: string[], hint: string): void {
  const given = names.find((name) => options[name] !== undefined);
  const option = given?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (option) throw usage(`--${option}: it has no effect here.`, hint);
}
