import { basename, dirname, join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { clean } from './print.ts';

/** What `init` made, and what it could not do: its JSON. */
export interface Made {
  config: string;
  /** All that were written or already said the same, with secrets or not. */
  files: string[];
  ledger: { id: string; url: string; schema: number };
  /** `readable` is null where it was not tried; `missing` says what is in the way. */
  lamassu: { readable: boolean | null; machines: string[]; missing: string | null };
  /** Null where PostgreSQL is reached directly. */
  ssh: { user: string; host: string; authorized_keys: string } | null;
  role_sql: string;
  /** Commands, in their order. */
  next: string[];
}

/** The commands that follow, for a configuration in `file`. */
export function nextSteps(file: string): string[] {
  const found = ['config.toml', '/etc/aio-dca/config.toml'].some((place) => resolve(place) === file);
  const aioDca = found ? 'aio-dca' : `aio-dca --config ${file}`;
  return [
    `${aioDca} doctor`,
    `${aioDca} clients add NAME --wallet-key-file FILE`,
    `${aioDca} fundings add NAME "3000 GTQ" --any-machine --deposited`,
    `${aioDca} poll --dry-run`,
    `${aioDca} poll`,
  ];
}

export function initPage({ config, files, ledger, lamassu, ssh, role_sql, next }: Made): string {
  const folder = dirname(config);
  const title = (text: string) => styleText('bold', text, { stream: process.stdout });
  const steps: string[] = [];
  const step = (text: string) => steps.push(`${title(`${steps.length + 1}.`)} ${text}`);
  if (lamassu.readable) {
    step(`Lamassu can be read already; its machines: ${clean(lamassu.machines.join(', ')) || 'none'}.`);
  } else {
    if (ssh) {
      step(
        `On ${ssh.host}, one line in ~${ssh.user}/.ssh/authorized_keys. This key may open the tunnel and\n` +
          `nothing else:\n\n${ssh.authorized_keys}\n`,
      );
    }
    step(
      `On the Lamassu server, this as role.sql, run by the command in its second line. It asks for the\n` +
        `password: the one in ${join(folder, 'lamassu.password')}\n\n${role_sql}`,
    );
  }
  step(`Then, on this host:\n\n${next.map((command) => `   ${command}`).join('\n')}`);
  return [
    `${title('Written')} into ${folder}: ${files.map((path) => basename(path)).join(', ')}`,
    `${title('Ledger')}  ${ledger.id} at ${ledger.url}`,
    ...(lamassu.missing === null ? [] : [`${title('Not yet')} ${clean(lamassu.missing)}`]),
    '',
    title('What is left to do'),
    '',
    ...steps,
  ].join('\n');
}
