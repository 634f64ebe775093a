import { table } from '../src/cli/terminal/table.ts';
import { formatCash, formatSats, groupDigits } from '../src/dca/money.ts';
import { type Audit, audit } from '../test/support/auditor.ts';
import { insertAction, pairMachine } from '../test/support/lamassu.ts';
import { ledgerSql } from '../test/support/ledger-sql.ts';
import type { World } from '../test/support/world.ts';
import { forLater, jammed, litecoin, sell, sixNotes } from './lamassu.ts';
import type { Page } from './page.ts';

/** What `--json` prints: each figure is counted from the parts, the wallets from LNbits. */
export interface Figures {
  cash_outs: number;
  gross_sats: number;
  commission_sats: number;
  net_sats: number;
  own_sats: number;
  payouts_settled: number;
  wallets: Record<string, number>;
  source_wallet_spent: number;
  killed_runs: number;
  paid_twice: number;
  lost: number;
  verified: boolean;
}

/** Tells the story from an empty ledger to the end. Throws where anything is not as it has to be. */
export async function tell(world: World, page: Page): Promise<Figures> {
  page.say('aio-dca at work: a Lamassu database behind SSH, LNbits (simulated), a ledger in a file.');
  page.say('All of it was just created, and is deleted at the end.\n');
  await pairMachine(world.lamassu, 'Plaza Central');
  await setUp(world, page);
  const stories = await firstRun(world, page);
  await killedRun(world, page, stories);
  return await reckoning(world, page, stories);
}

/** The clients of the story, with their cash. */
const CASH = { alice: '6000 GTQ', bob: '3000 GTQ' };

async function setUp(world: World, page: Page): Promise<void> {
  page.chapter('Two clients put cash into the machine');
  const run = async (args: string[]) => page.ran(args, await world.must(args));
  await run(['migrate']);
  const at = new Date(Date.now() - 4 * 3_600_000).toISOString();
  for (const [name, cash] of Object.entries(CASH)) {
    await world.addClient(name);
    await world.addFunding(name, cash, { at });
    page.command(['clients', 'add', name, '--wallet-key-file', `${name}.invoicekey`], '');
    page.command(['fundings', 'add', name, cash, '--any-machine', '--deposited', '--at', '…'], '');
  }
  await run(['clients', 'list']);
  const { stdout } = await world.must(['doctor']);
  const lines = stdout.trim().split('\n');
  page.command(['doctor'], [`(${lines.length - 1} lines)`, ...lines.slice(-1)].join(' '));
}

/** The description of each cash-out, by its id. */
type Stories = Map<string, string>;

async function firstRun(world: World, page: Page): Promise<Stories> {
  page.chapter('Customers sell bitcoin for cash');
  const stories: Stories = new Map();
  const { lamassu } = world;
  stories.set(await sell(lamassu, 4000n, 180), 'cash came out');
  const jam = await sell(lamassu, 2000n, 150, jammed);
  await insertAction(lamassu, sixNotes(jam));
  stories.set(jam, 'the dispenser jammed after 1,200 GTQ');
  stories.set(await sell(lamassu, 600n, 120, litecoin), 'cash came out, for litecoin');
  stories.set(await sell(lamassu, 800n, 90, forLater), 'fetches the cash later');
  stories.set(await sell(lamassu, 1500n, 60, { crypto_code: 'BTC' }), 'cash came out');
  page.say(await cashOutTable(world, stories));

  page.ran(['poll', '--dry-run'], await attended(world, ['poll', '--dry-run']));
  page.ran(['poll'], await attended(world, ['poll']));
  const again = await world.must(['poll']);
  if (again.stdout !== '') throw new Error(`the second run found something:\n${again.stdout}`);
  page.command(['poll'], '(prints nothing: there is nothing new, and nothing is paid again)');
  return stories;
}

/** A run after which something new needs the operator, which exit code 2 says. */
async function attended(world: World, args: string[]) {
  const ran = await world.aioDca(args);
  if (ran.code !== 2)
    throw new Error(`aio-dca ${args.join(' ')} (exit ${ran.code}):\n${ran.stdout}${ran.stderr}`);
  return ran;
}

/** A run is killed when LNbits has debited the second payment and not credited it yet. */
async function killedRun(world: World, page: Page, stories: Stories): Promise<void> {
  page.chapter('A run is killed in the middle of paying');
  const later = [...stories].find(([, story]) => story.includes('later'))?.[0];
  await world.lamassu.query(
    'update cash_out_txs set dispense = true, dispense_confirmed = true where id = $1',
    [later],
  );
  const fresh: Stories = new Map([
    [`${later}`, 'came back for the cash'],
    [await sell(world.lamassu, 1200n, 10), 'cash came out'],
    [await sell(world.lamassu, 2500n, 5), 'cash came out'],
  ]);
  for (const [id, story] of fresh) stories.set(id, story);
  page.say(await cashOutTable(world, fresh));

  const simulator = world.simulator();
  const before = await balances(world);
  const command = world.start(['poll']);
  let payments = 0;
  simulator.onRequest = async ({ kind }, phase) => {
    if (kind !== 'pay' || phase !== 'between') return;
    payments += 1;
    if (payments < 2) return;
    command.child.kill('SIGKILL');
    await command.ended;
  };
  const { signal, stdout, stderr } = await command.ended;
  simulator.onRequest = undefined;
  if (signal !== 'SIGKILL') throw new Error(`the run was not killed:\n${stdout}${stderr}`);
  if ((await balances(world)).get('alice') === before.get('alice'))
    throw new Error('it was killed too early');
  page.command(['poll'], 'Killed   (kill -9, while LNbits was paying bob; alice was just paid)');
  const ran = await world.must(['poll']);
  page.ran(['poll'], ran);
  const after = await balances(world);
  page.say(
    table(
      ['wallet at LNbits', 'before', 'received', 'now'],
      [...after].map(([name, now]) => {
        const then = before.get(name) ?? 0n;
        return [name, formatSats(then), formatSats(now - then), formatSats(now)];
      }),
    ),
  );
}

async function balances(world: World): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  for (const [name, keys] of world.wallets) if (name in CASH) found.set(name, await world.balance(keys));
  return found;
}

async function reckoning(world: World, page: Page, stories: Stories): Promise<Figures> {
  page.chapter('Who got which sats for which cash');
  page.say(await distributionTable(world, stories));
  page.say('All but the cash in sat. Own: more cash came out than the clients had left,');
  page.say('so these sats are the operator’s.\n');
  page.say('Not paid automatically, and why:');
  const waiting = (await world.must(['review', 'list', '--json'])).json<unknown[]>().length;
  if (waiting !== 2) throw new Error(`${waiting} rows are in review instead of 2`);
  page.ran(['review', 'list'], await world.must(['review', 'list']));
  const verify = await world.must(['verify']);
  page.ran(['verify'], verify);

  const found = await audit(world);
  const died = await ledgerSql(world.ledgerUrl, "select id from runs where outcome = 'died'");
  const count = (kind: string) => found.violations.filter((one) => one.kind === kind).length;
  page.say(checkTable(found));
  if (found.violations.length > 0)
    throw new Error(`not as it has to be:\n${found.violations.map(({ what }) => what).join('\n')}`);
  return {
    cash_outs: found.totals.cashOuts,
    gross_sats: Number(found.totals.gross),
    commission_sats: Number(found.totals.commission),
    net_sats: Number(found.totals.net),
    own_sats: Number(found.totals.own),
    payouts_settled: found.settled,
    wallets: Object.fromEntries([...found.wallets].map(([name, sats]) => [name, Number(sats)])),
    source_wallet_spent: Number(found.spent),
    killed_runs: died.length,
    paid_twice: count('twice'),
    lost: count('lost'),
    verified: verify.code === 0 && found.violations.length === 0,
  };
}

async function cashOutTable(world: World, stories: Stories): Promise<string> {
  const rows = await world.lamassu.query(
    `select id, crypto_code, crypto_atoms::text, trunc(fiat)::text as fiat from cash_out_txs
     where id = any ($1::uuid[]) order by confirmed_at`,
    [[...stories.keys()]],
  );
  return table(
    ['cash-out', 'coin', 'paid by the customer', 'cash', 'what happened'],
    rows.map((row) => {
      const atoms = BigInt(`${row.crypto_atoms}`);
      return [
        `${row.id}`.slice(0, 8),
        `${row.crypto_code}`,
        row.crypto_code === 'LTC' ? '0.915 LTC' : formatSats(atoms),
        formatCash(BigInt(`${row.fiat}`) * 100n, 2, 'GTQ'),
        stories.get(`${row.id}`),
      ];
    }),
  );
}

/** One line for each cash-out, one column for each client. */
async function distributionTable(world: World, stories: Stories): Promise<string> {
  const names = Object.keys(CASH);
  const all = await ledgerSql(world.ledgerUrl, 'select * from cash_outs order by confirmed_at');
  const cashOuts = all.filter(({ id }) => stories.has(`${id}`));
  const nets = await ledgerSql(
    world.ledgerUrl,
    'select a.cash_out_id, r.name, a.net from allocations a join recipients r on r.id = a.client_id',
  );
  const netOf = (id: unknown, name: string) =>
    nets
      .filter((one) => one.cash_out_id === id && one.name === name)
      .reduce((all, one) => all + big(one.net), 0n);
  const rows = cashOuts.map((row) => ({
    id: `${row.id}`.slice(0, 8),
    fiat: big(row.fiat),
    sats: [row.gross, row.commission, row.own].map(big),
    nets: names.map((name) => netOf(row.id, name)),
  }));
  const total = (of: (row: (typeof rows)[number]) => bigint) => rows.reduce((all, row) => all + of(row), 0n);
  const shown = [
    ...rows,
    {
      id: 'in all',
      fiat: total((row) => row.fiat),
      sats: [0, 1, 2].map((index) => total((row) => row.sats[index] ?? 0n)),
      nets: names.map((_, index) => total((row) => row.nets[index] ?? 0n)),
    },
  ];
  return table(
    ['cash-out', 'cash', 'gross', ...names, 'commission', 'own'],
    shown.map(({ id, fiat, sats, nets }) => {
      const [gross = 0n, commission = 0n, own = 0n] = sats;
      return [id, formatCash(fiat, 2, 'GTQ'), ...[gross, ...nets, commission, own].map(groupDigits)];
    }),
  );
}

/** The second opinion, which shares no code with the program. */
function checkTable({ wallets, spent, totals, violations }: Audit): string {
  const received = [...wallets.values()].reduce((all, one) => all + one, 0n);
  const count = (kind: string) => violations.filter((one) => one.kind === kind).length;
  return table(
    ['counted again, by other code', ''],
    [
      ['due to the clients, from Lamassu and their cash', formatSats(totals.net)],
      ['in their wallets, as LNbits says', formatSats(received)],
      ['spent from the source wallet, as LNbits says', formatSats(spent)],
      ['lost', count('lost')],
      ['paid twice', count('twice')],
    ],
  );
}

function big(value: unknown): bigint {
  return BigInt(`${value}`);
}
