import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { QUIET } from '../../support/kill.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import type { LedgerKind } from '../../support/ledgers.ts';
import type { LnbitsVersion } from '../../support/lnbits.ts';
import type { SeenRequest } from '../../support/lnbits-simulator.ts';
import { startWorld, type World } from '../../support/world.ts';

/*
 * What a run finds when it begins. `fresh`: a cash-out that nobody has read. `troubled`: payments of an earlier run, in
 * every state from which a payment goes on: two that are `unknown`, since no answer came, of which LNbits made one; one
 * that LNbits refused, whose payout is `deferred`; and one that can never be paid any more, so that another attempt
 * follows.
 */
export type Day = 'fresh' | 'troubled';

const CLIENTS: Record<Day, string[]> = {
  fresh: ['alice', 'bob'],
  // Two that LNbits does not answer for, one after the other, would put an end to the run.
  troubled: ['paid', 'refused', 'unpaid', 'failed'],
};
/** On a troubled day a run has to have looked at all, on a busy machine as well, before this is over. */
const QUIETS: Record<Day, string> = { fresh: QUIET, troubled: '20 s' };
const ALWAYS = 1_000;

/**
 * Each payment with its payout. A look at an invoice that waits ends it on LNbits 1.0, so the second attempt is on
 * there.
 */
const STATES: Record<LnbitsVersion, string[]> = {
  '1.0.0': [
    'paid: unknown, unknown',
    ...['refused: unknown, dead', 'refused: unknown, unknown'],
    'unpaid: unknown, unknown',
    ...['failed: unknown, dead', 'failed: unknown, unknown'],
  ],
  '1.6.2': [
    'paid: unknown, unknown',
    'refused: deferred, invoiced',
    'unpaid: unknown, unknown',
    'failed: deferred, invoiced',
  ],
};

export async function startDay(ledger: LedgerKind, lnbitsVersion: LnbitsVersion, day: Day): Promise<World> {
  const world = await startWorld({ ledger, lnbitsVersion, tunnel: 'direct', quiet: QUIETS[day] });
  try {
    await world.must(['migrate']);
    for (const client of CLIENTS[day]) {
      await world.addClient(client);
      await world.addFunding(client, '3000 GTQ');
    }
    await world.insertCashOut();
    // Its copies share a role, and a suspended run may hold a session of it.
    const [, role] = /^user = "(aio_dca_\w+)"$/m.exec(readFileSync(world.configFile, 'utf8')) ?? [];
    await world.lamassu.query(`alter role ${role} connection limit -1`);
    if (day === 'troubled') await trouble(world);
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

async function trouble(world: World): Promise<void> {
  const lnbits = world.simulator();
  const walletOf = (name: string) => world.wallets.get(name)?.id ?? '';
  const hashesOf = (name: string) => lnbits.payments(walletOf(name)).map((row) => row.payment_hash);
  const isA = (kind: SeenRequest['kind'], name: string) => (request: SeenRequest) =>
    request.kind === kind && request.hash !== null && hashesOf(name).includes(request.hash);
  // A key has to show its first invoice before that is paid (not on LNbits 1.0): only looks at a payment fail.
  const asked = new Set<string>();
  lnbits.onRequest = ({ kind, hash }, phase) => {
    if (kind === 'pay' && phase === 'before' && hash !== null) asked.add(hash);
  };
  const isLookAt = (name: string) => (request: SeenRequest) =>
    isA('find', name)(request) && asked.has(`${request.hash}`);
  const refusal = { status: 520, body: { detail: 'not now', status: 'failed' } };
  const unheard = { at: 'before', do: 'reset' } as const;
  lnbits.rules = [
    { when: isA('pay', 'paid'), fault: { at: 'after', do: 'reset' } },
    { when: isA('pay', 'unpaid'), times: ALWAYS, fault: unheard },
    { when: isLookAt('paid'), times: ALWAYS, fault: unheard },
    { when: isLookAt('unpaid'), times: ALWAYS, fault: unheard },
    { when: isA('pay', 'refused'), times: ALWAYS, fault: { at: 'before', answer: refusal } },
    { when: isA('pay', 'failed'), times: ALWAYS, fault: { at: 'before', answer: refusal } },
  ];
  await world.aioDca(['poll', '--json']);
  lnbits.rules = [];
  lnbits.onRequest = undefined;
  for (const hash of hashesOf('failed')) lnbits.change(walletOf('failed'), hash, { status: 'failed' });
  const rows = await ledgerSql(
    world.ledgerUrl,
    `select r.name, p.state as payout, y.state as payment from payouts p join recipients r on r.id = p.recipient_id
     join payments y on y.payout_id = p.id order by p.id, y.id`,
  );
  expect(rows.map(({ name, payout, payment }) => `${name}: ${payout}, ${payment}`)).toEqual(
    STATES[lnbits.version],
  );
}
