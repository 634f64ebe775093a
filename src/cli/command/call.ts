import type { Command, Option } from 'commander';
import type * as z from 'zod';
import type { Message } from '../../lib/message.ts';
import type { Needs, Operation } from '../../operations/operation.ts';
import { type Cli, makeCli } from '../terminal/context.ts';
import { fieldOf, inCommandWords } from '../terminal/words.ts';
import { readKey } from './key-file.ts';

/** What commander calls with the arguments, the options, and at last the command. */
export type Action = (...all: unknown[]) => Promise<void>;
type Input = Record<string, unknown>;
type AnyOperation = Operation<Needs, z.ZodType, z.ZodType>;
type ViewOf<One> = One extends { view: infer View extends z.ZodType } ? z.output<View> : never;
type InputOf<One> = One extends { input: infer Given extends z.ZodType } ? z.input<Given> : never;
type RowOf<One> = ViewOf<One> extends { rows: (infer Row)[] } ? Row : never;

export type Text = string | Message;
/** A page of a view: its text, or how to make it; also from what was asked for. */
type PageOf<View, Given = unknown> = (view: View, cli: Cli, input: Given) => Text | Promise<Text>;
/** A question, below the page that it is about. A yes also adds `agreed` to the input; `ifNot` follows a no. */
export interface PagedQuestion {
  page?: Text;
  question: Text;
  agreed?: Input;
  ifNot?: Message | undefined;
}
type PreviewQuestion = Text | PagedQuestion | null;
/** What is asked about a preview; null: nothing. */
type QuestionOf<View, Given> = (
  seen: View,
  cli: Cli,
  input: Given,
) => PreviewQuestion | Promise<PreviewQuestion>;

/**
 * The arguments and options of a command as the input of its operation: `--daily-limit` is `daily_limit`, `--no-name`
 * null where there is a `--name`, an option that names a file with a secret that secret. The reason is no input,
 * and neither is what `takeOption` took.
 */
export function inputOf(command: Command): Input {
  const { options, registeredArguments, processedArgs } = command;
  const values: [string, unknown][] = registeredArguments.map((one, at) => [one.name(), processedArgs[at]]);
  for (const option of options) {
    const name = option.attributeName();
    const value: unknown = command.opts()[name];
    if (!option.negate) values.push([fieldOf(option.name()), value === false ? null : read(option, value)]);
    else if (!options.some((other) => other !== option && other.attributeName() === name))
      values.push([fieldOf(option.name()), value === false]);
  }
  return Object.fromEntries(values.filter(([name, value]) => name !== 'reason' && value !== undefined));
}

/** Takes an option from the command that is no input: it chooses the operation, or what happens to the answer. */
export function takeOption(command: Command, option: string): unknown {
  const value: unknown = command.getOptionValue(option);
  command.setOptionValue(option, undefined);
  return value;
}

function read(option: Option, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => read(option, one));
  const isSecret = typeof value === 'string' && /-(key|password)-file$/.test(option.name());
  return isSecret ? readKey(value, `--${option.name()}`) : value;
}

/** Does one operation with the arguments and options of the command, and answers its view: as JSON, or as a page. */
export function does<Module, Name extends keyof Module>(
  load: () => Promise<Module>,
  name: Name,
  page: PageOf<ViewOf<Module[Name]>, InputOf<Module[Name]>>,
  exitCode?: (view: ViewOf<Module[Name]>) => number,
): Action {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const module = await load();
    await answer(makeCli(command), { module, name, input: inputOf(command), page, exitCode });
  };
}

/** The same for what asks first: shows a preview and asks, then does only what was shown. `--yes` needs no preview. */
export function asks<Module, Preview extends keyof Module, Name extends keyof Module>(
  load: () => Promise<Module>,
  [preview, name]: [Preview, Name],
  question: QuestionOf<ViewOf<Module[Preview]>, InputOf<Module[Preview]>>,
  page: PageOf<ViewOf<Module[Name]>, InputOf<Module[Name]>>,
  exitCode?: (view: ViewOf<Module[Name]>) => number,
): Action {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const cli = makeCli(command);
    const input = inputOf(command);
    const module = await load();
    let agreed: Input = {};
    if (!cli.globals.yes) {
      const seen = (await cli.perform(operationOf(module, preview), input)) as ViewOf<Module[Preview]>;
      const asked = await question(seen, cli, input as InputOf<Module[Preview]>);
      const { digest } = seen as { digest: string | null };
      agreed = { ...(digest !== null && { digest }), ...(await agreedTo(asked, cli)) };
    }
    await answer(cli, { module, name, input: { ...input, ...agreed }, page, exitCode });
  };
}

/** Asks, and answers what a yes adds to the input. Throws `usage/declined`. */
async function agreedTo(asked: PreviewQuestion, cli: Cli): Promise<Input> {
  if (asked === null) return {};
  if (typeof asked === 'string' || !('question' in asked)) {
    await cli.confirm(asked);
    return {};
  }
  if (asked.page !== undefined) process.stderr.write(`${inCommandWords(asked.page)}\n`);
  await cli.confirm(asked.question, asked.ifNot);
  return asked.agreed ?? {};
}

/** The same for a list that grows for years. JSON has the rows only; stderr says if there are more. */
export function lists<Module, Name extends keyof Module>(
  load: () => Promise<Module>,
  name: Name,
  page: PageOf<RowOf<Module[Name]>[]>,
): Action {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const cli = makeCli(command);
    const view = await cli.perform(operationOf(await load(), name), inputOf(command));
    const { rows, total } = view as { rows: RowOf<Module[Name]>[]; total: number };
    await print(cli, rows, rows, page);
    // Readers of stdout would take a list that is cut for complete.
    if (rows.length < total)
      console.error(`The newest ${rows.length} of ${total}; --limit ${total} shows all.`);
  };
}

/** One of two actions: with `--dry-run` the first. */
export function unlessDry(preview: Action, action: Action): Action {
  return (...all) => (takeOption(all.at(-1) as Command, 'dryRun') ? preview : action)(...all);
}

/** An operation of a module, what it is asked with, and how its view is shown. */
interface Performed<Module, Name extends keyof Module> {
  module: Module;
  name: Name;
  input: Input;
  page: PageOf<ViewOf<Module[Name]>, InputOf<Module[Name]>>;
  /** By default 0. */
  exitCode: ((view: ViewOf<Module[Name]>) => number) | undefined;
}

async function answer<Module, Name extends keyof Module>(
  cli: Cli,
  { module, name, input, page, exitCode = () => 0 }: Performed<Module, Name>,
): Promise<void> {
  const view = (await cli.perform(operationOf(module, name), input)) as ViewOf<Module[Name]>;
  await print(cli, view, view, (shown, own) => page(shown, own, input as InputOf<Module[Name]>));
  const code = exitCode(view);
  if (code !== 0) process.exitCode = code;
}

/** The types of `does` and its neighbours hold an operation and its page together; what follows takes any. */
function operationOf<Module>(module: Module, name: keyof Module): AnyOperation {
  return module[name] as AnyOperation;
}

/** One JSON document, or the page. */
export async function print<View>(cli: Cli, json: unknown, view: View, page: PageOf<View>): Promise<void> {
  const text = cli.globals.json || cli.globals.quiet ? '' : inCommandWords(await page(view, cli, undefined));
  // A run by cron mostly prints nothing, and measuring widths takes longer to load than all of the command line.
  const fitted = text === '' ? '' : (await import('../terminal/wrap.ts')).fittedPage(text);
  cli.answer(json, fitted);
}

/** A page or a question with times, in the zone of the configuration. */
export function local<View, Answer extends Text | PagedQuestion | null>(
  page: (view: View, timezone: string) => Answer | Promise<Answer>,
): (view: View, cli: Cli) => Promise<Answer> {
  return async (view, cli) => page(view, (await cli.config()).timezone);
}

/** The exit code of what checks: 2, something needs the operator, unless all is well. */
export function unlessOk({ ok }: { ok: boolean }): number {
  return ok ? 0 : 2;
}
