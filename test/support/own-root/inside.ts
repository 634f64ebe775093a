import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import pg from 'pg';
import { createLamassu, insertCashOut, pairMachine } from '../lamassu.ts';
import { startLnbitsSimulator } from '../lnbits-simulator.ts';
import { until } from '../ssh.ts';
import { commandsOf, type Page, typedBlocks } from './blocks.ts';
import { DRILLS, type Host } from './drills.ts';
import { HOME } from './pages.ts';
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
  afterwards: string[];
  /** At last the drills of `drills.ts`. */
  drills: boolean;
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
  afterwards: Typed[];
  drilled: Drilled[];
}

export interface Drilled extends Typed {
  /** Its page and section. */
  where: string;
  /** The exit code that it has to have. */
  ends: number;
  shown: string[];
}

const request = JSON.parse(process.argv[2] ?? '') as Request;
const root = makeRoot(request.folder);
const [url] = await Promise.all([startServer(root, request.native), startSshServer(root)]);
serveNode(root, process.execPath);
const home = join(root.folder, 'home', OPERATOR);
copyFileSync(request.tarball, join(home, basename(request.tarball)));
root.run(
  'sh',
  '-c',
  `cd /home/${OPERATOR} && sha256sum ${basename(request.tarball)} > ${basename(request.tarball)}.sha256`,
);

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

type Dialog = [asked: string, answer: string][];

/** What is asked on a terminal, and what an operator answers. `''` is Enter. */
const DIALOGS: [command: RegExp, answers: Dialog][] = [
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
async function type(
  command: string,
  answers: Dialog = DIALOGS.find(([pattern]) => pattern.test(command))?.[1] ?? [],
): Promise<Typed> {
  const script = `cd ${cwd} && ${command}\nstatus=$?; pwd > /tmp/cwd; exit $status`;
  writeFileSync(join(root.folder, 'tmp/typed'), script);
  const inRoot = `chroot ${root.folder} su - ${OPERATOR} -c "bash -l /tmp/typed"`;
  const begun = Date.now();
  // A command that asks something else would wait for ever.
  const child = spawn(
    'script',
    ['--quiet', '--flush', '--return', '--command', `stty cols 80 rows 24; exec ${inRoot}`, '/dev/null'],
    {
      env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 120_000,
    },
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
  let answered = 0;
  for (const [asked, answer] of answers) {
    const stands = () => screen().indexOf(asked, answered);
    await until(() => gone || stands() >= 0, `the terminal asks ${asked}: ${screen()}`);
    answered = screen().length;
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
  for (const { command } of request.pages.flatMap(typedBlocks).flatMap(commandsOf)) {
    const one = await type(command);
    if (process.env.OWN_ROOT_DEBUG)
      console.error(`$ ${one.command}\n${one.printed}\n[${one.code}, ${one.ms} ms]`);
    typed.push(one);
    if (one.code !== 0 && !withoutSystemd(one)) break;
    if (/ fundings (confirm|add .* --deposited)/.test(command))
      await insertCashOut(lamassu, { confirmed_at: new Date().toISOString() });
  }
  const ran = await service('aio-dca.service');
  const answer = await fetch(`${lnbits.url}/api/v1/wallet`, { headers: { 'X-Api-Key': alice.inkey } });
  const { balance } = (await answer.json()) as { balance: number };
  const files = filesOf(root);
  cwd = home.slice(root.folder.length);
  const afterwards: Typed[] = [];
  for (const command of request.afterwards) afterwards.push(await type(command));
  const drilled = request.drills ? await drill() : [];
  return { typed, files, service: ran, paidSats: balance / 1000, afterwards, drilled };
}

/** No systemd runs in this root: what is to be started now is only enabled. */
function withoutSystemd({ printed }: Typed): boolean {
  return /not been booted with systemd/.test(printed);
}

async function drill(): Promise<Drilled[]> {
  const wallets = new Map([['alice', alice]]);
  const host: Host = {
    ...{ lamassu, lnbits, source, wallets, until, home: home.slice(root.folder.length) },
    at: (path) => join(root.folder, path),
    sh: (script) => root.run('sh', '-euc', script),
    type: async (command, code = 0) => {
      const one = await type(command);
      if (code !== 'any' && one.code !== code)
        throw new Error(`${command} ended with ${one.code}:\n${one.printed}`);
      return one.printed;
    },
    wallet: async (name) => {
      const keys = await lnbits.createUserWallet(name);
      wallets.set(name, keys);
      const file = join(home, `${name}.invoicekey`);
      writeFileSync(file, `${keys.inkey}\n`);
      root.run('chown', OPERATOR, file.slice(root.folder.length));
      return keys;
    },
  };
  // What is sent may be sent again after it, and nobody waits here for that.
  host.sh(`sed -i 's|^quiet = "60 s"|quiet = "100 ms"|' /etc/aio-dca/config.toml`);
  const drilled: Drilled[] = [];
  for (const { page, section, before, ends = [], answers = [], after } of DRILLS) {
    const values = Object.entries((await before?.(host)) ?? {});
    const left = [...ends];
    for (const { command, shown } of typedBlocks({ path: join(HOME, page), sections: [section] }).flatMap(
      commandsOf,
    )) {
      const index = left.findIndex(([one]) => one === command);
      const [, code = 0] = index < 0 ? [] : (left.splice(index, 1)[0] ?? []);
      const dialog = answers
        .filter(([pattern]) => pattern.test(command))
        .map(([, asked, answer]): Dialog[number] => [
          asked,
          typeof answer === 'string' ? answer : answer(host),
        ]);
      const one = await type(
        values.reduce((text, [named, is]) => text.replaceAll(new RegExp(`\\b${named}\\b`, 'g'), is), command),
        dialog,
      );
      if (process.env.OWN_ROOT_DEBUG)
        console.error(`$ ${one.command}\n${one.printed}\n[${one.code}, wanted ${code}, ${one.ms} ms]`);
      drilled.push({
        ...one,
        where: `${page}, ${section}`,
        ends: withoutSystemd(one) ? (one.code ?? 0) : code,
        shown,
      });
    }
    if (left.length > 0) throw new Error(`${page}, ${section} has no ${left.join()}`);
    await after?.(host);
  }
  return drilled;
}

try {
  console.log(JSON.stringify(await main()));
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
