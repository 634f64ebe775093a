import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import pg from 'pg';
import { createLamassu, insertCashOut, pairMachine } from '../lamassu.ts';
import { startLnbitsSimulator } from '../lnbits-simulator.ts';
import { until } from '../ssh.ts';
import { commandsOf, type Page } from './blocks.ts';
import { makeRoot, OPERATOR, type OwnRoot, serveNode, startServer, startSshServer } from './root.ts';

/*
 * The commands of pages, typed in a root of its own as the operator, one after the other. It is started by
 * `own-root.ts` in namespaces of its own, with a `Request` as its argument, and prints an `Outcome`.
 */

export interface Request {
  /** An empty folder for the root. */
  folder: string;
  /** Typed one after the other. */
  pages: Page[];
  /** Typed after all that, each on its own: they may fail. */
  then: string[];
  /** The packed package, and the folder of PostgreSQL's programs. */
  tarball: string;
  native: string;
}

export interface Typed {
  command: string;
  code: number | null;
  printed: string;
  ms: number;
}

export interface Outcome {
  typed: Typed[];
  /** Of the configuration's and the ledger's folder: `NAME MODE OWNER GROUP`. */
  files: string[];
  /** The poll, as the unit of the timer starts it. */
  service: Typed;
  /** What the client's wallet holds then, in sats. */
  paidSats: number;
  then: Typed[];
}

const request = JSON.parse(process.argv[2] ?? '') as Request;
const root = makeRoot(request.folder);
const [url] = await Promise.all([startServer(root, request.native), startSshServer(root)]);
serveNode(root, process.execPath);
const home = join(root.folder, 'home', OPERATOR);
copyFileSync(request.tarball, join(home, basename(request.tarball)));

const server = new pg.Client(url.replace(/lamassu$/, 'postgres'));
await server.connect();
await server.query('create database lamassu');
await server.end();
const lamassu = await createLamassu(url);
await pairMachine(lamassu, 'Antigua');
const lnbits = await startLnbitsSimulator();
const source = await lnbits.createUserWallet('source');
await lnbits.topUp(source.id, 10_000_000n);
const alice = await lnbits.createUserWallet('alice');
root.run(
  'su',
  OPERATOR,
  '-c',
  `umask 077; echo ${alice.inkey} > ~/alice.invoicekey; echo ${source.adminkey} > ~/source.adminkey`,
);

/** What an operator changes in config.example.toml. */
const [fingerprint] =
  /SHA256:\S+/.exec(root.run('ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub')) ?? [];
const changes = [`s|SHA256:A*|${fingerprint}|`, `s|https://lnbits.example.org|${lnbits.url}|`];
writeFileSync(
  join(root.folder, 'usr/local/bin/edit'),
  `#!/bin/sh\nsed -i ${changes.map((change) => `-e '${change}'`).join(' ')} "$1"\n`,
  { mode: 0o755 },
);
writeFileSync(join(home, '.bash_profile'), 'export EDITOR=/usr/local/bin/edit\n');

/** What is asked on a terminal, and what an operator answers. `''` is Enter. */
const DIALOGS: [command: RegExp, answers: [asked: string, answer: string][]][] = [
  [
    /aio-dca init$/,
    [
      ['The configuration', ''],
      ['Time zone', '\u0015America/Guatemala'],
      ['Pay cash-outs from when on?', '\u00152026-11-01'],
      ['How is Lamassu', ''],
      ['The SSH server', 'atm.example.org'],
      ['Does the server itself show the same?', 'y'],
      ['Unix user on that server', ''],
      ['Private SSH key', ''],
      ['PostgreSQL as the SSH server', ''],
      ['The database', ''],
      ['The role', ''],
      ['Its password', ''],
      ['The address of LNbits', `\u0015${lnbits.url}`],
      ['The admin key', source.adminkey],
      ['Who fills the source wallet?', ''],
      ['The ledger:', ''],
    ],
  ],
  [/clients add alice$/, [['key', alice.inkey]]],
];

let cwd = home.slice(root.folder.length);

/** Types one command in the operator's shell, on a terminal of 80 columns. */
async function type(command: string): Promise<Typed> {
  const answers = DIALOGS.find(([pattern]) => pattern.test(command))?.[1] ?? [];
  const script = `cd ${cwd} && ${command}\nstatus=$?; pwd > /tmp/cwd; exit $status`;
  writeFileSync(join(root.folder, 'tmp/typed'), script);
  const inRoot = `chroot ${root.folder} su - ${OPERATOR} -c "bash -l /tmp/typed"`;
  const begun = Date.now();
  const child = spawn(
    'script',
    ['--quiet', '--flush', '--return', '--command', `stty cols 80 rows 24; exec ${inRoot}`, '/dev/null'],
    { env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let raw = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text;
  });
  const screen = () => stripVTControlCharacters(raw).replaceAll('\r\n', '\n');
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  for (const [asked, answer] of answers) {
    await until(() => gone || screen().includes(asked), `the terminal asks ${asked}: ${screen()}`);
    child.stdin.write(answer === 'y' ? answer : `${answer}\r`);
  }
  const code = await ended;
  cwd = readFileSync(join(root.folder, 'tmp/cwd'), 'utf8').trim();
  return { command, code, printed: screen(), ms: Date.now() - begun };
}

/** As systemd starts it, but for the confinement: its user, its environment and its command. */
async function service(unit: string): Promise<Typed> {
  const text = readFileSync(join(root.folder, 'etc/systemd/system', unit), 'utf8');
  const value = (key: string) => [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, one]) => one);
  const [user] = value('User');
  const [directory] = value('WorkingDirectory');
  cwd = '/';
  return type(
    `sudo -u ${user} env -C ${directory} ${value('Environment').join(' ')} ${value('ExecStart')} </dev/null`,
  );
}

function filesOf({ run }: OwnRoot): string[] {
  const list = "stat -c '%n %a %U %G' /etc/aio-dca /etc/aio-dca/* /var/lib/aio-dca /var/lib/aio-dca/*";
  return run('sh', '-c', list).trim().split('\n');
}

async function main(): Promise<Outcome> {
  const typed: Typed[] = [];
  for (const command of request.pages.flatMap(commandsOf)) {
    const one = await type(command);
    if (process.env.OWN_ROOT_DEBUG)
      console.error(`$ ${one.command}\n${one.printed}\n[${one.code}, ${one.ms} ms]`);
    typed.push(one);
    // No systemd runs in this root: what is to be started now is only enabled.
    if (one.code !== 0 && !/not been booted with systemd/.test(one.printed)) break;
    if (/ fundings (confirm|add .* --deposited)/.test(command))
      await insertCashOut(lamassu, { confirmed_at: new Date().toISOString() });
  }
  const ran = await service('aio-dca.service');
  const answer = await fetch(`${lnbits.url}/api/v1/wallet`, { headers: { 'X-Api-Key': alice.inkey } });
  const { balance } = (await answer.json()) as { balance: number };
  const files = filesOf(root);
  cwd = home.slice(root.folder.length);
  const then: Typed[] = [];
  for (const command of request.then) then.push(await type(command));
  return { typed, files, service: ran, paidSats: balance / 1000, then };
}

try {
  console.log(JSON.stringify(await main()));
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
