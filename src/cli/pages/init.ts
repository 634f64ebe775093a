import { basename, dirname, join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { inPackage } from '../../lib/package.ts';
import type { MadeView, PlaceView } from '../../views/init.ts';
import { clean } from '../terminal/clean.ts';
import { shortId } from '../terminal/figures.ts';
import { wrapped } from '../terminal/wrap.ts';

/** How the operator calls what belongs to another user: `sudo` is empty where there is none. */
export interface Runner {
  user: string | null;
  sudo: '' | 'sudo ';
}

/** What init will ask and write, before its first question. */
export function introduction({ file, ledger_url: ledger, owner }: PlaceView): string {
  const width = Math.min(process.stderr.columns || 80, 80);
  const paragraph = (text: string, indent = '') => wrapped(text, { width, indent });
  const ledgerFile = resolve(dirname(file), ledger.slice('sqlite:'.length));
  const gets = owner === null ? '' : ` The user ${owner} gets them.`;
  return [
    paragraph(
      'This makes the configuration and the ledger. It asks about 15 questions, which takes 5 minutes, and tries each answer at once. Have ready:',
    ),
    '',
    paragraph('- the address of Lamassu’s server, and a way to run two commands there as root', '  '),
    paragraph(
      '- the address of LNbits, and the admin key of the wallet that pays (in LNbits, under “API keys” of that wallet)',
      '  ',
    ),
    paragraph('- the time from which on cash-outs are paid', '  '),
    '',
    paragraph(
      `It will write ${file}, each secret into a file of its own beside it, and the ledger ${ledgerFile}, unless you answer otherwise.${gets} Nothing is written before the last answer; Ctrl-C leaves.`,
    ),
    '',
  ].join('\n');
}

/** The commands that follow on this host. */
export function nextSteps({ config }: MadeView, runner: Runner): string[] {
  const { check, everyDay } = commandsFor(config, runner);
  return [...check, ...everyDay];
}

function commandsFor(config: string, { user }: Runner): { check: string[]; everyDay: string[] } {
  const found = ['config.toml', '/etc/aio-dca/config.toml'].some((place) => resolve(place) === config);
  const asUser = user === null ? '' : `sudo -u ${user} `;
  const aioDca = `${asUser}aio-dca${found ? '' : ` --config ${config}`}`;
  return {
    check: [`${aioDca} doctor`, `${aioDca} poll --dry-run`],
    everyDay: [
      `${aioDca} clients add NAME --wallet-key-file - < FILE`,
      `${aioDca} fundings add NAME "3000 GTQ" --any-machine --deposited`,
      `${aioDca} poll`,
    ],
  };
}

/** One line about a role that may do too much. */
export function tooMuchRights(user: string, tooMuch: readonly string[]): string {
  return `The role ${user} may do more than is needed: ${tooMuch.slice(0, 5).join(', ')}. role.sql makes one of its own.`;
}

export function initPage(made: MadeView, runner: Runner): string {
  const { config, files, ledger, lamassu, owner } = made;
  const folder = dirname(config);
  const title = (text: string) => styleText('bold', text, { stream: process.stdout });
  const steps: string[] = [];
  let count = 0;
  const step = (text: string, commands: string[]) => {
    count += 1;
    steps.push(wrapped(`${title(`${count}.`)} ${text}`, { indent: '   ' }));
    steps.push(...commands.map((line) => `  ${line}`));
  };
  if (lamassu.readable && lamassu.too_much.length === 0) {
    steps.push(
      wrapped(
        `Lamassu can be read already; its machines: ${clean(lamassu.machines.join(', ')) || 'none'}. Should its side have to be made again, ${folder} has the files for it.`,
      ),
    );
  } else forServer(made, runner, step);
  const { check, everyDay } = commandsFor(config, runner);
  step('On this host: check everything, and see what a run would do', check);
  const timers =
    owner === null
      ? []
      : ['sudo systemctl enable --now aio-dca.timer aio-dca-watch.timer \\', '  aio-dca-backup.timer'];
  step('On this host: the clients, their cash, and the first run', [...everyDay, ...timers]);
  return [
    wrapped(
      `${title('Written')} into ${folder}${owner === null ? '' : `, for the user ${owner}`}: ${files.map((path) => basename(path)).join(', ')}`,
    ),
    wrapped(`${title('Ledger')}  ${shortId(ledger.id)} at ${ledger.url}`),
    ...(lamassu.missing === null ? [] : [wrapped(`${title('Not yet')} ${clean(lamassu.missing)}`)]),
    ...warnings(made).map((text) => wrapped(`${title('Warning')} ${text}`)),
    title('What remains to be done'),
    ...steps,
    `Explained in ${inPackage('docs/install.md')}`,
  ].join('\n');
}

/** What the Lamassu server needs: a command for each file. */
function forServer(
  { config, lamassu, ssh, role }: MadeView,
  { sudo }: Runner,
  step: (text: string, commands: string[]) => void,
): void {
  const folder = dirname(config);
  const print = (name: string) => `${sudo}cat ${join(folder, name)}`;
  if (ssh) {
    const { user, host, port } = ssh;
    step(`On ${host}: the user of the tunnel, and its key`, [
      `${print('authorized_keys.line')} | ${rootAt(host, port)} \\`,
      `  'id ${user} >/dev/null 2>&1 || useradd -rm -s /usr/sbin/nologin ${user};`,
      `   cd ~${user} && mkdir -p .ssh && cat >> .ssh/authorized_keys'`,
    ]);
  }
  const psql = `sudo -u postgres psql -v ON_ERROR_STOP=1 -d ${lamassu.database}`;
  const isLocal = /^(127\.|::1$|localhost$)/.test(lamassu.host);
  const place = isLocal ? ssh?.host : lamassu.host;
  const other = role === lamassu.user ? '' : `; then put user = "${role}" into ${config}`;
  step(
    `On ${place ?? 'this host'}: the role that may only read${other}`,
    place === undefined
      ? [`${print('role.sql')} | ${psql}`]
      : [
          `${print('role.sql')} | ${rootAt(place, isLocal ? (ssh?.port ?? 22) : 22)} \\`,
          `  'cd / && ${psql}'`,
        ],
  );
}

function rootAt(host: string, port: number): string {
  return `ssh ${port === 22 ? '' : `-p ${port} `}root@${host}`;
}

function warnings({ lamassu, early, start_at }: MadeView): string[] {
  return [
    ...(lamassu.too_much.length > 0 ? [tooMuchRights(lamassu.user, lamassu.too_much)] : []),
    ...(early
      ? [`start_at is in the future, ${start_at}: cash-outs confirmed before it will not be paid.`]
      : []),
  ];
}
