import { DatabaseSync } from 'node:sqlite';
import { insertAction, insertCashOut, type Lamassu, pairMachine } from '../lamassu.ts';
import type { WalletKeys } from '../lnbits.ts';
import type { LnbitsSimulator } from '../lnbits-simulator.ts';
import { OLD_BOOKS } from './old-books.ts';

/*
 * What the pages of docs/ have typed besides the installation, and what has to be there before. All of them are typed
 * one after the other on one installation, on which alice has cash and was paid once.
 */

/** The installation, and the hands of who looks after it. */
export interface Host {
  lamassu: Lamassu;
  lnbits: LnbitsSimulator;
  source: WalletKeys;
  wallets: Map<string, WalletKeys>;
  /** The operator's home, in the root. */
  home: string;
  /** A path of the root, as this process sees it. */
  at(path: string): string;
  /** As root, in the root: what asks nobody over the network. */
  sh(script: string): string;
  /** Types a command as the operator, and throws with what it printed unless it ends with `code`, 0 by default. */
  type(command: string, code?: number | 'any'): Promise<string>;
  /** Waits for a condition; `what` names it in the error. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** A wallet at LNbits, and its invoice key in the file `NAME.invoicekey` of the operator's home. */
  wallet(name: string): Promise<WalletKeys>;
}

export interface Drill {
  page: string;
  section: string;
  /** Makes ready what the commands need. Answers what stands for names, ids and times of the page. */
  before?(host: Host): Promise<Record<string, string>> | Record<string, string>;
  /** How commands end that do not end with 0. A command that is there twice is here twice. */
  ends?: [command: string, code: number][];
  /** What is asked on the terminal, and the answer. */
  answers?: [command: RegExp, asked: string, answer: string | ((host: Host) => string)][];
  after?(host: Host): Promise<void> | void;
}

const LEDGER = '/var/lib/aio-dca/ledger.sqlite';
const CONFIG = '/etc/aio-dca/config.toml';
const CENTRO = 'c3d2'.padEnd(32, '0');
const AS_BRIDGE = 'sudo -u aio-dca aio-dca';

const HOUR = 3_600_000;
const now = () => new Date().toISOString();
/** A local time of the configuration's zone, which has no summer time. */
const local = (ms: number) => new Date(ms - 6 * HOUR).toISOString().slice(0, 19).replace('T', ' ');

async function paid(host: Host, columns = {}): Promise<string> {
  const id = await insertCashOut(host.lamassu, { confirmed_at: now(), ...columns });
  await host.type(`${AS_BRIDGE} poll`);
  return id;
}

/** What a command prints with `--json`. */
async function json<T>(host: Host, command: string): Promise<T> {
  return JSON.parse(await host.type(`${AS_BRIDGE} --json ${command} 2>/dev/null`)) as T;
}

/** The newest payout of a client, and its payment. */
async function newest(host: Host, client: string): Promise<{ id: string; payment: string }> {
  const [payout] = await json<{ id: string }[]>(host, `payouts list --client ${client} --limit 1`);
  const { payments } = await json<{ payments: { payment_hash: string }[] }>(
    host,
    `payouts show ${payout?.id}`,
  );
  return { id: payout?.id ?? '', payment: payments.at(-1)?.payment_hash ?? '' };
}

/** The present ledger, and what it is replaced by afterwards. */
const keep = (host: Host, name: string) => host.sh(`cp -a ${LEDGER} /var/tmp/${name}`);
const putBack = (host: Host, name: string) =>
  host.sh(`rm -f ${LEDGER}-wal ${LEDGER}-shm && cp -a /var/tmp/${name} ${LEDGER}`);
const configure = (host: Host, from: string, to: string) =>
  host.sh(`grep -q '${from}' ${CONFIG} && sed -i 's|${from}|${to}|' ${CONFIG}`);

export const DRILLS: Drill[] = [
  {
    page: 'docs/install.md',
    section: 'Files that belong to the wrong user',
    before: (host) => {
      host.sh(
        `chown root /etc/aio-dca/lamassu.password && mv ${LEDGER} /etc/aio-dca/ && chown root: /etc/aio-dca/ledger.sqlite`,
      );
      configure(host, '"sqlite:/var/lib/aio-dca/', '"sqlite:/etc/aio-dca/');
      return {};
    },
  },
  {
    page: 'docs/exports.md',
    section: 'Exports',
    before: () => ({ '2026-11': local(Date.now()).slice(0, 7) }),
  },
  {
    page: 'docs/exports.md',
    section: "A client's statement",
    before: () => ({ '2026-10': local(Date.now()).slice(0, 7) }),
  },
  { page: 'docs/exports.md', section: 'The log', before: () => ({ dora: 'maria' }) },
  {
    page: 'docs/commission.md',
    section: 'Recipients and weights',
    before: async (host) => {
      for (const name of ['owner', 'shop']) await host.wallet(name);
      return {};
    },
  },
  {
    page: 'docs/cash.md',
    section: 'The life of a funding',
    before: async (host) => {
      await pairMachine(host.lamassu, 'Centro', CENTRO);
      await host.type(`${AS_BRIDGE} fundings add alice "2000 GTQ" --any-machine --deposited`);
      await paid(host, {
        device_id: CENTRO,
        fiat: '400.00000',
        crypto_atoms: '51240',
        received_crypto_atoms: '51240',
      });
      await host.type(`${AS_BRIDGE} fundings add alice "100 GTQ" --any-machine`);
      return { f12: 'f4', f13: 'f3' };
    },
  },
  { page: 'docs/cash.md', section: 'Machines' },
  {
    page: 'docs/settlements.md',
    section: 'Settling a cash-out that Lamassu knows',
    before: async (host) => ({ '3f0c5e': (await jammed(host)).slice(0, 8) }),
    answers: [[/settle/, '?', 'y']],
  },
  {
    page: 'docs/settlements.md',
    section: 'Settling one that Lamassu never saw',
    before: () => ({ '2026-11-20 10:15': local(Date.now() - HOUR) }),
    answers: [[/settle/, '?', 'y']],
  },
  {
    page: 'docs/settlements.md',
    section: 'Undoing one',
    before: async (host) => {
      const id = await jammed(host);
      await host.type(`${AS_BRIDGE} --yes settle ${id} --reason "jammed at 200"`);
      return { '3f0c5e': id.slice(0, 8) };
    },
    answers: [[/settle/, '?', 'y']],
  },
  { page: 'docs/operations.md', section: 'Settings' },
  {
    page: 'docs/operations.md',
    section: 'Backup',
    // The third is refused: that file is there.
    ends: [
      [`${AS_BRIDGE} backup /var/backups/aio-dca/2026-11-21.sqlite`, 0],
      [`${AS_BRIDGE} backup /var/backups/aio-dca/2026-11-21.sqlite`, 64],
    ],
  },
  {
    page: 'docs/operations.md',
    section: 'Restore',
    before: async (host) => {
      await paid(host);
      return {};
    },
    ends: [[`${AS_BRIDGE} poll`, 78]],
  },
  {
    page: 'docs/operations.md',
    section: 'If a payment does not fit',
    before: async (host) => {
      await host.wallet('carol');
      keep(host, 'older');
      await host.type(`${AS_BRIDGE} clients add carol --wallet-key-file - < carol.invoicekey`);
      await host.type(`${AS_BRIDGE} fundings add carol "5000 GTQ" --any-machine --deposited`);
      await paid(host);
      keep(host, 'newer');
      putBack(host, 'older');
      return {};
    },
    ends: [[`${AS_BRIDGE} ledger recover --dry-run`, 2]],
    after: (host) => void putBack(host, 'newer'),
  },
  { page: 'docs/operations.md', section: 'Reconcile' },
  {
    page: 'docs/operations.md',
    section: 'If LNbits was restored',
    before: async (host) => {
      const { id, payment } = await newest(host, 'carol');
      const carol = host.wallets.get('carol')?.id ?? '';
      const rows = [host.source.id, carol].flatMap((wallet) => host.lnbits.payments(wallet));
      forgotten = { payout: id, rows: rows.filter((row) => row.payment_hash === payment) };
      host.lnbits.change(host.source.id, payment, { extra: {}, tag: null, payment_hash: 'e'.repeat(64) });
      host.lnbits.change(carol, payment, { extra: {}, tag: null, payment_hash: 'd'.repeat(64) });
      return { p118: id };
    },
    // The payout is newly held.
    ends: [[`${AS_BRIDGE} poll`, 2]],
  },
  {
    page: 'docs/operations.md',
    section: 'A client got too much',
    // LNbits shows again what it had forgotten.
    before: async (host) => {
      for (const row of forgotten.rows) host.lnbits.add(row);
      const added = await host.type(`${AS_BRIDGE} fundings add carol "9000 GTQ" --any-machine --deposited`);
      const [, funding = ''] = /Added (f\d+)/.exec(added) ?? [];
      return { p118: forgotten.payout, HASH: forgotten.rows[0]?.payment_hash ?? '', f3: funding };
    },
    answers: [[/overpaid/, '?', 'y']],
  },
  {
    page: 'docs/operations.md',
    section: 'Move the ledger',
    // The database is at this host, beside Lamassu's, whose role has that name.
    before: (host) => {
      keep(host, 'before');
      return { aio_dca: 'aio_dca_ledger', 'db.example.org': '127.0.0.1' };
    },
    ends: [[`${AS_BRIDGE} poll`, 78]],
    answers: [
      [/createuser/, 'Enter password', (host) => host.sh('cat /etc/aio-dca/ledger.password').trim()],
      [/createuser/, 'again', (host) => host.sh('cat /etc/aio-dca/ledger.password').trim()],
      [/ledger copy/, '?', 'y'],
    ],
    after: (host) => void putBack(host, 'before'),
  },
  { page: 'docs/operations.md', section: 'Move to another host' },
  {
    page: 'docs/operations.md',
    section: 'Two copies of one ledger',
    // The folder was copied. The copy was going to pay, and LNbits was not there any more.
    before: async (host) => {
      await host.type(`${AS_BRIDGE} fundings add alice "9000 GTQ" --any-machine --deposited`);
      host.sh(`cp -a ${LEDGER} /var/lib/aio-dca/copy.sqlite
        cp -a ${CONFIG} /etc/aio-dca/copy.toml
        sed -i 's|/ledger.sqlite"|/copy.sqlite"|' /etc/aio-dca/copy.toml`);
      host.lnbits.rules = [{ when: { kind: 'pay' }, times: 100, fault: { at: 'before', do: 'reset' } }];
      await insertCashOut(host.lamassu, { confirmed_at: now() });
      await host.type(`${AS_BRIDGE} --config /etc/aio-dca/copy.toml poll`, 75);
      host.lnbits.rules = [];
      return {};
    },
    ends: [[`${AS_BRIDGE} poll`, 78]],
  },
  { page: 'docs/operations.md', section: 'LNbits moved' },
  {
    page: 'docs/operations.md',
    section: "Lamassu's database upgraded, restored or moved",
    before: (host) => {
      const db = new DatabaseSync(host.at(LEDGER));
      const { identity } = db.prepare('select system_identifier as identity from sources').get() as {
        identity: string;
      };
      db.prepare('update sources set system_identifier = ?').run('7437521938471234567');
      db.close();
      return { '7581034412209983117': identity };
    },
    ends: [[`${AS_BRIDGE} poll`, 78]],
    answers: [[/--accept/, '?', 'y']],
  },
  { page: 'docs/operations.md', section: 'SSH' },
  {
    page: 'docs/operations.md',
    section: 'A new host key',
    before: (host) => {
      host.sh(
        `cp -a ${CONFIG} /var/tmp/config.toml && sed -i 's|^host_key = .*|host_key = "SHA256:${'A'.repeat(43)}"|' ${CONFIG}`,
      );
      return {};
    },
    ends: [[`${AS_BRIDGE} poll`, 78]],
    after: (host) => void host.sh(`cp -a /var/tmp/config.toml ${CONFIG}`),
  },
  {
    page: 'docs/operations.md',
    section: 'The source wallet',
    // The wallet is another one, and it has paid nothing yet.
    before: async (host) => {
      const other = await host.wallet('source 2');
      await host.lnbits.topUp(other.id, 10_000_000n);
      host.sh(
        `cat /etc/aio-dca/source.adminkey > ${host.home}/former.adminkey && echo ${other.adminkey} > /etc/aio-dca/source.adminkey`,
      );
      return {};
    },
    after: (host) => void host.sh(`cat ${host.home}/former.adminkey > /etc/aio-dca/source.adminkey`),
  },
  {
    page: 'docs/operations.md',
    section: "A client's wallet",
    before: async (host) => {
      await host.type(`${AS_BRIDGE} fundings add alice "30000 GTQ" --any-machine --deposited`);
      const { inkey } = await host.lnbits.resetKeys(host.wallets.get('alice')?.id ?? '');
      host.sh(`echo ${inkey} > ${host.home}/alice.invoicekey`);
      await host.wallet('other');
      await insertCashOut(host.lamassu, { confirmed_at: now() });
      const [last] = await json<{ id: string }[]>(host, 'payouts list --limit 1');
      return { p2: `p${Number(last?.id.slice(1)) + 1}` };
    },
    ends: [
      [`${AS_BRIDGE} poll`, 2],
      [`${AS_BRIDGE} clients set alice --wallet-key-file - < other.invoicekey`, 64],
    ],
  },
  {
    page: 'docs/operations.md',
    section: 'A wallet that takes nothing more',
    before: async (host) => {
      const refused = { detail: 'Wallet balance cannot exceed 100 sats.', status: 'failed' };
      host.lnbits.rules = [
        {
          when: ({ kind, walletId }) => kind === 'invoice' && walletId === host.wallets.get('other')?.id,
          times: 100,
          fault: { at: 'before', answer: { status: 520, body: refused } },
        },
      ];
      return {};
    },
    ends: [[`${AS_BRIDGE} poll`, 75]],
    after: (host) => {
      host.lnbits.rules = [];
    },
  },
  {
    page: 'docs/operations.md',
    section: 'Several Lamassu servers',
    before: async (host) => {
      host.sh(`cd /etc/aio-dca && for name in north south; do cp -a config.toml $name.toml; done`);
      return {};
    },
  },
  {
    page: 'docs/coming-from-satmachineadmin.md',
    section: '2. Find the point where the bridge takes over',
    before: (host) => {
      const db = new DatabaseSync(host.at(`${host.home}/ext_satmachineadmin.sqlite3`));
      db.exec(OLD_BOOKS);
      db.close();
      return {};
    },
  },
  { page: 'docs/coming-from-satmachineadmin.md', section: '3. Settle what the extension left open' },
  {
    page: 'docs/coming-from-satmachineadmin.md',
    section: '5. Enter the clients and their remaining cash',
    before: async (host) => {
      await host.wallet('nora');
      return { alice: 'nora', '2026-11-20 10:00': local(Date.now()) };
    },
  },
  {
    page: 'docs/coming-from-satmachineadmin.md',
    section: '6. The first run',
    before: async ({ lamassu }) => {
      const id = await insertCashOut(lamassu, { confirmed_at: '2026-10-15T10:00:00Z' });
      return { '3f0c5e': id.slice(0, 8) };
    },
  },
  {
    page: 'docs/crediting.md',
    section: 'When a credit cannot be made',
    // The superuser has another password, and the wallet holds nothing.
    before: async (host) => {
      configure(
        host,
        'credit_source = false',
        'credit_source = true\\nsuperuser = "superuser"\\nsuperuser_password = "another"',
      );
      const filled = host.lnbits.payments(host.source.id).findLast(({ amount }) => amount > 0);
      host.lnbits.change(host.source.id, filled?.payment_hash ?? '', {
        amount: (filled?.amount ?? 0) - Number(host.lnbits.balance(host.source.id)) * 1000,
      });
      await host.type(`${AS_BRIDGE} fundings add alice "9000 GTQ" --any-machine --deposited`);
      await insertCashOut(host.lamassu, { confirmed_at: now() });
      await host.type(`${AS_BRIDGE} poll`, 78);
      configure(host, 'credit_source = true', 'credit_source = false');
      return { c4: 'c1' };
    },
    answers: [[/credits resolve/, '?', 'y']],
  },
  {
    page: 'docs/crediting.md',
    section: 'When a credit is held',
    // Twice somebody tops the wallet up by just the sum of a credit. Of the second credit, both are taken back.
    before: async (host) => {
      configure(host, 'credit_source = false', 'credit_source = true');
      configure(host, '^superuser_password = .*', `superuser_password = "${host.lnbits.superuser.password}"`);
      const admin: { payment_hash: string; sats: bigint }[] = [];
      host.lnbits.onRequest = async ({ kind }, phase) => {
        if (kind !== 'credit' || phase !== 'after') return;
        const { payment_hash = '', amount = 0 } = host.lnbits.payments(host.source.id).at(-1) ?? {};
        admin.push({ payment_hash, sats: BigInt(amount / 1000) });
        await host.lnbits.topUp(host.source.id, BigInt(amount / 1000));
      };
      for (const [fiat, atoms] of [
        ['1000.00000', '128100'],
        ['500.00000', '64050'],
      ] as const) {
        const sums = { fiat, crypto_atoms: atoms, received_crypto_atoms: atoms };
        await insertCashOut(host.lamassu, { confirmed_at: now(), ...sums });
        await host.type(`${AS_BRIDGE} poll`, 2);
      }
      host.lnbits.onRequest = undefined;
      const [first, second] = admin;
      for (const _ of [1, 2]) await host.lnbits.topUp(host.source.id, -(second?.sats ?? 0n));
      const held = await json<{ id: string; state: string }[]>(host, 'credits list');
      const [c5 = '', c3 = ''] = held.filter(({ state }) => state === 'held').map(({ id }) => id);
      return { c3, c5, HASH: first?.payment_hash ?? '' };
    },
    answers: [[/credits resolve/, '?', 'y']],
  },
  {
    page: 'docs/crediting.md',
    section: 'When a credit comes late',
    // LNbits goes away with the request, and carries it out after another one.
    before: async (host) => {
      const later = Promise.withResolvers<void>();
      host.lnbits.onRequest = async ({ kind }, phase) => {
        if (kind !== 'credit' || phase !== 'before') return;
        host.lnbits.onRequest = undefined;
        await host.lnbits.stop();
        await host.lnbits.start();
        await later.promise;
      };
      await insertCashOut(host.lamassu, { confirmed_at: now() });
      for (const _ of [1, 2]) await host.type(`${AS_BRIDGE} poll`, 'any');
      const shown = new Set(host.lnbits.payments(host.source.id).map((row) => row.payment_hash));
      const late = () =>
        host.lnbits
          .payments(host.source.id)
          .find((row) => !shown.has(row.payment_hash) && row.status === 'success');
      later.resolve();
      await host.until(() => late() !== undefined, 'the credit comes late');
      const credits = await json<{ id: string; state: string }[]>(host, 'credits list');
      const c1 = credits.find(({ state }) => state === 'dropped')?.id ?? '';
      return { c1, HASH: late()?.payment_hash ?? '' };
    },
    answers: [[/credits resolve/, '?', 'y']],
  },
  { page: 'docs/monitoring.md', section: 'A ledger in another folder' },
  { page: 'docs/monitoring.md', section: 'When something needs the operator' },
  { page: 'docs/monitoring.md', section: 'Backup every day' },
  { page: 'docs/monitoring.md', section: 'Secrets from systemd' },
];

/** What LNbits forgot. */
let forgotten: { payout: string; rows: ReturnType<LnbitsSimulator['payments']> } = { payout: '', rows: [] };

async function jammed({ lamassu }: Host): Promise<string> {
  const id = await insertCashOut(lamassu, {
    confirmed_at: now(),
    dispense_confirmed: false,
    error: 'jammed',
  });
  await insertAction(lamassu, { tx_id: id, dispensed_1: 1, error: 'jammed' });
  return id;
}
