import type { Command } from 'commander';
import type { z } from 'zod';
import type { Message } from '../lib/message.ts';
import type { Needs, Operation } from '../operations/operation.ts';
import { type Cli, makeCli } from './terminal/context.ts';
import { inCommandWords } from './terminal/words.ts';

/** Options of every command, which are no input of its operation. */
const OWN = new Set(['reason']);

/** The options of a command as the input of an operation: `--daily-limit` is `daily_limit`. */
export function inputOf(options: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options)
      .filter(([name]) => !OWN.has(name))
      .map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}

/** A page of a view: its text, or how to make it. */
type Page<View> = (view: View, cli: Cli) => string | Message | Promise<string | Message>;

/** Does one operation for a command and answers its view: as JSON, or as a page. */
export async function answer<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
  command: Command,
  operation: Operation<N, Input, View>,
  input: Record<string, unknown>,
  page: Page<z.output<View>>,
): Promise<z.output<View>> {
  const cli = makeCli(command);
  const view = await cli.perform(operation, input as z.input<Input>);
  await print(cli, view, view, page);
  return view;
}

/** The same for a list that grows for years. JSON has the rows only; stderr says if there are more. */
export async function answerPage<Row, N extends Needs, Input extends z.ZodType>(
  command: Command,
  operation: Operation<N, Input, z.ZodType<{ rows: Row[]; total: number }>>,
  input: Record<string, unknown>,
  page: Page<Row[]>,
): Promise<void> {
  const cli = makeCli(command);
  const view = await cli.perform(operation, input as z.input<Input>);
  await print(cli, view.rows, view.rows, page);
  tellMore(view);
}

/** Says on stderr that a list is cut, for readers of stdout would take it for complete. */
function tellMore({ rows, total }: { rows: unknown[]; total: number }): void {
  if (rows.length < total)
    console.error(`The newest ${rows.length} of ${total}; --limit ${total} shows all.`);
}

/** One JSON document, or the page. */
export async function print<View>(cli: Cli, json: unknown, view: View, page: Page<View>): Promise<void> {
  cli.answer(json, cli.globals.json || cli.globals.quiet ? '' : inCommandWords(await page(view, cli)));
}

/** A page with times, in the zone of the configuration. */
export function local<View>(page: (view: View, timezone: string) => string | Message): Page<View> {
  return async (view, cli) => page(view, (await cli.config()).timezone);
}
