import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { ownFiles } from '../../config/own-files.ts';
import type { Format, KindName } from '../../operations/export.ts';
import type { Session } from '../../operations/operation.ts';
import { inputOf, takeOption } from '../command/call.ts';
import { exportPage } from '../pages/export.ts';
import { makeCli, usage } from '../terminal/context.ts';
import { withProgress } from '../terminal/progress.ts';
import { toStdout } from '../terminal/stdout.ts';

/** Writes the rows of a kind to stdout, or with `--output` to a file. */
export async function exportKind(kind: KindName, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { format: wanted } = command.opts<{ format?: Format }>();
  const output = fileOf(takeOption(command, 'output') as string | undefined);
  // V8 collects garbage less often the faster it is made: a million rows would double the memory.
  setFlagsFromString('--optimize-for-size');
  const config = await cli.config();
  const { json = false, quiet = false } = cli.globals;
  const format = formatOf(wanted, json && output === undefined);
  const isWatched = process.stderr.isTTY && !quiet && (output !== undefined || !process.stdout.isTTY);
  const { exportRows } = await import('../../operations/export.ts');
  const take: Session['take'] = ({ text }) =>
    output === undefined ? toStdout(text()) : toFile(output, text(), config);
  const { complete, ...done } = await cli.perform(
    exportRows,
    { ...inputOf(command), kind, format },
    { take, ...(isWatched && { watch: withProgress }) },
  );
  if (output !== undefined) {
    const { what, format: written, ...sums } = done;
    const file = { what, format: written, file: resolve(output), ...sums };
    cli.answer(file, `${output} is written.\n${exportPage(done)}`);
  } else if (complete && !quiet) {
    process.stderr.write(`${exportPage(done)}\n`);
  }
}

/** The file to write; undefined for stdout, which `-` and /dev/stdout also name. */
function fileOf(output: string | undefined): string | undefined {
  if (output === '') {
    throw usage('--output: it is empty.', 'Name a file, or leave it out to print on stdout.');
  }
  return output === '-' || output === '/dev/stdout' ? undefined : output;
}

/** The format of the rows. `--json` alone selects JSON; with `--output` it concerns the answer about the file. */
function formatOf(format: Format | undefined, jsonOnStdout: boolean): Format {
  if (jsonOnStdout && format !== undefined && format !== 'json') {
    throw usage(`--format: ${format} cannot go together with --json on stdout.`, 'Leave out one of the two.');
  }
  return format ?? (jsonOnStdout ? 'json' : 'csv');
}

async function toFile(path: string, pieces: AsyncIterable<string>, config: Config): Promise<boolean> {
  const { writeWhole } = await import('../terminal/whole-file.ts');
  await writeWhole(path, pieces, ownFiles(config));
  return true;
}
