import { styleText } from 'node:util';
import type { Command } from 'commander';
import { type Check, fail, ok } from '../doctor/check.ts';
import { type Cli, makeCli } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { asWritten, clean, fitted } from './print.ts';
import { inWords } from './words.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('check step by step everything that a run needs, and read the list of machines')
    .addHelpText(
      'after',
      '\nExits 0 unless something failed; warnings alone are no failure.' +
        '\n\nExamples:\n  aio-dca doctor\n  aio-dca doctor --json',
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const checks: Check[] = [];
      for await (const check of examination(cli)) {
        checks.push(check);
        const shown = cli.globals.quiet ? check.level !== 'ok' : true;
        if (shown && !cli.globals.json) process.stdout.write(`${fitted(line(check), '      ')}\n`);
      }
      const failures = checks.filter(({ level }) => level === 'fail').length;
      const warnings = checks.filter(({ level }) => level === 'warn').length;
      cli.answer(
        {
          ok: failures === 0,
          checks: checks.map(({ name, level, detail, hint }) => ({
            ...{ name, level, detail },
            hint: hint === null ? null : inWords(hint),
          })),
        },
        failures + warnings === 0
          ? 'Everything is as it should be.'
          : `${failures} failed, ${warnings} to look at.`,
      );
      process.exitCode =
        [78, 75, 2].find((code) => checks.some(({ kind }) => kind !== null && exitCodes[kind] === code)) ?? 0;
    });
}

async function* examination(cli: Cli): AsyncGenerator<Check> {
  let config: Awaited<ReturnType<Cli['config']>>;
  try {
    config = await cli.config();
  } catch (error) {
    yield fail('config', error);
    return;
  }
  yield ok('config', config.file);
  const { examine } = await import('../doctor/examine.ts');
  yield* examine(config, process.env, { actor: cli.actor, run: null });
}

const COLORS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function line({ name, level, detail, hint }: Check): string {
  const label = styleText(COLORS[level], level.padEnd(4), { stream: process.stdout });
  const said = detail.split('\n').map(clean).join('\n      ');
  return `${label}  ${clean(name)}: ${said}${hint === null ? '' : `\n      ${asWritten(inWords(hint))}`}`;
}
