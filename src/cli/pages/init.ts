import { basename, dirname, join, resolve } from 'node:path';
import { styleText } from 'node:util';
import type { MadeView } from '../../views/init.ts';
import { clean } from '../terminal/clean.ts';

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

/** One line about a role that may do too much. */
export function tooMuchRights(user: string, tooMuch: readonly string[]): string {
  return `The role ${user} may do more than is needed: ${tooMuch.slice(0, 5).join(', ')}. Make one of its own, by the SQL below.`;
}

/** `next`: the commands that follow. */
export function initPage(made: MadeView, next: readonly string[]): string {
  const { config, files, ledger, lamassu, ssh, role, role_sql } = made;
  const folder = dirname(config);
  const title = (text: string) => styleText('bold', text, { stream: process.stdout });
  const steps: string[] = [];
  const step = (text: string) => steps.push(`${title(`${steps.length + 1}.`)} ${text}`);
  const sound = lamassu.readable === true && lamassu.too_much.length === 0;
  if (lamassu.readable) {
    step(
      `Lamassu can be read already; its machines: ${clean(lamassu.machines.join(', ')) || 'none'}.` +
        (sound ? ' What follows is what that\nrests on, in case it has to be made again.' : ''),
    );
  }
  if (ssh) {
    step(
      `On ${ssh.host}, one line in ~${ssh.user}/.ssh/authorized_keys. This key may open the tunnel and\n` +
        `nothing else:\n\n${ssh.authorized_keys}\n\n` +
        `If that server is Dropbear, which refuses options that it does not know:\n\n${ssh.authorized_keys_dropbear}\n`,
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
    title('What remains to be done'),
    '',
    ...steps,
  ].join('\n');
}

function warnings({ lamassu, early, start_at }: MadeView): string[] {
  return [
    ...(lamassu.too_much.length > 0 ? [tooMuchRights(lamassu.user, lamassu.too_much)] : []),
    ...(early
      ? [`start_at is in the future, ${start_at}: cash-outs confirmed before it will not be paid.`]
      : []),
  ];
}
