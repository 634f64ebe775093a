import { Secret as Shared, TOTP } from 'otpauth';
import { expect, test } from 'vitest';
import type * as z from 'zod';
import { hashOf } from '../../src/access/access-secrets.ts';
import { Secret } from '../../src/config/secret.ts';
import { OPERATOR, type PersonPrincipal, type Principal } from '../../src/ledger/log/log.ts';
import { endAllAccess } from '../../src/ledger/people/end-all-access.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import {
  enterByLink,
  enterByPassword,
  findOpenSession,
  findOpenToken,
  lookAtLink,
  proveByPassword,
} from '../../src/operations/access.ts';
import { listCredentials, newOneTimeSecret, setPassword } from '../../src/operations/credentials.ts';
import { inviteClient } from '../../src/operations/invite-client.ts';
import type { Needs, Operation } from '../../src/operations/operation.ts';
import {
  addOnePerson,
  disableOnePerson,
  enableOnePerson,
  invitePerson,
  listPeople,
  setPersonRole,
} from '../../src/operations/people.ts';
import { endAllSessions, endOneSession, listSessions } from '../../src/operations/sessions.ts';
import { addOneToken, listTokens, revokeOneToken } from '../../src/operations/tokens.ts';
import { plus, toMs } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { type TestClock, testClock } from '../support/clock.ts';
import { forEachLedger, openAgain } from '../support/ledgers.ts';
import { perform } from '../support/operations.ts';
import { webConfig } from '../support/site.ts';

/* Who comes in, by what, and for how long. */

const START = '2026-11-30T12:00:00.000000Z';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const PASSWORD = 'several words that are long';

forEachLedger((kind, open) => {
  async function setUp() {
    const ledger = await open();
    const clock = testClock(START);
    await (await books(ledger)).client('alice', { mode: 'flow' }, plus(START, -DAY));
    return { ledger, clock, ...askers(ledger, clock) };
  }

  function askers(ledger: Ledger, clock: TestClock) {
    const config = webConfig();
    const as =
      (principal: Principal, actor = 'root') =>
      <N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
        operation: Operation<N, Input, View>,
        input: z.input<Input>,
        key?: string,
      ): Promise<z.output<View>> =>
        perform(
          operation,
          {
            ...{ principal, actor, clock, reason: undefined, key, config: async () => config },
            ...{ withLedger: (_use, work) => work(ledger), stopSignal: () => AbortSignal.any([]) },
          },
          input,
        );
    const shell = as({ kind: 'operator' });
    const guest = as({ kind: 'guest' }, 'guest');
    /** Comes in by a link, as who that is from then on. */
    const enter = async (name: string) => {
      const { link } = await shell(invitePerson, { name });
      const { session } = await guest(enterByLink, {
        site: 'admin',
        secret: link.split('#')[1],
        device: 'test',
      });
      return { session, ask: as(await principalOf(session), name) };
    };
    const principalOf = async (session: string): Promise<PersonPrincipal> => {
      const found = await guest(findOpenSession, { site: 'admin', secret: session });
      return {
        ...{ kind: 'person', person: found.name, role: found.role ?? 'bookkeeper' },
        ...{ session: found.id, provenAt: found.proven_at },
      };
    };
    return { as, shell, guest, enter, principalOf };
  }

  const isOver = { code: 'access/link' };
  const noSession = { code: 'access/required' };

  test('a link is looked at as often as wanted and used once, by its secret or its code', async () => {
    const { shell, guest, ledger } = await setUp();
    const { link, code, expires_at: until } = await shell(addOnePerson, { name: 'dora', role: 'owner' });
    expect(link).toMatch(/^http:\/\/localhost:8092\/welcome#[\w-]{43}$/);
    expect(until).toBe(plus(START, DAY));
    const secret = link.split('#')[1];
    for (let n = 0; n < 3; n += 1)
      expect(await guest(lookAtLink, { site: 'admin', secret })).toEqual({ kind: 'person', name: 'dora' });
    // The other site does not know it, and does not use it up.
    await expect(guest(lookAtLink, { site: 'client', secret })).rejects.toMatchObject(isOver);
    await expect(guest(enterByLink, { site: 'client', secret })).rejects.toMatchObject(isOver);
    const typed = code.toLowerCase().replaceAll('-', ' ');
    const { session } = await guest(enterByLink, { site: 'admin', code: typed });
    expect(await guest(findOpenSession, { site: 'admin', secret: session })).toMatchObject({
      ...{ kind: 'person', name: 'dora', role: 'owner', method: 'link' },
    });
    await expect(guest(findOpenSession, { site: 'client', secret: session })).rejects.toMatchObject(
      noSession,
    );
    for (const given of [{ secret }, { code }, { code: 'x' }, {}, { secret: '' }])
      await expect(guest(enterByLink, { site: 'admin', ...given })).rejects.toMatchObject(isOver);
    const kept = JSON.stringify(
      await Promise.all(
        (['sessions', 'invitations', 'log'] as const).map((table) =>
          ledger.db.selectFrom(table).selectAll().execute(),
        ),
      ),
      (_, value) => (typeof value === 'bigint' ? `${value}` : value),
    );
    for (const known of [secret, code, session]) expect(kept).not.toContain(known);
    expect(kept).toContain('link use');
  });

  test('of twenty that use a link at once, one comes in', async () => {
    const { shell, guest, ledger, clock } = await setUp();
    const { link } = await shell(addOnePerson, { name: 'dora', role: 'owner' });
    const others =
      kind === 'sqlite'
        ? []
        : [askers(await openAgain(ledger), clock), askers(await openAgain(ledger), clock)];
    const guests = [guest, ...others.map((one) => one.guest)];
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        (guests[n % guests.length] ?? guest)(enterByLink, { site: 'admin', secret: link.split('#')[1] }),
      ),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await ledger.db.selectFrom('sessions').selectAll().execute()).toHaveLength(1);
  });

  test('a link ends after a day, by a newer one, and with the person', async () => {
    const { shell, guest, clock } = await setUp();
    await shell(addOnePerson, { name: 'dora', role: 'owner' });
    const link = async () => (await shell(invitePerson, { name: 'dora' })).link.split('#')[1];
    const use = (secret: string | undefined) => guest(enterByLink, { site: 'admin', secret });
    const old = await link();
    const newer = await link();
    await expect(use(old)).rejects.toMatchObject(isOver);
    clock.pass(DAY);
    await expect(use(newer)).rejects.toMatchObject(isOver);
    const last = await link();
    await shell(disableOnePerson, { name: 'dora' });
    await expect(use(last)).rejects.toMatchObject(isOver);
    await expect(shell(invitePerson, { name: 'dora' })).rejects.toMatchObject({
      kind: 'state',
      field: 'name',
    });
    await shell(enableOnePerson, { name: 'dora' });
    await expect(use(last)).rejects.toMatchObject(isOver);
    await use(await link());
  });

  test('a client comes to the client site only', async () => {
    const { shell, guest, as } = await setUp();
    const { link } = await shell(inviteClient, { name: 'alice' });
    expect(link).toMatch(/^https:\/\/dca\.example\.org\/welcome#/);
    const secret = link.split('#')[1];
    await expect(guest(enterByLink, { site: 'admin', secret })).rejects.toMatchObject(isOver);
    const { session } = await guest(enterByLink, { site: 'client', secret });
    const found = await guest(findOpenSession, { site: 'client', secret: session });
    expect(found).toMatchObject({ kind: 'client', name: 'alice', role: null });
    const alice = as({ kind: 'client', client: 'alice', session: found.id }, 'client:alice');
    expect(await alice(listSessions, {})).toMatchObject([{ method: 'link', current: true }]);
    await expect(shell(inviteClient, { name: 'zoe' })).rejects.toMatchObject({ kind: 'not-found' });
  });

  test('a session ends unused after two hours and at most after a day; one of a client after 30 and 180 days', async () => {
    const { shell, guest, enter, clock } = await setUp();
    await shell(addOnePerson, { name: 'dora', role: 'owner' });
    const { session } = await enter('dora');
    const { link } = await shell(inviteClient, { name: 'alice' });
    const alices = await guest(enterByLink, { site: 'client', secret: link.split('#')[1] });
    const ask = (site: 'admin' | 'client', secret: string) => guest(findOpenSession, { site, secret });
    for (let hours = 0; hours < 23.5; hours += 1.5) {
      await ask('admin', session);
      clock.pass(1.5 * HOUR);
    }
    await expect(ask('admin', session)).rejects.toMatchObject(noSession);
    const second = await enter('dora');
    clock.pass(2 * HOUR);
    await expect(ask('admin', second.session)).rejects.toMatchObject(noSession);
    for (let days = 0; days < 174; days += 29) {
      clock.pass(29 * DAY - (days === 0 ? 26 * HOUR : 0));
      await ask('client', alices.session);
    }
    clock.pass(7 * DAY);
    await expect(ask('client', alices.session)).rejects.toMatchObject(noSession);
  });

  test('the last use is written every five minutes, not at each request', async () => {
    const { shell, guest, enter, clock, ledger } = await setUp();
    await shell(addOnePerson, { name: 'dora', role: 'owner' });
    const { session } = await enter('dora');
    const usedAt = async () =>
      (await ledger.db.selectFrom('sessions').select('used_at').executeTakeFirstOrThrow()).used_at;
    clock.pass(4 * MINUTE);
    await guest(findOpenSession, { site: 'admin', secret: session });
    expect(await usedAt()).toBe(START);
    clock.pass(MINUTE);
    await guest(findOpenSession, { site: 'admin', secret: session });
    expect(await usedAt()).toBe(plus(START, 5 * MINUTE));
  });

  test('another role, shutting out, signing out and restoring end sessions at once', async () => {
    const { shell, guest, enter, ledger, clock } = await setUp();
    await shell(addOnePerson, { name: 'dora', role: 'owner' });
    await shell(addOnePerson, { name: 'emil', role: 'operator' });
    const emils = await enter('emil');
    const isOpen = (secret: string) =>
      guest(findOpenSession, { site: 'admin', secret }).then(
        () => true,
        () => false,
      );
    const ends: [string, (own: Awaited<ReturnType<typeof enter>>) => Promise<unknown>][] = [
      ['role', () => shell(setPersonRole, { name: 'dora', role: 'operator' })],
      ['disable', () => shell(disableOnePerson, { name: 'dora' })],
      ['enable', () => shell(enableOnePerson, { name: 'dora' })],
      ['sign out', ({ ask }) => ask(endOneSession, {})],
      ['everywhere', ({ ask }) => ask(endAllSessions, {})],
    ];
    for (const [how, end] of ends) {
      if (how === 'enable') {
        await end(emils);
        continue;
      }
      const own = await enter('dora');
      const other = await enter('dora');
      await end(own);
      expect([how, await isOpen(own.session)]).toEqual([how, false]);
      expect([how, await isOpen(other.session)]).toEqual([how, how === 'sign out']);
    }
    expect(await isOpen(emils.session)).toBe(true);
    const { token } = await shell(addOneToken, { name: 'till', scopes: 'read' });
    const { link } = await shell(invitePerson, { name: 'dora' });
    const who = { principal: OPERATOR, actor: 'dora', run: null, clock, at: clock.now() };
    await ledger.write((trx) => endAllAccess(trx, who));
    expect(await isOpen(emils.session)).toBe(false);
    await expect(guest(findOpenToken, { token })).rejects.toMatchObject(noSession);
    await expect(guest(enterByLink, { site: 'admin', secret: link.split('#')[1] })).rejects.toMatchObject(
      isOver,
    );
  });

  test('nobody ends another’s session, and its id tells nothing', async () => {
    const { shell, enter } = await setUp();
    await shell(addOnePerson, { name: 'dora', role: 'owner' });
    await shell(addOnePerson, { name: 'emil', role: 'bookkeeper' });
    const dora = await enter('dora');
    const emil = await enter('emil');
    const [{ id = '' } = {}] = await dora.ask(listSessions, {});
    const refusal = async (other: string) =>
      emil.ask(endOneSession, { id: other }).catch((error: Error) => error.message.replace(other, 'ID'));
    expect(await refusal(id)).toBe(await refusal('999'));
    expect(await dora.ask(listSessions, {})).toHaveLength(1);
  });

  async function withPassword() {
    const all = await setUp();
    await all.shell(addOnePerson, { name: 'dora', role: 'owner' });
    const dora = await all.enter('dora');
    const { secret, uri } = await dora.ask(newOneTimeSecret, {});
    expect(uri).toContain(secret);
    const codeAt = (ms = 0) =>
      new TOTP({ secret: Shared.fromBase32(secret) }).generate({ timestamp: toMs(all.clock.now()) + ms });
    await dora.ask(setPassword, { password: PASSWORD, totp_secret: secret, code: codeAt() });
    const signIn = (given: { name?: string; password?: string; code?: string }) =>
      all.guest(enterByPassword, { name: 'dora', password: PASSWORD, code: codeAt(), ...given });
    return { ...all, dora, codeAt, signIn };
  }

  test('a password counts together with a code, and a code counts once', async () => {
    const { signIn, codeAt, clock, ledger } = await withPassword();
    // The code that confirmed the app is used up, too.
    await expect(signIn({})).rejects.toMatchObject({ code: 'access/refused' });
    clock.pass(30_000);
    const refused: Parameters<typeof signIn>[0][] = [
      { password: 'several words that are wrong' },
      { password: '' },
      { code: '000000' },
      { code: '' },
      { name: 'nobody' },
      { name: '' },
      { code: codeAt(-30_000) },
      { code: codeAt(90_000) },
    ];
    const said = new Set<string>();
    for (const given of refused)
      said.add(
        await signIn(given).then(
          String,
          (error: { code: string; message: string }) => error.code + error.message,
        ),
      );
    expect(said).toEqual(new Set(['access/refusedThe sign-in was refused.']));
    const code = codeAt();
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => signIn({ code })));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    clock.pass(30_000);
    await signIn({ name: ' dora ' });
    const kept = await ledger.db.selectFrom('credentials').selectAll().execute();
    expect(kept.map((one) => one.secret)).not.toContain(PASSWORD);
  });

  test('a password alone, or one that is easy to guess, is none', async () => {
    const { dora, codeAt } = await withPassword();
    const [before] = [await dora.ask(listCredentials, {})];
    const { secret } = await dora.ask(newOneTimeSecret, {});
    const set = (password: string, code = codeAt()) =>
      dora.ask(setPassword, { password, totp_secret: secret, code });
    for (const password of ['', 'short', 'aaaaaaaaaaaaaaa', 'my name is dora', 'x'.repeat(201)])
      await expect(set(password)).rejects.toMatchObject({ field: 'password' });
    // The code is one of the former secret.
    await expect(set(PASSWORD)).rejects.toMatchObject({ field: 'code' });
    expect(await dora.ask(listCredentials, {})).toEqual(before);
    expect(before?.map((one) => one.kind)).toEqual(['password', 'totp']);
  });

  test('what moves money or rights needs a proof of the last five minutes; the brake does not', async () => {
    const { dora, as, principalOf, codeAt, clock, ledger } = await withPassword();
    const needed = [
      () => dora.ask(addOneToken, { name: 'x', scopes: 'read' }),
      () => dora.ask(disableOnePerson, { name: 'nobody' }),
      () => dora.ask(setPassword, { password: PASSWORD, totp_secret: 'x', code: '1' }),
    ];
    const codesOf = () =>
      Promise.all(
        needed.map((act) =>
          act().then(
            () => 'done',
            (error: { code: string }) => error.code,
          ),
        ),
      );
    expect(await codesOf()).toEqual(['done', 'usage/invalid', 'usage/invalid']);
    clock.pass(6 * MINUTE);
    const log = async () => (await ledger.db.selectFrom('log').select('id').execute()).length;
    const before = await log();
    expect(await codesOf()).toEqual(['access/prove', 'access/prove', 'access/prove']);
    expect(await log()).toBe(before);
    await dora.ask(listPeople, {});
    await expect(
      dora.ask(proveByPassword, { password: 'wrong words at all', code: codeAt() }),
    ).rejects.toMatchObject({
      code: 'access/refused',
    });
    await dora.ask(proveByPassword, { password: PASSWORD, code: codeAt() });
    const proven = as(await principalOf(dora.session), 'dora');
    await proven(addOneToken, { name: 'y', scopes: 'read' });
    // A used code proves nothing a second time.
    await expect(proven(proveByPassword, { password: PASSWORD, code: codeAt() })).rejects.toMatchObject({
      code: 'access/refused',
    });
  });

  test('you cannot change your own role, or disable yourself', async () => {
    const { shell, enter } = await setUp();
    await shell(addOnePerson, { name: 'dora', role: 'owner' });
    const { ask } = await enter('dora');
    for (const act of [
      ask(setPersonRole, { name: 'dora', role: 'operator' }),
      ask(disableOnePerson, { name: 'dora' }),
    ])
      await expect(act).rejects.toMatchObject({ kind: 'state', field: 'name' });
    expect(await shell(listPeople, {})).toMatchObject([{ role: 'owner', status: 'enabled', sessions: 1 }]);
  });

  test('a token counts until it expires or is revoked, and is kept as a hash', async () => {
    const { shell, guest, clock, ledger } = await setUp();
    const made = await shell(addOneToken, {
      name: 'till',
      scopes: 'fundings:write, read',
      expires: '90 days',
    });
    expect(made).toMatchObject({
      name: 'till',
      scopes: ['read', 'fundings:write'],
      expires_at: plus(START, 90 * DAY),
    });
    const ask = () => guest(findOpenToken, { token: made.token });
    expect(await ask()).toEqual({ name: 'till', scopes: ['read', 'fundings:write'] });
    const [row] = await ledger.db.selectFrom('tokens').selectAll().execute();
    expect(row?.secret_hash).toBe(hashOf(new Secret(made.token.slice('aiodca_'.length))));
    for (const token of ['', 'aiodca_', made.token.slice(7), `${made.token}x`])
      await expect(guest(findOpenToken, { token })).rejects.toMatchObject(noSession);
    clock.pass(90 * DAY);
    await expect(ask()).rejects.toMatchObject(noSession);
    const second = await shell(addOneToken, { name: 'other', scopes: 'read' });
    await shell(revokeOneToken, { name: 'other' });
    await expect(guest(findOpenToken, { token: second.token })).rejects.toMatchObject(noSession);
    expect((await shell(listTokens, {})).map(({ name, status }) => [name, status])).toEqual([
      ['other', 'revoked'],
      ['till', 'expired'],
    ]);
    for (const [input, field] of [
      [{ name: 'till', scopes: 'read' }, 'name'],
      [{ name: 'x', scopes: 'reed' }, 'scopes'],
      [{ name: 'x', scopes: ' , ' }, 'scopes'],
      [{ name: 'a:b', scopes: 'read' }, 'name'],
      [{ name: 'x', scopes: 'read', expires: 'soon' }, 'expires'],
    ] as const)
      await expect(shell(addOneToken, input)).rejects.toMatchObject({ field });
    await expect(shell(revokeOneToken, { name: 'other' })).rejects.toMatchObject({ kind: 'state' });
  });

  test('an answer with a secret is kept under no key', async () => {
    const { shell, ledger } = await setUp();
    for (const act of [
      () => shell(addOnePerson, { name: 'dora', role: 'owner' }, 'k'),
      () => shell(inviteClient, { name: 'alice' }, 'k'),
      () => shell(addOneToken, { name: 'till', scopes: 'read' }, 'k'),
    ])
      await expect(act()).rejects.toMatchObject({
        field: 'key',
        message: expect.stringContaining('takes no idempotency key'),
      });
    expect(await ledger.db.selectFrom('requests').selectAll().execute()).toEqual([]);
    expect(await ledger.db.selectFrom('people').selectAll().execute()).toEqual([]);
  });

  test('what was used, ended or revoked stays so, whatever a defect would write', async () => {
    const { shell, guest, ledger } = await setUp();
    const { link } = await shell(addOnePerson, { name: 'dora', role: 'owner' });
    await guest(enterByLink, { site: 'admin', secret: link.split('#')[1] });
    await ledger.db.updateTable('sessions').set({ ended_at: START }).execute();
    await expect(ledger.db.updateTable('sessions').set({ ended_at: null }).execute()).rejects.toThrow();
    await expect(ledger.db.updateTable('invitations').set({ used_at: null }).execute()).rejects.toThrow();
  });
});
