import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { MadeView, PlaceView } from '../../views/init.ts';
import { initPage, introduction, nextSteps, type Runner } from '../pages/init.ts';
import { type Cli, makeCli } from '../terminal/context.ts';
import { askAll } from './answers.ts';
import type { InitOptions } from './init-options.ts';
import { type PlaceInterview, startInterview } from './interview.ts';

/** Asks for everything, then writes the files and creates the ledger. */
export async function makeInstallation(options: InitOptions, command: Command): Promise<void> {
  const cli = makeCli(command);
  const interview = await startInterview(options, cli);
  const place = await choosePlace(cli, interview);
  if (place.exists) await mayReplace(cli, place.file);
  const answers = await askAll({ ...interview, folder: dirname(place.file) }, place.ledger_url);
  const made = await write(cli, answers, place.file, place.exists);
  const runner = runnerOf(made);
  const next = nextSteps(made, runner);
  cli.answer({ ...made, next }, initPage(made, runner));
}

/** Where the files go: asked on a terminal, unless an option or the environment says it. */
async function choosePlace(cli: Cli, interview: PlaceInterview): Promise<PlaceView> {
  const { findPlace } = await import('../../operations/init.ts');
  const user = userInfo().username;
  const find = (file: string | null) => cli.perform(findPlace, { file, user });
  const named = cli.globals.config ?? (process.env.AIO_DCA_CONFIG || undefined);
  const proposed = await find(named ?? null);
  if (interview.terminal) process.stderr.write(`${introduction(proposed)}\n`);
  if (named !== undefined || !interview.terminal) return named === undefined ? find(proposed.file) : proposed;
  return interview.askText({
    message: 'The configuration',
    initial: proposed.file,
    read: find,
  });
}

/** How the next commands are called: by the user who gets the files. */
function runnerOf({ owner }: MadeView): Runner {
  const { username, uid } = userInfo();
  const user = owner ?? (uid !== 0 && process.env.SUDO_USER !== undefined ? username : null);
  return { user, sudo: user === null ? '' : 'sudo ' };
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
  const { files, digest } = await cli.perform(previewInit, input);
  const others = files.filter(({ standing }) => standing === 'other').map(({ path }) => path);
  for (const path of others) if (path !== file) await mayReplace(cli, path);
  // A configuration that another process wrote during the questions stays.
  const mayAll = agreed || !others.includes(file);
  return cli.perform(createInstallation, { ...input, found, ...(mayAll && { digest }) });
}
