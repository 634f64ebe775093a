import type { Command } from 'commander';
import type { SettlementView } from '../../views/settlements.ts';
import { type Action, asks, does, local, takeOption, unlessDry } from '../command/call.ts';
import {
  settledPage,
  settlementDryRunPage,
  settleQuestion,
  voidDryRunPage,
  voidedPage,
  voidQuestion,
} from '../pages/settlement.ts';
import { type Cli, usage } from '../terminal/context.ts';
import { canAsk } from '../terminal/prompt.ts';

const operations = () => import('../../operations/settlements.ts');
const voiding = () => import('../../operations/void-settlement.ts');

const settle = unlessDry(
  does(operations, 'previewSettle', local(settlementDryRunPage)),
  asks(operations, ['previewSettle', 'settleCashOut'], local(settleQuestion), settled),
);
const settleExternal = unlessDry(
  does(operations, 'previewExternal', local(settlementDryRunPage)),
  asks(operations, ['previewExternal', 'settleExternal'], askedIfDoubtful, settled),
);
const undo = unlessDry(
  does(voiding, 'previewVoid', local(voidDryRunPage)),
  asks(voiding, ['previewVoid', 'voidSettled'], local(voidQuestion), async (done, cli) =>
    voidedPage(done, (await cli.config()).timezone, !isShown(cli)),
  ),
);

interface SettleOptions {
  external?: string;
  void?: string;
  [figure: string]: unknown;
}

/** Settles the cash-out that is given, or with `--void` undoes its settlement. */
export const settleOrVoid: Action = async (...all) => {
  const command = all.at(-1) as Command;
  const [id] = command.args;
  const { external, void: undone, ...figures } = command.opts<SettleOptions>();
  const which = [id, external, undone].filter((one) => one !== undefined);
  if (which.length !== 1) {
    throw usage(
      `ID: ${which.length === 0 ? 'no cash-out was given' : 'more than one cash-out was given'}.`,
      'Give its id in Lamassu, or use --external or --void.',
    );
  }
  if (external !== undefined) return settleExternal(...all);
  if (undone === undefined) {
    refuse(figures, ['newCurrency'], 'Lamassu tells it; use it only with --external.');
    return settle(...all);
  }
  refuse(figures, NOT_WITH_VOID, '--void undoes the whole settlement; settle it again afterwards.');
  command.processedArgs[0] = takeOption(command, 'void');
  return undo(...all);
};

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

/** A yes also confirms a doubtful currency. Without a terminal, only an option can. */
async function askedIfDoubtful(
  seen: SettlementView,
  cli: Cli,
  given: { new_currency?: boolean | undefined },
) {
  const doubt = seen.proposal?.currency_doubt ?? null;
  if (doubt !== null && given.new_currency !== true && !canAsk()) {
    const { doubtfulCurrency } = await operations();
    throw doubtfulCurrency(doubt);
  }
  const asked = settleQuestion(seen, (await cli.config()).timezone);
  return asked && { ...asked, ...(doubt !== null && { agreed: { new_currency: true } }) };
}

async function settled(done: SettlementView, cli: Cli): Promise<string> {
  return settledPage(done, (await cli.config()).timezone, !isShown(cli));
}

/** Whether a preview was shown: with `--yes` there was none. */
function isShown({ globals }: Cli): boolean {
  return !globals.yes;
}
