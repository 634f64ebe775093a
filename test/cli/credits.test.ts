import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

let world: World;
afterEach(async () => {
  const verified = await world.must(['verify', '--json']);
  expect(verified.json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

/** Alice gets 484,207 sat of a cash-out, and the source wallet holds nothing. */
async function owed(options: WorldOptions = {}): Promise<void> {
  world = await startWorld({ tunnel: 'direct', credit: true, quiet: '1 ms', ...options });
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '5000 GTQ');
  await world.insertCashOut();
}

/** A second credit of the same amount is beside the first, and nothing distinguishes them. */
async function held(): Promise<void> {
  await owed();
  const simulator = world.simulator();
  simulator.onRequest = async ({ kind }, phase) => {
    if (kind === 'credit' && phase === 'after') await simulator.topUp(world.source.id, 484_207n);
  };
  expect((await world.aioDca(['poll', '--json'])).json()).toMatchObject({ payouts: { sats_credited: 0 } });
  simulator.onRequest = undefined;
}

const credits = async () =>
  (await world.must(['credits', 'list', '--json'])).json<Record<string, unknown>[]>();

test.each(['sqlite', 'postgresql'] as const)(
  'a poll credits what is to be paid out, and pays it, on %s',
  async (ledger) => {
    await owed({ ledger });
    const plan = await world.must(['poll', '--dry-run', '--json']);
    expect(plan.json()).toMatchObject({
      plan: { credit_sats: 484_207, payouts: [{ client: 'alice', sats: 484_207 }] },
    });
    const before = (await world.aioDca(['status', '--json'])).json();
    expect(before).toMatchObject({ credits: { on: true, credited_sats: 0, to_come_sats: 0 } });
    const ran = await world.must(['poll']);
    expect(ran.stdout).toContain('Credited the source wallet with 484,207 sat.');
    expect(await world.balance(world.wallets.get('alice') ?? world.source)).toBe(484_207n);
    expect(await world.balance(world.source)).toBe(0n);
    expect(await credits()).toMatchObject([{ id: 'c1', state: 'credited', sats: 484_207, cash_outs: 1 }]);
    const shown = (await world.must(['credits', 'show', 'c1'])).stdout;
    expect(shown).toContain('Credit c1: 484,207 sat, credited');
    const status = await world.aioDca(['status', '--json']);
    expect(status.json()).toMatchObject({
      credits: { on: true, credited_sats: 484_207, to_come_sats: 0 },
      attention: { credits: 0 },
    });
  },
);

test('status and doctor say that LNbits owes what is credited', async () => {
  await owed();
  await world.must(['poll']);
  const status = (await world.aioDca(['status'])).stdout;
  expect(status).toMatch(
    /Crediting +on, 484,207 sat so far: LNbits owes them,\s+so they must lie on its node/,
  );
  const doctor = (await world.must(['doctor', '--json'])).json<{ checks: { name: string }[] }>();
  expect(doctor.checks.find(({ name }) => name === 'credit_source')).toMatchObject({
    level: 'warn',
    detail: expect.stringContaining('LNbits then owes these sats'),
    hint: expect.stringContaining('must be on its node'),
  });
});

test('if it is off and the wallet is short, status and doctor say when it is needed', async () => {
  await owed({ credit: false, sats: 1_000n });
  expect((await world.aioDca(['poll'])).code).toBe(75);
  expect((await world.aioDca(['status'])).stdout).toContain('credit_source in docs/crediting.md');
  const doctor = (await world.must(['doctor', '--json'])).json<{ checks: { name: string }[] }>();
  expect(doctor.checks.find(({ name }) => name === 'balance')).toMatchObject({
    level: 'warn',
    hint: expect.stringContaining('credit_source = true'),
  });
  expect(doctor.checks.map(({ name }) => name)).not.toContain('credit_source');
});

test('a wrong password fails in doctor and in poll, and is not shown', async () => {
  await owed();
  await writeFile(join(world.folder, 'superuser.password'), 'not the password\n', { mode: 0o600 });
  const doctor = await world.aioDca(['doctor', '--json']);
  expect(doctor.code).toBe(78);
  const { checks } = doctor.json<{ checks: { name: string; level: string }[] }>();
  expect(checks.find(({ name }) => name === 'credit_source')).toMatchObject({
    level: 'fail',
    detail: expect.stringContaining('lnbits/superuser'),
  });
  const poll = await world.aioDca(['poll']);
  expect(poll.code).toBe(78);
  expect(poll.stdout + poll.stderr + doctor.stdout).not.toContain('not the password');
  expect(await credits()).toMatchObject([{ state: 'intended' }]);
  await writeFile(join(world.folder, 'superuser.password'), `${world.lnbits.superuser.password}\n`);
  await world.must(['poll']);
});

/** Sets crediting in config.toml. */
async function crediting(on: boolean): Promise<void> {
  const path = join(world.folder, 'config.toml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/^credit_source = .*$/m, `credit_source = ${on}`));
}

const withPassword = (text: string) => writeFile(join(world.folder, 'superuser.password'), `${text}\n`);

test.each(['sqlite', 'postgresql'] as const)(
  'a credit that cannot be made is reported by every run and by status, on %s',
  async (ledger) => {
    await owed({ ledger });
    await withPassword('not the password');
    const reason = expect.stringContaining('LNbits does not let superuser in');
    for (const word of ['poll', 'poll', 'hold', 'poll']) {
      if (word === 'hold') await world.must(['payouts', 'hold', 'p1', '--reason', 'test']);
      else expect((await world.aioDca(['poll', '--json'])).code).toBe(78);
      const status = await world.aioDca(['status', '--json']);
      expect(status.code).toBe(2);
      expect(status.json()).toMatchObject({
        credits: { on: true, to_come_sats: 484_207, not_made: [{ id: 'c1', sats: 484_207, reason }] },
        attention: { credits: 1 },
      });
    }
    const text = (await world.aioDca(['status'])).stdout;
    expect(text).toMatch(/c1 of 484,207 sat could not be made: LNbits does not/);
    expect(text).toMatch(/1 credit of the source wallet not made +aio-dca credits list --state intended/);
    const shown = await world.must(['credits', 'show', 'c1']);
    expect(shown.stdout).toContain('LNbits does not let superuser in');
    expect(shown.stdout).toContain('aio-dca credits resolve c1 --not-credited --reason');
    await withPassword(world.lnbits.superuser.password);
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({
      payouts: { sats_credited: 484_207 },
    });
    expect((await world.aioDca(['status', '--json'])).json()).toMatchObject({
      credits: { to_come_sats: 0, not_made: [] },
      attention: { credits: 0 },
    });
  },
);

test.each(['sqlite', 'postgresql'] as const)(
  'switched off: credits that are no longer made hide no shortage, and there is a way out, on %s',
  async (ledger) => {
    await owed({ ledger });
    await withPassword('not the password');
    await world.aioDca(['poll']);
    await crediting(false);
    const wayOut = 'aio-dca credits resolve c1 --not-credited --reason';
    for (const polled of [false, true]) {
      if (polled) expect((await world.aioDca(['poll'])).code).toBe(75);
      const status = await world.aioDca(['status', '--json']);
      expect(status.code).toBe(2);
      expect(status.json()).toMatchObject({
        source_wallet: { balance_sats: 0, short_sats: 484_207 },
        credits: { on: false, to_come_sats: 0, not_made: [{ id: 'c1' }] },
        attention: { credits: 1 },
      });
    }
    const text = (await world.aioDca(['status'])).stdout;
    expect(text).toContain('484,207 sat less than is owed');
    expect(text).toContain('off, so c1 of 484,207 sat is not made');
    expect(text).toContain(wayOut);
    const doctor = (await world.must(['doctor', '--json'])).json<{ checks: { name: string }[] }>();
    const check = (wanted: string) => doctor.checks.find(({ name }) => name === wanted);
    expect(check('balance')).toMatchObject({
      level: 'warn',
      hint: expect.stringContaining('Top the source wallet up by at least 484,207 sat'),
    });
    expect(check('credit_source')).toMatchObject({ level: 'warn', hint: expect.stringContaining(wayOut) });
    expect((await world.must(['metrics'])).stdout).toContain('aio_dca_source_wallet_short_sats 484207');
    const given = await world.must([...wayOut.split(' ').slice(1), 'filled by hand', '--yes', '--json']);
    expect(given.json()).toMatchObject({ state: 'dropped', reason: expect.stringContaining('filled by') });
    expect((await world.aioDca(['status', '--json'])).json()).toMatchObject({
      source_wallet: { short_sats: 484_207 },
      credits: { not_made: [] },
      attention: { credits: 0 },
    });
    // Topped up by hand and paid meanwhile: nothing of it is credited later.
    await world.simulator().topUp(world.source.id, 500_000n);
    await world.must(['poll']);
    await withPassword(world.lnbits.superuser.password);
    await crediting(true);
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { sats_credited: 0 } });
    expect(await credits()).toMatchObject([{ id: 'c1', state: 'dropped' }]);
  },
);

test('a payment that LNbits does not show as this credit is refused, and those that it can be are named', async () => {
  await held();
  const [credit] = await credits();
  const [one = '', other = ''] = `${credit?.reason}`.match(/[0-9a-f]{64}/g) ?? [];
  const word = (payment: string) => [
    ...['credits', 'resolve', 'c1', '--credited', '--payment', payment, '--reason', 'seen', '--yes'],
  ];
  const simulator = world.simulator();
  await simulator.topUp(world.source.id, 484_208n);
  const larger = simulator.payments(world.source.id).find(({ amount }) => amount === 484_208_000);
  for (const payment of ['f'.repeat(64), `${larger?.payment_hash}`]) {
    const refused = await world.aioDca(word(payment));
    expect(refused).toMatchObject({ code: 64, stdout: '' });
    expect(refused.stderr).toContain(`--payment: ${payment} is not c1`);
    for (const hash of [one, other]) expect(refused.stderr).toContain(hash);
  }
  expect(await credits()).toMatchObject([{ state: 'held', payment_hash: null }]);
  // If LNbits cannot be asked, the operator's decision counts, and the output says so.
  await simulator.stop();
  const asked = await world.aioDca(word(one).filter((arg) => arg !== '--yes'));
  expect(asked.code).toBe(64);
  expect(asked.stderr).toMatch(/This asks first: Whether [0-9a-f]{64} is that credit cannot be seen/);
  const done = await world.must([...word(one), '--json']);
  expect(done.stderr).toMatch(/is that credit cannot be\s+seen/);
  expect(done.json()).toMatchObject({ state: 'credited', payment_hash: one });
});

test('credit_source without a password says so, and clients are still paid', async () => {
  await owed({ credit: false });
  const path = join(world.folder, 'config.toml');
  const text = await readFile(path, 'utf8');
  await writeFile(
    path,
    text.replace('[lnbits]\n', '[lnbits]\ncredit_source = true\nsuperuser = "superuser"\n'),
  );
  const poll = await world.aioDca(['poll', '--json']);
  expect(poll.code).toBe(78);
  expect(poll.json()).toMatchObject({
    payouts: { settled: 1, sats_credited: 0 },
    problems: [{ code: 'config/secret', hint: expect.stringContaining('superuser_password_file') }],
  });
});

test('a doubtful credit is held: poll and status name it, and the operator says which payment it is', async () => {
  await held();
  const status = await world.aioDca(['status', '--json']);
  expect(status.code).toBe(2);
  expect(status.json()).toMatchObject({ attention: { credits: 1 } });
  expect((await world.aioDca(['status'])).stdout).toContain('aio-dca credits list');
  const [credit] = await credits();
  expect(credit).toMatchObject({ id: 'c1', state: 'held', payment_hash: null });
  const hashes = `${credit?.reason}`.match(/[0-9a-f]{64}/g) ?? [];
  expect(hashes).toHaveLength(2);
  const word = [
    'credits',
    'resolve',
    'c1',
    '--credited',
    '--payment',
    `${hashes[0]}`,
    '--reason',
    'the other was mine',
  ];
  const asked = await world.aioDca(word);
  expect(asked.code).toBe(64);
  expect(asked.stderr).toContain('usage/confirm');
  expect((await world.must([...word, '--yes', '--json'])).json()).toMatchObject({
    state: 'credited',
    payment_hash: hashes[0],
    reason: expect.stringContaining('the other was mine'),
  });
  expect(await world.must(['poll', '--json']).then((ran) => ran.json())).toMatchObject({
    payouts: { sats_credited: 0 },
  });
  expect((await world.aioDca(['status', '--json'])).json()).toMatchObject({ attention: { credits: 0 } });
});

test('a credit that LNbits began cannot be resolved as not credited, one that it does not show not as credited', async () => {
  await owed();
  const simulator = world.simulator();
  // If 1.6 ends between its two commits, it leaves the first.
  simulator.onRequest = ({ kind }, phase) => (kind === 'credit' && phase === 'between' ? 'drop' : undefined);
  await world.aioDca(['poll']);
  simulator.onRequest = undefined;
  expect(await credits()).toMatchObject([{ state: 'held' }]);
  const row = simulator.payments(world.source.id).find(({ memo }) => memo === 'Admin credit');
  const say = (word: string) =>
    world.aioDca(['credits', 'resolve', 'c1', word, '--reason', 'I know it', '--yes', '--json']);
  for (const word of ['--credited', '--not-credited']) {
    const refused = await say(word);
    expect(refused.code).toBe(64);
    expect(refused.json()).toMatchObject({
      error: { code: 'credit/contradicted', message: expect.stringContaining('has begun it') },
    });
  }
  simulator.change(world.source.id, `${row?.payment_hash}`, { status: 'failed' });
  expect((await say('--credited')).json()).toMatchObject({
    error: { code: 'credit/contradicted', message: expect.stringContaining('shows no such credit') },
  });
  await simulator.stop();
  expect((await say('--not-credited')).json()).toMatchObject({ error: { code: 'lnbits/unreachable' } });
  expect(await credits()).toMatchObject([{ state: 'held' }]);
  await simulator.start();
  expect((await say('--not-credited')).json()).toMatchObject({ state: 'dropped' });
});

test('a payment counts for a credit that was never sent, unless the operator says that it is another one', async () => {
  await owed();
  await world.simulator().topUp(world.source.id, 484_207n);
  await world.aioDca(['poll']);
  expect(await credits()).toMatchObject([{ state: 'held', sent_at: null }]);
  const hash = `${
    world
      .simulator()
      .payments(world.source.id)
      .find(({ memo }) => memo === 'Admin credit')?.payment_hash
  }`;
  const word = ['credits', 'resolve', 'c1', '--not-credited', '--reason', 'my own top-up', '--yes', '--json'];
  const refused = await world.aioDca(word);
  expect(refused.json()).toMatchObject({
    error: { code: 'credit/contradicted', hint: expect.stringContaining('--not-credited --payment HASH') },
  });
  expect((await world.must([...word, '--payment', hash])).json()).toMatchObject({ state: 'dropped' });
});

test('after --not-credited, only the unpaid sats of its cash-outs are credited again', async () => {
  await held();
  const word = ['credits', 'resolve', 'c1', '--not-credited', '--reason', 'taken back in LNbits', '--yes'];
  // While LNbits shows them, they cannot be resolved as not credited.
  await world.simulator().topUp(world.source.id, 1_000_000n);
  for (const left of [2, 1]) {
    const refused = await world.aioDca([...word, '--json']);
    expect(refused.code).toBe(64);
    expect(refused.json()).toMatchObject({
      error: { code: 'credit/contradicted', hint: expect.stringContaining('--credited --reason') },
    });
    expect(await credits()).toMatchObject([{ state: 'held' }]);
    await world.simulator().topUp(world.source.id, -484_207n);
    expect(left).toBeGreaterThan(0);
  }
  await world.simulator().topUp(world.source.id, -1_000_000n + 484_207n);
  const shown = await world.must([...word, '--json']);
  expect(shown.json()).toMatchObject({ state: 'dropped', wallet_id: world.source.id });
  // Alice was paid from the wallet's balance: that is not credited again.
  await world.must(['poll']);
  expect(await credits()).toMatchObject([{ id: 'c1', state: 'dropped' }]);
  await world.insertCashOut({ fiat: '100.00000', crypto_atoms: '12810', received_crypto_atoms: '12810' });
  await world.must(['poll']);
  expect(await credits()).toMatchObject([{ id: 'c2', state: 'credited' }, { id: 'c1' }]);
});

test('an impossible decision about a credit is refused, naming the field', async () => {
  await owed();
  await world.must(['poll']);
  const reason = ['--reason', 'x'];
  for (const [args, said] of [
    [['c1', '--credited', ...reason], 'ID: credit c1 is credited'],
    [['c9', '--credited', ...reason], 'ID: credit c9 does not exist'],
    [['p1', '--credited', ...reason], 'ID: "p1" is not the id of a credit'],
    [['c1', ...reason], 'one of them must be given'],
    [['c1', '--credited', '--not-credited', ...reason], 'one of them must be given'],
    [['c1', '--credited'], '--reason'],
    [['c1', '--credited', '--reason', ' '], '--reason: it is empty'],
    [['c1', '--credited', '--payment', 'abc', ...reason], '--payment: "abc" is not a payment hash'],
  ] as const) {
    const ran = await world.aioDca(['credits', 'resolve', ...args]);
    expect(ran.code, args.join(' ')).toBe(64);
    expect(ran.stderr, args.join(' ')).toContain(said);
  }
  expect(await credits()).toMatchObject([{ state: 'credited' }]);
});

test('a credit that comes late, after another was made, is reported by poll, status, verify and reconcile, with a way out', async () => {
  await owed();
  const simulator = world.simulator();
  const ended = Promise.withResolvers<void>();
  simulator.onRequest = async ({ kind }, phase) => {
    if (kind !== 'credit' || phase !== 'before') return;
    simulator.onRequest = undefined;
    await simulator.stop();
    await simulator.start();
    await ended.promise;
  };
  await world.aioDca(['poll']);
  await world.aioDca(['poll']);
  expect(await credits()).toMatchObject([{ state: 'credited' }, { state: 'dropped' }]);
  ended.resolve();
  await expect.poll(() => world.balance(world.source)).toBe(484_207n);
  const told = (await world.aioDca(['reconcile', '--json'])).json<{ differences: { hint: string }[] }>();
  expect(told).toMatchObject({ differences: [{ code: 'credit/late', what: 'credit c1' }] });
  await world.insertCashOut({ fiat: '100.00000', crypto_atoms: '12810', received_crypto_atoms: '12810' });
  const polled = await world.aioDca(['poll']);
  expect([polled.code, polled.stdout]).toEqual([2, expect.stringContaining('aio-dca credits list')]);
  const status = await world.aioDca(['status', '--json']);
  expect([status.code, status.json()]).toMatchObject([2, { attention: { contradicted: 1 } }]);
  const verified = await world.aioDca(['verify', '--json']);
  expect(verified.json()).toMatchObject({ differences: [{ code: 'credit/contradicted', what: 'c1' }] });
  const [word = ''] =
    /credits resolve c1 --credited --payment [0-9a-f]{64}/.exec(told.differences[0]?.hint ?? '') ?? [];
  await world.must([...word.split(' '), '--reason', 'it stays as a reserve', '--yes']);
  expect((await world.must(['status', '--json'])).json()).toMatchObject({
    attention: { contradicted: 0 },
    credits: { credited_sats: 484_207 * 2 + 12_105 },
  });
  await world.must(['reconcile']);
});
