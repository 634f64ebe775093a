import type { Command } from 'commander';
import { print } from '../command/call.ts';
import { reviewPage, stepOf, unseenPage } from '../pages/review.ts';
import { makeCli } from '../terminal/context.ts';

/** One row in review. What can be done about it is in its JSON as it is typed. */
export async function showRow(id: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { showReview } = await import('../../operations/reviews.ts');
  const view = await cli.perform(showReview, { id });
  const { timezone } = await cli.config();
  const { next, ...json } = view;
  await print(cli, { ...json, commands: next.map(stepOf) }, view, () =>
    view.state === null ? unseenPage(view) : reviewPage(view, timezone),
  );
}
