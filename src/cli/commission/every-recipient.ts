import type { Cli } from '../terminal/context.ts';

/** All recipients, for pages that say how the commission is divided from now on. */
export async function everyRecipient(cli: Cli) {
  const { listRecipients } = await import('../../operations/commission.ts');
  return cli.perform(listRecipients, {});
}
