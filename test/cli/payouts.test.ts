import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { jsonDocument } from '../../src/cli/terminal/json.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { readPayout } from '../../src/ledger/payouts/view.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { type Ledger, openLedger } from '../../src/ledger/store/open.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { systemClock } from '../../src/time.ts';
import { viewOfPayoutDetail } from '../../src/views/payouts.ts';
import type { Ran } from '../support/command.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { startWorld, type World } from '../support/world.ts';

interface Shown {
  id: string;
  state: string;
  reason: string | null;
  sats: number;
  settled_sats: number;
  allocations: string[];
  payments: { payment_hash: string; state: string; reason: string | null }[];
}

/** What the default cash-out of 4000 GTQ pays without commission. */
const NET = 484_207n;

let world: World;
let ledger: Ledger;
/** The payout of the running test. */
let p: string;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct', quiet: '1 ms' });
  await world.must(['migrate']);
  ledger = await openLedger({ clock: systemClock, url: world.ledgerUrl, use: 'write' });
  await world.addClient('alice');
  await world.addFunding('alice', '200000 GTQ');
});
afterAll(async () => {
  await ledger.close();
  await world.stop();
});
beforeEach(async () => {
  world.simulator().rules = [];
  await setBalance(10_000_000n);
  const before = await ledger.db.selectFrom('payouts').select('id').execute();
  p = `p${before.length + 1}`;
  await world.insertCashOut();
});
afterEach(async () => {
  expect((await verifyLedger(ledger)).differences).toEqual([]);
});

const poll = () => world.aioDca(['poll', '--json']);
const payouts = (...args: string[]) => world.aioDca(['payouts', ...args]);

/** `payouts show --json`, without a process for each call. */
async function shown(): Promise<Shown> {
  const detail = await readPayout(ledger.db, BigInt(p.slice(1)));
  return JSON.parse(jsonDocument(viewOfPayoutDetail(detail))) as Shown;
}

async function setBalance(sats: bigint): Promise<void> {
  await world.lnbits.topUp(world.source.id, sats - (await world.balance(world.source)));
}

/** A payment that leaves the source wallet and does not arrive: held. */
async function debitedNotCredited(): Promise<void> {
  world.simulator().rules.push({ when: { kind: 'pay' }, fault: { pay: 'debit-only' } });
  await poll();
  expect(await shown()).toMatchObject({ state: 'held', payments: [{ state: 'unknown' }] });
}

/** What alice's wallet shows of the first payment. */
async function clientShows(fields: Record<string, unknown>): Promise<void> {
  const hash = (await shown()).payments[0]?.payment_hash ?? '';
  world.simulator().change(world.wallets.get('alice')?.id ?? '', hash, fields);
}

/** Nothing in the source wallet: deferred. */
async function tooLittle(): Promise<void> {
  await setBalance(1_000n);
  expect((await poll()).code).toBe(75);
  expect(await shown()).toMatchObject({ state: 'deferred', payments: [] });
}

/** LNbits says no: deferred, with an invoice. */
async function refused(): Promise<void> {
  const answer = { status: 520, body: { detail: 'Payments are limited.', status: 'failed' } };
  world.simulator().rules.push({ when: { kind: 'pay' }, fault: { at: 'before', answer } });
  await poll();
  expect(await shown()).toMatchObject({ state: 'deferred', payments: [{ state: 'invoiced' }] });
}

/** For the running test only. */
async function configure(from: string, to: string): Promise<void> {
  const text = await readFile(world.configFile, 'utf8');
  await writeFile(world.configFile, text.replace(from, to));
  onTestFinished(() => writeFile(world.configFile, text));
}

async function log(action: string, subject = p) {
  return ledgerSql(
    world.ledgerUrl,
    `select actor, reason from log where action = $1 and subject = $2 order by id`,
    [action, subject],
  );
}

test('list and show say what is owed to whom, and what became of it', async () => {
  await poll();
  const list = await world.must(['payouts', 'list', '--json']);
  expect(list.json()).toEqual([
    {
      id: 'p1',
      recipient: 'alice',
      kind: 'client',
      state: 'settled',
      reason: null,
      lack: null,
      sats: 484207,
      settled_sats: 484207,
      created_at: expect.any(String),
      settled_at: expect.any(String),
      fee_msat: 0,
    },
  ]);
  const detail = (await world.must(['payouts', 'show', 'p1', '--json'])).json<Shown>();
  expect(detail).toMatchObject({ ...(list.json<Shown[]>()[0] ?? {}), allocations: ['1'] });
  expect(detail.payments).toEqual([
    {
      payment_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      part: 1,
      attempt: 1,
      sats: 484207,
      fee_msat: 0,
      state: 'settled',
      reason: null,
      wallet_id: world.wallets.get('alice')?.id,
      created_at: expect.any(String),
      sent_at: expect.any(String),
      settled_at: expect.any(String),
    },
  ]);
  const page = await world.must(['payouts', 'show', 'P1']);
  expect(page.stdout).toContain('p1: 484,207 sat to alice, for 4,000.00 GTQ of cash in 1 cash-out\n');
  expect(page.stdout).toContain(detail.payments[0]?.payment_hash);
});

test('list can be narrowed, and says when there are more', async () => {
  await tooLittle();
  const ids = async (...args: string[]) =>
    (await world.must(['payouts', 'list', '--json', ...args])).json<Shown[]>().map((one) => one.id);
  expect(await ids()).toEqual(['p2', 'p1']);
  expect(await ids('--state', 'deferred')).toEqual(['p2']);
  expect(await ids('--open')).toEqual(['p2']);
  expect(await ids('--client', 'alice', '--limit', '1')).toEqual(['p2']);
  const one = await world.must(['payouts', 'list', '--limit', '1']);
  expect(one.stdout).toContain('p2');
  expect(one.stdout).not.toContain('p1 ');
  expect(one.stderr).toContain('The newest 1 of 2; --limit 2 shows all.');
  for (const line of one.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

describe('hold and release', () => {
  test('a held one is not paid, a released one is', async () => {
    await tooLittle();
    const held = await payouts('hold', p, '--reason', 'alice asked', '--actor', 'dora');
    expect(held).toMatchObject({ code: 0, stdout: expect.stringContaining(`Payout ${p} is held.`) });
    await setBalance(10_000_000n);
    await poll();
    expect(await shown()).toMatchObject({ state: 'held', reason: 'alice asked', settled_sats: 0 });
    const page = (await payouts('show', p)).stdout;
    expect(page).toContain(`aio-dca payouts release ${p}`);
    expect(page).not.toContain('aio-dca payouts resolve');
    await world.must(['payouts', 'release', p, '--actor', 'emil']);
    expect(await shown()).toMatchObject({ state: 'planned', reason: null });
    expect((await poll()).code).toBe(0);
    expect(await shown()).toMatchObject({ state: 'settled' });
    expect(await log('payout held')).toEqual([{ actor: 'dora', reason: 'alice asked' }]);
    expect(await log('payout release')).toMatchObject([{ actor: 'emil' }]);
  });

  test('one that was sent is checked before anything else happens', async () => {
    await debitedNotCredited();
    await world.must(['payouts', 'release', p]);
    expect(await shown()).toMatchObject({ state: 'unknown', payments: [{ state: 'unknown' }] });
    expect((await poll()).code).toBe(2);
    expect(await shown()).toMatchObject({ state: 'held', settled_sats: 0 });
    expect((await payouts('list', '--state', 'held')).stdout).toContain('debited, not credited');
  });

  test('an invoice that was never sent is paid after the release', async () => {
    await refused();
    await world.must(['payouts', 'hold', p]);
    const page = (await payouts('show', p)).stdout;
    expect(page).toContain('held: held by hand');
    expect(page).toContain(`aio-dca payouts resolve ${p} --not-paid`);
    await world.must(['payouts', 'release', p]);
    expect((await poll()).code).toBe(0);
    expect(await shown()).toMatchObject({ state: 'settled', payments: [{ state: 'settled' }] });
  });
});

describe('retry', () => {
  test('ends the deferral, whether there is an invoice or not', async () => {
    await tooLittle();
    const ran = await world.must(['payouts', 'retry', p]);
    expect(ran.stdout).toContain(`Payout ${p} is planned. The next run pays it: aio-dca poll`);
    await setBalance(10_000_000n);
    await refused();
    await world.must(['payouts', 'retry', p]);
    expect((await poll()).code).toBe(0);
    expect(await shown()).toMatchObject({ state: 'settled' });
  });

  test('a held one is refused, with the way out', async () => {
    await tooLittle();
    await world.must(['payouts', 'hold', p, '--reason', 'alice asked']);
    const ran = await payouts('retry', p);
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain(`aio-dca payouts release ${p}`);
    expect(await shown()).toMatchObject({ state: 'held' });
  });
});

describe('resolve', () => {
  test('--paid, if both wallets confirm it, settles without a question', async () => {
    await debitedNotCredited();
    const hash = (await shown()).payments[0]?.payment_hash ?? '';
    world.simulator().change(world.wallets.get('alice')?.id ?? '', hash, { status: 'success' });
    await world.must([
      'payouts',
      'resolve',
      p,
      '--paid',
      '--reason',
      'LNbits was repaired',
      '--actor',
      'dora',
    ]);
    expect(await shown()).toMatchObject({
      state: 'settled',
      settled_sats: 484207,
      payments: [{ state: 'settled', reason: 'dora: LNbits was repaired' }],
    });
    expect(await log('payout resolve')).toEqual([{ actor: 'dora', reason: 'LNbits was repaired' }]);
    expect((await poll()).code).toBe(0);
  });

  test('a payment that LNbits debited and gave up: it asks, and does what the operator decides', async () => {
    const alice = world.wallets.get('alice') ?? world.source;
    const before = await world.balance(alice);
    await debitedNotCredited();
    await clientShows({ status: 'failed' });
    const say = ['resolve', p, '--not-paid', '--reason', 'alice has nothing'];
    const asked = await payouts(...say);
    expect(asked.code).toBe(64);
    expect(asked.stderr).toContain('in the source wallet as paid, in the client’s as failed');
    expect(await shown()).toMatchObject({ state: 'held', payments: [{ state: 'unknown' }] });
    await world.must(['payouts', ...say, '--yes']);
    expect(await shown()).toMatchObject({ state: 'planned', payments: [{ state: 'dead' }] });
    expect((await poll()).code).toBe(0);
    expect(await shown()).toMatchObject({
      state: 'settled',
      payments: [{ state: 'dead' }, { state: 'settled' }],
    });
    expect((await world.balance(alice)) - before).toBe(NET);
  });

  test.each([
    ['arrived', { status: 'success' }, {}, '--not-paid', 'payouts release'],
    ['is pending at the client', {}, {}, '--not-paid', 'LNbits may still credit it'],
    ['is pending at the client', {}, {}, '--paid', 'LNbits may still credit it'],
    [
      'is pending at the source',
      { status: 'failed' },
      { status: 'pending' },
      '--not-paid',
      'is still working on it',
    ],
    [
      'is pending at the source',
      { status: 'success' },
      { status: 'pending' },
      '--paid',
      'is still working on it',
    ],
    ['arrived in part', { status: 'success', amount: 7000 }, {}, '--not-paid', 'the difference'],
    ['arrived, from elsewhere', { status: 'success' }, { status: 'failed' }, '--not-paid', '--paid'],
    ['failed', { status: 'failed' }, {}, '--paid', '--not-paid'],
    ['never left the source', { status: 'failed' }, { status: 'failed' }, '--paid', 'payouts release'],
    [
      'came in part from elsewhere',
      { status: 'success', amount: 7000 },
      { status: 'failed' },
      '--paid',
      'paid in full by',
    ],
  ] as const)(
    'whatever the operator decides, one that %s stays as it is',
    async (_, client, source, word, wayOut) => {
      await debitedNotCredited();
      await clientShows(client);
      const hash = (await shown()).payments[0]?.payment_hash ?? '';
      world.simulator().change(world.source.id, hash, source);
      const refused = await payouts('resolve', p, word, '--reason', 'I know it', '--yes', '--json');
      expect(refused.code).toBe(64);
      expect(refused.json()).toMatchObject({
        error: { code: 'payout/contradicted', hint: expect.stringContaining(wayOut) },
      });
      expect(await shown()).toMatchObject({ state: 'held', payments: [{ state: 'unknown' }] });
      world.simulator().change(world.source.id, hash, { status: 'success' });
      await clientShows({ status: 'success', amount: Number(NET) * 1000 });
      await world.must(['payouts', 'resolve', p, '--paid', '--reason', 'cleared']);
    },
  );

  test('while LNbits cannot be asked, no payment can be declared unpaid; one declared paid is checked later', async () => {
    await debitedNotCredited();
    await clientShows({ status: 'success' });
    await world.simulator().stop();
    const refused = await payouts('resolve', p, '--not-paid', '--reason', 'alice says so', '--yes', '--json');
    expect(refused.code).toBe(75);
    expect(refused.json()).toMatchObject({ error: { code: 'lnbits/unreachable' } });
    const asked = await payouts('resolve', p, '--paid', '--reason', 'alice says so');
    expect(asked.code).toBe(64);
    expect(asked.stderr).toContain('cannot be seen');
    await world.must(['payouts', 'resolve', p, '--paid', '--reason', 'alice says so', '--yes']);
    expect(await shown()).toMatchObject({ state: 'settled' });
    await world.simulator().start();
    // The next run that pays checks what could not be seen.
    const hash = (await shown()).payments[0]?.payment_hash ?? '';
    world.simulator().change(world.source.id, hash, { status: 'failed' });
    await world.insertCashOut();
    await poll();
    expect(await shown()).toMatchObject({ state: 'held' });
    await world.must(['payouts', 'resolve', p, '--paid', '--reason', 'alice has it', '--yes']);
    world.simulator().change(world.source.id, hash, { status: 'success' });
  });

  test('if only the source wallet cannot be read, the client’s wallet still counts', async () => {
    await debitedNotCredited();
    await clientShows({ status: 'failed' });
    await writeFile(join(world.folder, 'source.adminkey'), 'of-nobody');
    const say = ['resolve', p, '--paid', '--reason', 'alice says so', '--yes', '--json'];
    const refused = await payouts(...say);
    expect(refused.code).toBe(64);
    expect(refused.json()).toMatchObject({
      error: { code: 'payout/contradicted', message: expect.stringContaining('in the client’s as failed') },
    });
    await clientShows({ status: 'success' });
    await world.must(['payouts', ...say]);
    await writeFile(join(world.folder, 'source.adminkey'), world.source.adminkey);
    expect(await shown()).toMatchObject({ state: 'settled' });
  });

  test('a payment that may still be under way cannot be resolved', async () => {
    world.simulator().rules.push({ when: { kind: 'pay' }, fault: { at: 'before', do: 'reset' }, times: 9 });
    await poll();
    expect(await shown()).toMatchObject({ state: 'unknown' });
    await configure('quiet = "1 ms"', 'quiet = "10 min"');
    const ran = await payouts('resolve', p, '--not-paid', '--reason', 'gone', '--yes', '--json');
    expect(ran.code).toBe(75);
    expect(ran.json()).toMatchObject({ error: { code: 'payout/under-way' } });
    expect(await shown()).toMatchObject({ state: 'unknown', payments: [{ state: 'unknown' }] });
  });

  test('of several open payments one must be named', async () => {
    await configure('[payouts]', '[payouts]\nmaximum_sats = 300000');
    await poll();
    const [first, second] = (await shown()).payments;
    await lookedInVain([first?.payment_hash, second?.payment_hash]);
    const say = ['resolve', p, '--paid', '--reason', 'seen', '--yes'];
    const ran = await payouts(...say);
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain(`--payment ${first?.payment_hash}`);
    await world.must(['payouts', ...say, '--payment', `${second?.payment_hash}`]);
    expect(await shown()).toMatchObject({
      state: 'unknown',
      payments: [{ state: 'unknown' }, { state: 'settled' }],
    });
    await world.must(['payouts', ...say]);
    expect(await shown()).toMatchObject({ state: 'settled' });
  });

  describe('one that had settled, and that LNbits does not show any more,', () => {
    beforeEach(async () => {
      await configure('[payouts]', '[payouts]\nbatch = "cash-out"');
      await world.insertCashOut();
      await poll();
      // The older of two: where the newest is gone, nothing at all is paid.
      const hash = (await shown()).payments[0]?.payment_hash ?? '';
      world.simulator().change(world.source.id, hash, { status: 'failed' });
      await world.insertCashOut();
      expect((await poll()).code).toBe(2);
      expect(await shown()).toMatchObject({ state: 'held', payments: [{ state: 'unknown' }] });
    });

    test('can be settled again, for good', async () => {
      await world.must(['payouts', 'resolve', p, '--paid', '--reason', 'alice shows it', '--yes']);
      await world.insertCashOut();
      expect((await poll()).code).toBe(0);
      expect(await shown()).toMatchObject({ state: 'settled', payments: [{ state: 'settled' }] });
    });

    test('is not paid again while the client has it, and is paid again once neither wallet has it', async () => {
      const say = ['resolve', p, '--not-paid', '--reason', 'restored', '--yes'];
      expect((await payouts(...say)).code).toBe(64);
      await clientShows({ status: 'failed' });
      await world.must(['payouts', ...say]);
      expect((await poll()).code).toBe(0);
      expect(await shown()).toMatchObject({
        state: 'settled',
        payments: [{ state: 'dead' }, { state: 'settled' }],
      });
    });

    test('can be checked again', async () => {
      await world.must(['payouts', 'release', p]);
      await poll();
      expect(await shown()).toMatchObject({
        state: 'held',
        reason: expect.stringContaining('not from the source'),
      });
    });
  });
});

/** As the second check of settled payments leaves it if LNbits no longer shows them. */
async function lookedInVain(hashes: (string | undefined)[]): Promise<void> {
  for (const hash of hashes) {
    await ledgerSql(
      world.ledgerUrl,
      `update payments set state = 'unknown', reason = 'it vanished' where payment_hash = $1`,
      [hash ?? null],
    );
  }
  await ledgerSql(
    world.ledgerUrl,
    `update payouts set state = 'held', reason = 'it vanished', settled_at = null where id = $1`,
    [BigInt(p.slice(1))],
  );
}

describe('overpaid', () => {
  test('shows its worth, asks, and subtracts it from that client’s cash only', async () => {
    await poll();
    const remaining = async () =>
      (await world.must(['fundings', 'show', 'f1', '--json'])).json<{ remaining: string }>().remaining;
    const before = Number(await remaining());
    const args = ['overpaid', p, '--sats', '242104 sat', '--funding', 'f1', '--reason', 'paid by two hosts'];
    expect(await payouts(...args)).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('2,000.00 GTQ'),
    });
    expect(Number(await remaining())).toBe(before);
    const booked = await payouts(...args, '--yes', '--json');
    expect(booked.json()).toMatchObject({
      ...{
        payout: p,
        recipient: 'alice',
        sats: 242_104,
        fiat: '2000.00',
        currency: 'GTQ',
        payment_hash: null,
      },
      funding: { id: 'f1', remaining: (before - 2000).toFixed(2) },
    });
    expect(Number(await remaining())).toBe(before - 2000);
    expect((await world.must(['log', '--json'])).stdout).toContain('payout overpaid');
  });

  test('is refused for a payment that pays a payout, and for an amount that is not in sats', async () => {
    await poll();
    const hash = (await shown()).payments[0]?.payment_hash ?? '';
    const settled = await payouts('overpaid', p, '--payment', hash, '--reason', 'a slip', '--yes');
    expect(settled).toMatchObject({ code: 64, stderr: expect.stringContaining('is settled, and pays what') });
    const point = await payouts('overpaid', p, '--sats', '242.104', '--reason', 'a slip', '--yes');
    expect(point).toMatchObject({ code: 64, stderr: expect.stringContaining('--sats') });
  });
});

describe('pause and resume', () => {
  test('recording goes on, paying stops, and runs say who paused it and why', async () => {
    const recorded = (await world.must(['cash-outs', 'list', '--json'])).json<object[]>();
    const paused = await world.must([
      'payouts',
      'pause',
      '--reason',
      'moving LNbits',
      '--actor',
      'dora',
      '--json',
    ]);
    expect(paused.json()).toMatchObject({ paused: true, pause: { by: 'dora', reason: 'moving LNbits' } });
    const again = await world.must(['payouts', 'pause', '--reason', 'me too', '--actor', 'emil']);
    expect(again.stdout).toContain('paused already, by dora');
    await poll();
    const status = await world.aioDca(['status']);
    expect(status.stdout).toContain('paused by dora');
    expect(status.stdout).toContain('moving LNbits');
    await expect(shown()).rejects.toThrow(`no payout ${p}`);
    expect((await world.must(['cash-outs', 'list', '--json'])).json()).toMatchObject([
      { gross_sats: 512400 },
      ...recorded,
    ]);
    await world.must(['payouts', 'resume']);
    await poll();
    expect(await shown()).toMatchObject({ state: 'settled' });
    expect((await world.must(['payouts', 'resume'])).stdout).toContain('was not paused');
    expect(await log('payouts pause', 'payouts')).toEqual([{ actor: 'dora', reason: 'moving LNbits' }]);
    expect(await log('payouts resume', 'payouts')).toHaveLength(1);
  });
});

test('during a run nothing can be decided about payouts, but pause still works', async () => {
  await tooLittle();
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'timer' });
  try {
    const ran = await payouts('hold', p, '--reason', 'now');
    expect(ran.code).toBe(75);
    expect(ran.stderr).toContain('run/busy');
    expect(ran.stderr).toContain('by timer');
    expect((await payouts('pause', '--reason', 'now')).code).toBe(0);
  } finally {
    await run.finish('ok', null);
  }
  await world.must(['payouts', 'resume']);
  expect(await shown()).toMatchObject({ state: 'deferred' });
});

test('senseless input is refused, and nothing is written', async () => {
  await poll();
  const wrong: [args: string[], says: string][] = [
    [['show', 'f1'], 'is not the id of a payout'],
    [['show', 'p99'], 'no payout p99'],
    [['hold', 'p1', '--reason', ' '], '--reason'],
    [['retry', 'p1'], 'is settled'],
    [['resolve', 'p1', '--reason', 'why'], '--paid, --not-paid'],
    [['resolve', 'p1', '--paid', '--not-paid', '--reason', 'why'], 'only one of them'],
    [['resolve', 'p1', '--paid'], '--reason'],
    [['pause'], '--reason'],
    [['list', '--state', 'lost'], '--state'],
    [['list', '--state', 'held', '--open'], '--open'],
    [['list', '--limit', '0'], '--limit'],
    [['list', '--client', 'nobody'], 'aio-dca clients list'],
  ];
  const before = await everything();
  const ran = await Promise.all(wrong.map(async ([args]): Promise<Ran> => payouts(...args)));
  expect(ran.map(({ code }) => code)).toEqual(wrong.map(() => 64));
  for (const [index, [, says]] of wrong.entries()) expect(ran[index]?.stderr).toContain(says);
  expect(await everything()).toEqual(before);
});

async function everything() {
  const { db } = ledger;
  return [
    await db.selectFrom('payouts').selectAll().execute(),
    await db.selectFrom('payments').selectAll().execute(),
    await db.selectFrom('log').selectAll().execute(),
    await db.selectFrom('ledger').selectAll().execute(),
  ];
}

test('the hint names the command of the recipient whose wallet does not answer', async () => {
  const key = await world.addCommission('till');
  const at = new Date().toISOString();
  await world.insertCashOut({ created: at, confirmed_at: at });
  await poll();
  const [paid] = (await payouts('list', '--client', 'till', '--json')).json<Shown[]>();
  const id = paid?.id ?? '';
  expect(paid).toMatchObject({ state: 'settled' });
  const nothing = await payouts('release', id);
  expect(nothing.code).toBe(64);
  expect(nothing.stderr).toContain('There is nothing left to pay.');
  await world.must(['payouts', 'hold', id]);
  const { inkey } = await world.lnbits.resetKeys(key.id);
  const refused = await payouts('resolve', id, '--not-paid', '--reason', 'it is gone', '--yes');
  expect(refused.code).toBe(64);
  expect(refused.stderr).toContain('aio-dca commission set till --wallet-key-file FILE');
  expect(refused.stderr).toContain(`aio-dca payouts resolve ${id} --paid --reason`);
  await writeFile(join(world.folder, 'till.invoicekey'), `${inkey}\n`);
  await world.must([
    ...['commission', 'set', 'till', '--wallet-key-file', join(world.folder, 'till.invoicekey')],
  ]);
  await world.must(['payouts', 'release', id]);
  await poll();
  expect((await payouts('show', id, '--json')).json<Shown>()).toMatchObject({ state: 'settled' });
});
