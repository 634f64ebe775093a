import { setFlagsFromString } from 'node:v8';
import { CommanderError } from 'commander';
import { BridgeError } from '../errors.ts';
import { exitCodeOf } from './command/exit-codes.ts';
import { makeProgram } from './program.ts';
import { knownTimezone } from './terminal/context.ts';

/** The failed write to stdout or stderr, once it has been reported. */
let unwritable: Error | undefined;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early, such as `head`, is no failure.
    if (error.code === 'EPIPE' || unwritable) return;
    unwritable = error;
    const name = stream === process.stdout ? 'stdout' : 'stderr';
    const known = new BridgeError(
      'output/unwritable',
      `${name}: write failed (${error.code}); the output is incomplete.`,
      'Free space there, or send the output elsewhere, and run the command again.',
    );
    process.exitCode = exitCodeOf(known);
    void import('./terminal/print-error.ts').then(({ printError }) => printError(known, false));
  });
}

// V8 lets the memory for young objects grow up to sixteenfold. With a fixed limit, a long backlog or export needs
// little more memory than a short one, and no more time.
setFlagsFromString('--semi-space-growth-factor=1');

const argv = process.argv.slice(2);
/** What commander writes: its help is printed, its errors are reworded. */
const said = { out: '', err: '' };
try {
  await (await makeProgram(argv, said)).parseAsync(argv, { from: 'user' });
} catch (error) {
  if (error === unwritable) {
    // Already reported.
  } else if (error instanceof CommanderError && error.exitCode === 0) {
    const { wrappedHelp } = await import('./terminal/wrap.ts');
    process.stdout.write(wrappedHelp(said.out));
    process.exitCode = 0;
  } else if (error instanceof CommanderError && error.code === 'commander.help') {
    // A noun without a verb.
    const { wrappedHelp } = await import('./terminal/wrap.ts');
    process.stderr.write(wrappedHelp(said.err));
    process.exitCode = 64;
  } else {
    const known =
      error instanceof CommanderError
        ? new BridgeError(
            'usage/invalid',
            error.message.replace(/^error: /, ''),
            '`aio-dca --help` shows the commands; `--help` after a command shows its options.',
          )
        : error;
    const { printError } = await import('./terminal/print-error.ts');
    printError(known, argv.includes('--json'), knownTimezone());
    process.exitCode = exitCodeOf(known);
  }
}
