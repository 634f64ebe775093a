import { expect, test } from 'vitest';
import type * as z from 'zod';
import { Secret } from '../src/config/secret.ts';
import { BridgeError } from '../src/errors.ts';
import { addCommission } from '../src/ledger/commission/commission.ts';
import { OPERATOR, type Principal, toJson } from '../src/ledger/log/log.ts';
import { seeMachine } from '../src/ledger/machines/register.ts';
import type { Ledger } from '../src/ledger/store/open.ts';
import type { Needs, Operation, Session } from '../src/operations/operation.ts';
import { type Audience, mayDo, SCOPES, scopeOf } from '../src/operations/rights.ts';
import { plus, systemClock } from '../src/time.ts';
import { localMonth } from '../src/typed/months.ts';
import { books } from './support/books.ts';
import { now } from './support/clock.ts';
import { forEachLedger } from './support/ledgers.ts';
import { everyOperation, perform, sessionOn } from './support/operations.ts';
import { bookkeeper, person } from './support/principals.ts';

/* Who may do each operation besides the operator, and that a client sees and reaches only what is the client's own. */

type Kind = Audience;

/** Every operation by who may do it. */
const rights: [may: Kind[], names: string][] = [
  [['guest'], 'access.enter access.look access.passkey access.password access.session access.token'],
  [['bookkeeper', 'client', 'guest'], 'access.passkey_options'],
  [['bookkeeper'], 'access.prove_passkey access.prove_password'],
  [
    ['bookkeeper', 'client'],
    `clients.settings clients.show events.newest credentials.add_passkey credentials.list credentials.passkey_options credentials.remove
     sessions.end sessions.end_all sessions.list clients.replay clients.statement export.make fundings.list fundings.show log.list payouts.list
     payouts.show purchases.list purchases.show purchases.sums`,
  ],
  [['client'], `clients.pause clients.resume clients.set`],
  [['bookkeeper'], 'credentials.set_password credentials.totp_secret'],
  [
    ['bookkeeper'],
    `cash_outs.list cash_outs.show clients.list clients.list_settings clock.show commission.list commission.show credits.list credits.show export.totals
     machines.list machines.show metrics.show payouts.pause_state review.list review.show runs.list status verify`,
  ],
  [
    [],
    `backup.make clients.add clients.close clients.invite clock.restate commission.add commission.remove commission.set config
     credits.preview_resolve credits.resolve doctor fixed.run fundings.add fundings.adjust
     fundings.cancel fundings.confirm fundings.move fundings.preview_add fundings.preview_confirm
     fundings.preview_withdraw fundings.withdraw init.check_lamassu init.check_ledger init.check_lnbits init.check_postgresql
     init.check_source_wallet init.check_start init.check_superuser init.create init.find_place init.make_ssh_key
     init.preview_create init.read_file init.read_host_key init.read_ssh_key ledger.copy
     ledger.preview_copy ledger.preview_recover ledger.preview_source ledger.recover ledger.source
     machines.preview_replace machines.replace machines.set migrate payouts.hold payouts.hold_all
     payouts.overpaid payouts.pause payouts.preview_overpaid payouts.preview_release_all
     payouts.preview_resolve payouts.release payouts.release_all payouts.resolve payouts.resume
     payouts.retry people.add people.disable people.enable people.invite people.list people.set poll poll.preview poll.preview_first reconcile review.dismiss review.release role_sql run serve
     settlements.external settlements.preview_external settlements.preview_settle
     settlements.preview_void settlements.settle settlements.void tokens.add tokens.list tokens.revoke`,
  ],
];

const mayOf = new Map(
  rights.flatMap(([may, names]) => names.split(/\s+/).map((name) => [name, may] as const)),
);
/** Whoever asks is the subject: `test/operations/access.test.ts`. */
const ofClients = [...mayOf]
  .filter(([name, may]) => may.includes('client') && !/^(access|credentials|events|sessions)\./.test(name))
  .map(([name]) => name);

test('every operation is placed by who may do it', async () => {
  const placed = [...mayOf].map(([name, may]) => `${name}: ${may.toSorted().join(' ')}`);
  const found = (await everyOperation()).map(({ name, may }) => `${name}: ${[...may].sort().join(' ')}`);
  expect(new Set(found)).toEqual(new Set(placed));
});

test('what a principal may not do is refused before anything is read', async () => {
  const session = (principal: Principal): Session => ({
    ...{ principal, clock: systemClock, actor: 'somebody', reason: undefined },
    config: () => Promise.reject(new Error('the configuration was read')),
    withLedger: () => Promise.reject(new Error('the ledger was opened')),
    stopSignal: () => AbortSignal.any([]),
  });
  for (const [kind, principal] of [
    ['client', { kind: 'client', client: 'alice' }],
    ['bookkeeper', bookkeeper],
    ['guest', { kind: 'guest' }],
  ] as [Kind, Principal][]) {
    const refused = (await everyOperation()).filter(({ name }) => !mayOf.get(name)?.includes(kind));
    expect(refused.length).toBeGreaterThan(60);
    for (const operation of refused) {
      const error = await perform(operation, session(principal), {}).catch((thrown: unknown) => thrown);
      expect([operation.name, error]).toEqual([
        operation.name,
        new BridgeError('usage/forbidden', `somebody may not do ${operation.name}`),
      ]);
    }
  }
});

/** What a person of the role operator may not do, though an owner may. */
const OF_OWNERS =
  `commission.add commission.remove commission.set machines.preview_replace machines.replace people.add
  people.disable people.enable people.invite people.list people.set tokens.add tokens.list tokens.revoke`.split(
    /\s+/,
  );

/** What only the shell of the host may do. */
const OF_THE_SHELL = /^(backup|init|ledger)\.|^(migrate|role_sql|run|serve)$/;

/** What a token may do, by its scope; every other operation no token may. */
const BY_SCOPE: Record<string, string> = {
  read: `cash_outs.list cash_outs.show clients.list clients.list_settings clients.replay clients.settings clients.show clients.statement clock.show commission.list commission.show config
    credits.list credits.show doctor events.newest export.make export.totals fundings.list fundings.show log.list machines.list
    machines.show metrics.show payouts.list payouts.pause_state payouts.show poll.preview poll.preview_first purchases.list
    purchases.show purchases.sums reconcile review.list review.show runs.list status verify`,
  'clients:write': `clients.add clients.close clients.invite clients.pause clients.resume clients.set`,
  'commission:write': `commission.add commission.remove commission.set`,
  'fundings:write': `fundings.add fundings.adjust fundings.cancel fundings.confirm fundings.move fundings.preview_add
    fundings.preview_confirm fundings.preview_withdraw fundings.withdraw`,
  'machines:write': `machines.preview_replace machines.replace machines.set`,
  'payouts:write': `payouts.hold payouts.hold_all payouts.overpaid payouts.pause payouts.preview_overpaid
    payouts.preview_release_all payouts.preview_resolve payouts.release payouts.release_all payouts.resolve
    payouts.resume payouts.retry`,
  'review:write': `review.dismiss review.release`,
  'runs:write': `fixed.run poll`,
  'settlements:write': `settlements.external settlements.preview_external settlements.preview_settle
    settlements.preview_void settlements.settle settlements.void`,
};

test('what each role and each scope may do', async () => {
  const operations = await everyOperation();
  const scopes = new Map(
    Object.entries(BY_SCOPE).flatMap(([scope, names]) =>
      names.split(/\s+/).map((name) => [name, scope] as const),
    ),
  );
  expect(new Set(scopes.values())).toEqual(new Set(SCOPES));
  for (const operation of operations) {
    const { name } = operation;
    expect([name, scopeOf(operation)]).toEqual([name, scopes.get(name) ?? null]);
    const may = (principal: Principal) => mayDo(operation, principal);
    const isShells = OF_THE_SHELL.test(name);
    const isReadOrOwn = mayOf.get(name)?.includes('bookkeeper') === true;
    expect([
      name,
      ...(['owner', 'operator', 'bookkeeper'] as const).map((role) => may(person(role))),
      may({ kind: 'operator' }),
    ]).toEqual([name, !isShells, !isShells && !OF_OWNERS.includes(name), isReadOrOwn, true]);
    for (const scope of SCOPES) {
      const token = { kind: 'token', token: 't', scopes: [scope] } as const;
      expect([name, scope, may(token)]).toEqual([name, scope, scopes.get(name) === scope]);
    }
    expect([name, may({ kind: 'token', token: 't', scopes: [] })]).toEqual([name, false]);
  }
  const names = operations.map(({ name }) => name);
  for (const name of [...scopes.keys(), ...OF_OWNERS]) expect(names).toContain(name);
});

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: systemClock };

/** Two clients at one machine, one of them at another machine, too; three cash-outs, one of them not paid yet. */
async function twoClients(ledger: Ledger) {
  const book = await books(ledger);
  const since = plus(now(), -86_400_000);
  const at = (minutes: number) => plus(now(), minutes * 60_000);
  await ledger.write(async (trx) => {
    await seeMachine(trx, { ...who, at: since }, 'n', 'lamassu');
    const wallet = { id: 'wallet of house', key: new Secret('house') };
    const house = { name: 'house', wallet, weight: 1n, machine: null, from: since };
    await addCommission(trx, { ...who, at: since }, house);
  });
  for (const name of ['alice', 'bob']) await book.client(name, { mode: 'flow', daily: 500, max: 800 }, since);
  await book.cash('alice', 1_031, since);
  await book.cash('bob', 2_063, since);
  await book.cash('bob', 4_127, since, { machine: 'n' });
  await book.cashOut(900, at(-60), at(-59), { commission: 41_113n });
  await book.cashOut(500, at(-50), at(-49), { commission: 17_177n, machine: 'n' });
  await book.pay(at(-40));
  await arrive(ledger, at(-39));
  // More than both have left: the rest is the own share.
  await book.cashOut(2_500, at(-30), at(-29), { commission: 77_077n });
  return ledger;
}

/** All payouts are paid. */
async function arrive(ledger: Ledger, at: string): Promise<void> {
  await ledger.write(async (trx) => {
    const run = await trx.selectFrom('runs').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow();
    const payouts = await trx
      .selectFrom('payouts')
      .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
      .select(['payouts.id', 'payouts.sats', 'recipients.wallet_id', 'recipients.name'])
      .execute();
    for (const { id, sats, wallet_id: wallet, name } of payouts) {
      await trx
        .insertInto('payments')
        .values({
          ...{
            id,
            payout_id: id,
            part: 1n,
            sats,
            attempt: 1n,
            payment_hash: `hash of ${name}`,
            bolt11: `b${id}`,
          },
          ...{ client_wallet_id: wallet, source_wallet_id: 's', run_id: run.id, created_at: at },
          ...{ state: 'settled', sent_at: at, settled_at: at },
        })
        .execute();
    }
    await trx.updateTable('payouts').set({ state: 'settled', settled_at: at }).execute();
  });
}

type Any = Operation<Needs, z.ZodType, z.ZodType>;
type Input = Record<string, unknown>;

/** Asks on one's right; what an operation hands on as it comes is added to its view. */
function asker(ledger: Ledger, operations: Any[], principal: Principal) {
  return async (name: string, input: Input): Promise<unknown> => {
    const operation = operations.find((one) => one.name === name);
    if (!operation) throw new Error(`no operation ${name}`);
    const handed: unknown[] = [];
    const take: Session['take'] = async ({ text }) => {
      handed.push(JSON.parse((await Array.fromAsync(text())).join('')));
      return true;
    };
    const view = await perform(
      operation,
      sessionOn(ledger, { principal, take }),
      name === 'export.make' ? { ...input, format: 'json' } : input,
    );
    return { view, handed };
  };
}

/** Each value of an answer, as text; JSON within text is taken apart. */
function valuesOf(answer: unknown): string[] {
  if (typeof answer === 'object' && answer !== null) return Object.values(answer).flatMap(valuesOf);
  return answer === null ? [] : [`${answer}`];
}

const plain = (answer: unknown) => JSON.parse(toJson(answer) ?? 'null') as unknown;

/** What alice asks each operation. */
const own: Record<string, Input[]> = {
  'clients.settings': [{ name: 'alice' }],
  'clients.show': [{ name: 'alice' }],
  // Yesterday's cash may have been in the month before.
  'clients.statement': [now(), plus(now(), -86_400_000)].map((at) => ({
    ...{ name: 'alice', month: localMonth(at, 'America/Guatemala'), format: 'csv' },
  })),
  'clients.replay': [
    { name: 'alice', currency: 'USD' },
    { name: 'alice', added: '1000 USD' },
    { name: 'alice', mode: 'fixed', daily_limit: '5 USD' },
  ],
  'fundings.list': [{}, { client: 'alice' }, { status: 'exhausted' }],
  'fundings.show': [{ id: 'f1' }],
  'payouts.list': [{}, { client: 'alice' }, { open: true }, { state: 'settled' }],
  'payouts.show': [{ id: 'OWN PAYOUT' }],
  'purchases.list': [
    ...[{}, { client: 'alice' }, { limit: '1' }, { state: 'waiting' }, { state: 'paid' }],
    { month: localMonth(now(), 'America/Guatemala') },
  ],
  'purchases.sums': [{}, { client: 'alice', by: 'day' }],
  'purchases.show': [{ id: 'cash-out 1' }, { id: 'cash-out 3', client: 'alice' }],
  'export.make': ['allocations', 'payouts', 'fundings'].flatMap((kind) => [
    { kind },
    { kind, client: 'alice' },
  ]),
  'log.list': [{}, { subject: 'alice' }, { subject: 'f1' }, { actor: 'dora' }, { actor: 'bob' }],
  'clients.set': [{ name: 'alice', mode: 'fixed', daily_limit: ['700 USD'] }],
  'clients.pause': [{ name: 'alice' }],
  'clients.resume': [{ name: 'alice' }],
};

/** What alice may try to reach: something of another, and the same of nobody. */
const reaching: Record<string, [others: Input, nobodys: Input][]> = {
  'clients.settings': [[{ name: 'bob' }, { name: 'zoe' }]],
  'clients.show': [[{ name: 'bob' }, { name: 'zoe' }]],
  'clients.statement': [
    [
      { name: 'bob', month: '2026-11' },
      { name: 'zoe', month: '2026-11' },
    ],
  ],
  'clients.replay': [
    [
      { name: 'bob', currency: 'USD' },
      { name: 'zoe', currency: 'USD' },
    ],
  ],
  'fundings.list': [[{ client: 'bob' }, { client: 'zoe' }]],
  'fundings.show': [[{ id: 'f2' }, { id: 'f99' }]],
  'payouts.list': [
    [{ client: 'bob' }, { client: 'zoe' }],
    [{ client: 'house' }, { client: 'zoe' }],
  ],
  'payouts.show': [
    [{ id: 'BOBS PAYOUT' }, { id: 'p99' }],
    [{ id: 'COMMISSION PAYOUT' }, { id: 'p99' }],
  ],
  'purchases.list': [[{ client: 'bob' }, { client: 'zoe' }]],
  'purchases.sums': [[{ client: 'bob' }, { client: 'zoe' }]],
  'purchases.show': [
    [{ id: 'cash-out 2' }, { id: 'cash-out 9' }],
    [
      { id: 'cash-out 1', client: 'bob' },
      { id: 'cash-out 1', client: 'zoe' },
    ],
  ],
  'export.make': ['allocations', 'payouts', 'fundings'].map((kind) => [
    { kind, client: 'bob' },
    { kind, client: 'zoe' },
  ]),
  'log.list': ['bob', 'client bob', 'house', 'f2', 'cash-out 1', 'm', 'payouts', 'ledger'].map((subject) => [
    { subject },
    { subject: 'zoe' },
  ]),
  'clients.set': [
    [
      { name: 'bob', mode: 'fixed' },
      { name: 'zoe', mode: 'fixed' },
    ],
  ],
  'clients.pause': [[{ name: 'bob' }, { name: 'zoe' }]],
  'clients.resume': [[{ name: 'bob' }, { name: 'zoe' }]],
};

forEachLedger((_kind, open) => {
  async function asAlice() {
    const ledger = await twoClients(await open());
    const operations = await everyOperation();
    const operator = asker(ledger, operations, { kind: 'operator' });
    const alice = asker(ledger, operations, { kind: 'client', client: 'alice' });
    const payoutOf = async (client: string) => {
      const { view } = (await operator('payouts.list', { client })) as { view: { rows: { id: string }[] } };
      return view.rows[0]?.id ?? '';
    };
    const ids: Record<string, string> = {
      'OWN PAYOUT': await payoutOf('alice'),
      'BOBS PAYOUT': await payoutOf('bob'),
      'COMMISSION PAYOUT': await payoutOf('house'),
    };
    const filled = (input: Input) =>
      Object.fromEntries(Object.entries(input).map(([key, value]) => [key, ids[`${value}`] ?? value]));
    return { ledger, operator, alice: (name: string, input: Input) => alice(name, filled(input)), ids };
  }

  test('what a client is answered has nothing of another client, of the rest, or of the machine', async () => {
    const { operator, alice, ids } = await asAlice();
    const of = async (client: string) => [
      await operator('fundings.list', { client }),
      await operator('payouts.list', { client }),
      await operator('purchases.list', { client }),
      await operator('payouts.show', { id: ids[client === 'alice' ? 'OWN PAYOUT' : 'BOBS PAYOUT'] }),
      await operator('clients.show', { name: client }),
    ];
    const wholes = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const answer = (await operator('cash_outs.show', { id: `cash-out ${n}` })) as { view: Input };
        const { gross_sats, commission_sats, net_sats, own_sats, fiat, own_fiat, allocations } = answer.view;
        const others = (allocations as Input[]).filter(({ client }) => client !== 'alice');
        return { gross_sats, commission_sats, net_sats, own_sats, fiat, own_fiat, others };
      }),
    );
    const known = new Set((await of('alice')).flatMap(valuesOf));
    const secrets = new Set(
      [
        ...(await of('bob')),
        ...wholes,
        await operator('payouts.show', { id: ids['COMMISSION PAYOUT'] }),
        await operator('commission.list', {}),
      ]
        .flatMap(valuesOf)
        // A zero and a state are nobody's.
        .filter((value) => !known.has(value) && !/^(0(\.0+)?|deposited)$/.test(value)),
    );
    // The list is not empty by mistake: names, wallets, hashes, ids, and amounts of each kind are in it.
    for (const value of [
      'bob',
      'house',
      'wallet of bob',
      'hash of bob',
      'f2',
      ids['BOBS PAYOUT'],
      'cash-out 2',
    ])
      expect(secrets).toContain(value);
    for (const value of ['900.00', '900000', '41113', '77077', '306.00', '2063.00'])
      expect(secrets).toContain(value);
    const leaks = (answer: unknown) => valuesOf(plain(answer)).filter((value) => secrets.has(value));
    expect(leaks(await operator('cash_outs.list', {}))).not.toEqual([]);

    expect(new Set(Object.keys(own))).toEqual(new Set(ofClients));
    for (const [name, inputs] of Object.entries(own)) {
      for (const input of inputs) {
        const answer = await alice(name, input);
        expect([name, input, leaks(answer)]).toEqual([name, input, []]);
        // Also within longer texts.
        expect(toJson(answer)).not.toMatch(/bob|house|cash-out 2/);
      }
    }
    // They were not empty either.
    expect(valuesOf(await alice('purchases.list', {}))).toEqual(
      expect.arrayContaining(['cash-out 1', 'cash-out 3', 'm', 'paid', 'waiting', ids['OWN PAYOUT']]),
    );
    expect(valuesOf(await alice('log.list', {}))).toEqual(
      expect.arrayContaining(['client add', 'client set', 'client pause', 'funding add']),
    );
  });

  test('what is another client’s does not exist for a client', async () => {
    const { ledger, alice } = await asAlice();
    const before = await ledger.db.selectFrom('log').select('id').execute();
    expect(new Set(Object.keys(reaching))).toEqual(new Set(ofClients));
    for (const [name, pairs] of Object.entries(reaching)) {
      for (const pair of pairs) {
        const [others, nobodys] = await Promise.all(
          pair.map(async (input) => {
            const error = await alice(name, input).catch((thrown: unknown) => thrown);
            if (!(error instanceof BridgeError)) throw new Error(`${name} answers ${toJson(input)}`);
            const { code, kind, field, text, hint } = error;
            return { code, kind, field, text: `${text}`, hint: `${hint}` };
          }),
        );
        expect([name, others]).toMatchObject([name, { code: 'usage/invalid', kind: 'not-found' }]);
        const values = (input: Input | undefined) => Object.values(input ?? {}).map((value) => `${value}`);
        const asked = new Set([...values(pair[0]), ...values(pair[1])]);
        const without = (error: unknown) =>
          [...asked].reduce((text, value) => text.replaceAll(value, '…'), toJson(error) ?? '');
        // The same words, but for what was asked.
        expect([name, without(others).replace(/p\d+/, '…')]).toEqual([
          name,
          without(nobodys).replace(/p\d+/, '…'),
        ]);
      }
    }
    // An id that is ambiguous names only the client's own.
    await expect(alice('purchases.show', { id: 'cash-out' })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('could be cash-out 1, cash-out 3.'),
    });
    for (const kind of ['cash-outs', 'commission', 'changes'])
      await expect(alice('export.make', { kind })).rejects.toMatchObject({
        ...{ code: 'usage/forbidden', field: 'kind' },
      });
    expect(await ledger.db.selectFrom('log').select('id').execute()).toEqual(before);
  });
});
