import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { MadeView } from '../../views/init.ts';
import { initPage, nextSteps } from '../pages/init.ts';
import { type Cli, makeCli, usage } from '../terminal/context.ts';
import { askAll } from './answers.ts';
import type { InitOptions } from './init-options.ts';
import { startInterview } from './interview.ts';

/** Asks for everything, then writes the files and creates the ledger. */
export async function makeInstallation(options: InitOptions, command: Command): Promise<void> {
  const cli = makeCli(command);
  const file = resolve(cli.globals.config ?? (process.env.AIO_DCA_CONFIG || 'config.toml'));
  const folder = dirname(file);
  refuseFolder(folder);
  const replace = existsSync(file);
  if (replace) await mayReplace(cli, file);
  const answers = await askAll(await startInterview(options, cli), options, folder);
  const made = await write(cli, answers, file, replace);
  const next = nextSteps(file);
  cli.answer({ ...made, next }, initPage(made, next));
}

function refuseFolder(folder: string): void {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw usage(
      `--config: nothing can be written in ${folder} (${code}).`,
      'Make the folder, owned by the user who will run the bridge.',
    );
  }
}

async function mayReplace(cli: Cli, path: string): Promise<void> {
  await cli.confirm(`${path} is there already. Replace it?`);
}

const HEADING =
  'Made by `aio-dca init`. Relative paths are relative to this file; what is not here has its default.\n' +
  'config.example.toml explains every setting.';

/** Asks about each existing file that would change. `agreed`: the operator agreed to replace the configuration. */
async function write(
  cli: Cli,
  answers: Awaited<ReturnType<typeof askAll>>,
  file: string,
  agreed: boolean,
): Promise<MadeView> {
  const { createInstallation, previewInit } = await import('../../operations/init.ts');
  const { settings, found } = answers;
  const input = { file, settings, heading: HEADING };
  const replace = agreed ? [file] : [];
  const plan = await cli.perform(previewInit, input);
  for (const { path, standing } of plan.files) {
    if (standing !== 'other' || path === file) continue;
    await mayReplace(cli, path);
    replace.push(path);
  }
  return cli.perform(createInstallation, { ...input, found, replace });
}
