import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { commandLine, type RunOptions } from './command.ts';
import { refuseSecrets } from './secrets.ts';
import { until } from './ssh.ts';

/** Keys as a terminal sends them. */
export const keys = {
  enter: '\r',
  up: '\u001b[A',
  down: '\u001b[B',
  interrupt: '\u0003',
  endOfInput: '\u0004',
  escape: '\u001b',
};

export interface Terminal {
  /** Waits until this is on the screen. */
  shows(text: string): Promise<void>;
  type(key: string): void;
  /** When the command is gone: its exit code, and all that was on the screen, without and with colours. */
  ended: Promise<{ code: number | null; screen: string; raw: string }>;
}

/** The real `aio-dca` in a terminal of its own: that of script(1), which every Debian has. */
export function inTerminal(
  args: string[],
  { columns = 100, ...options }: RunOptions & { columns?: number } = {},
): Terminal {
  const { file, argv, env } = commandLine(args, options);
  const quoted = [file, ...argv].map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  // Without a terminal around it, script's own has no size.
  const command = `stty cols ${columns} rows 40; exec ${quoted}`;
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], {
    env: { ...env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let raw = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text;
  });
  child.stdin.on('error', () => undefined);
  const screen = () => stripVTControlCharacters(raw);
  return {
    shows: (text) => until(() => screen().includes(text), `the terminal shows ${JSON.stringify(text)}`),
    type: (key) => {
      child.stdin.write(key);
    },
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        try {
          refuseSecrets(`aio-dca ${args.join(' ')}`, raw);
        } catch (error) {
          reject(error);
        }
        resolve({ code, screen: screen(), raw });
      });
    }),
  };
}
