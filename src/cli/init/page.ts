import { basename, dirname, join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { clean } from '../print.ts';
import { tooMuchRights } from './reach.ts';

/** What `init` made, and what it could not do: its JSON. */
export interface Made {
  config: string;
  /** All that were written or already said the same, with secrets or not. */
  files: string[];
  ledger: { id: string; url: string; schema: number };
  /** `readable` is null where it was not tried; `missing` says what is in the way. */
  lamassu: {
    readable: boolean | null;
    machines: string[];
    missing: string | null;
    user: string;
    /** What `user` may do beyond what is needed; empty also where that was not seen. */
    too_much: string[];
  };
  /** Null where PostgreSQL is reached directly. */
  ssh: { user: string; host: string; authorized_keys: string; authorized_keys_dropbear: string } | null;
  start_at: string;
  /** `start_at` is in the future. */
  early: boolean;
  /** The role that `role_sql` makes: another one than [lamassu] user where that one cannot be confined. */
  role: string;
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

/** The name for a role of its own where `user` may change something: role-sql leaves such a role alone. */
export function roleFor(user: string, harmful: readonly string[]): string {
  if (harmful.length === 0) return user;
  return user === 'aio_dca' ? 'aio_dca_reader' : 'aio_dca';
}

export function initPage(made: Made): string {
  const { config, files, ledger, lamassu, ssh, role, role_sql, next } = made;
  const folder = dirname(config);
  const title = (text: string) => styleText('bold', text, { stream: process.stdout });
  const steps: string[] = [];
  const step = (text: string) => steps.push(`${title(`${steps.length + 1}.`)} ${text}`);
  const sound = lamassu.readable === true && lamassu.too_much.length === 0;
  if (lamassu.readable) {
    step(
      `Lamassu can be read already; its machines: ${clean(lamassu.machines.join(', ')) || 'none'}.` +
        (sound ? ' What that rests on follows, should it\nhave to be made again.' : ''),
    );
  }
  if (ssh) {
    step(
      `On ${ssh.host}, one line in ~${ssh.user}/.ssh/authorized_keys. This key may open the tunnel and\n` +
        `nothing else:\n\n${ssh.authorized_keys}\n\n` +
        `Where that server is Dropbear, which refuses options that it does not know:\n\n${ssh.authorized_keys_dropbear}\n`,
    );
  }
  const password =
    role === lamassu.user
      ? `It asks for the\npassword: the one in ${join(folder, 'lamassu.password')}`
      : `It asks for a\nnew password. Then put that into ${join(folder, 'lamassu.password')}, and\nuser = "${role}" into ${config}`;
  step(
    `On the Lamassu server, this as role.sql, run by the command in its second line. ${password}\n\n${role_sql}`,
  );
  step(`Then, on this host:\n\n${next.map((command) => `   ${command}`).join('\n')}`);
  return [
    `${title('Written')} into ${folder}: ${files.map((path) => basename(path)).join(', ')}`,
    `${title('Ledger')}  ${ledger.id} at ${ledger.url}`,
    ...(lamassu.missing === null ? [] : [`${title('Not yet')} ${clean(lamassu.missing)}`]),
    ...warnings(made).map((text) => `${title('Warning')} ${text}`),
    '',
    title('What is left to do'),
    '',
    ...steps,
  ].join('\n');
}

function warnings({ lamassu, early, start_at }: Made): string[] {
  return [
    ...(lamassu.too_much.length > 0 ? [tooMuchRights(lamassu.user, lamassu.too_much)] : []),
    ...(early
      ? [`start_at is in the future, ${start_at}: cash-outs confirmed before it will not be paid.`]
      : []),
  ];
}
