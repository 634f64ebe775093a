import { Secret } from '../../src/config/secret.ts';
import { addCommission } from '../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { setMachine } from '../../src/ledger/machine-changes.ts';
import { seeMachine } from '../../src/ledger/machines/register.ts';
import type { Role } from '../../src/ledger/store/access-schema.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { plus } from '../../src/time.ts';
import { books } from './books.ts';
import { bootless, now } from './clock.ts';
import { freshLedger } from './ledgers.ts';
import { type Answer, personSession, type TestSite, testSite } from './site.ts';

/* The admin site over a ledger with something of everything, asked as a browser without a script asks. */

const DAY = 86_400_000;

/** As a name, a reason or a text that somebody else wrote. */
export const HOSTILE = `"><script>alert(1)</script>'&`;

export interface AdminSite extends TestSite {
  /** A page. */
  page(path: string, more?: { role?: Role; language?: string }): Promise<Answer>;
  /** Sends a form. */
  send(path: string, fields: Record<string, string>, role?: Role): Promise<Answer>;
}

/** Alice and bob in flow mode, carla in fixed mode; cash in machine `m` and on its way; cash-outs, some in payouts. */
export async function adminSite(): Promise<AdminSite> {
  const ledger = await freshLedger('sqlite');
  await filledLedger(ledger);
  const site = testSite(ledger, 'admin');
  const sessions = new Map<Role, string>();
  const sessionOf = async (role: Role) => {
    const session = sessions.get(role) ?? (await personSession(ledger, role));
    sessions.set(role, session);
    return session;
  };
  return {
    ...site,
    page: async (path, { role = 'owner', language = 'en' } = {}) =>
      site.ask(path, {
        session: await sessionOf(role),
        headers: { accept: 'text/html', 'accept-language': language },
      }),
    send: async (path, fields, role = 'owner') =>
      site.ask(path, {
        ...{ method: 'POST', session: await sessionOf(role), body: `${new URLSearchParams(fields)}` },
        headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
      }),
  };
}

export async function filledLedger(ledger: Ledger): Promise<void> {
  const book = await books(ledger);
  const since = plus(now(), -3 * DAY);
  const at = (minutes: number) => plus(now(), minutes * 60_000);
  const act = { principal: OPERATOR, actor: 'dora', run: null, reason: HOSTILE, clock: bootless, at: since };
  for (const name of ['alice', 'bob']) await book.client(name, { mode: 'flow', daily: 500, max: 800 }, since);
  await book.client('carla', { mode: 'fixed', daily: 200 }, since);
  await book.client(HOSTILE, { mode: 'flow' }, since);
  await ledger.write((trx) =>
    setMachine(trx, act, 'm', { name: HOSTILE, currency: { code: 'USD', digits: 2 } }),
  );
  await book.cash('alice', 1_031, since);
  await book.cash('bob', 2_063, since);
  await book.cash('carla', 607, since);
  await book.cash('alice', 511, since, { depositedAt: null });
  for (let n = 0; n < 40; n += 1) {
    await book.cashOut(20 + n, at(-2_000 + 30 * n), at(-1_999 + 30 * n), { commission: 1_111n });
  }
  await book.pay(at(-60));
  await book.cashOut(50, at(-30), at(-29));
  // Nobody has cash there, so it is the operator's own share.
  await ledger.write((trx) => seeMachine(trx, act, 'other', 'lamassu'));
  await book.cashOut(70, at(-25), at(-24), { machine: 'other' });
  const wallet = { id: 'wallet of house', key: new Secret('house') };
  await ledger.write((trx) =>
    addCommission(trx, act, { name: 'house', wallet, weight: 1n, machine: null, from: since }),
  );
}

/** The figures of a page, as programs read them: `3000.00 GTQ`, `135000`. */
export function figuresOf({ text }: Pick<Answer, 'text'>): string[] {
  return [...text.matchAll(/<data[^>]* value="([^"]*)"/g)].map(([, value = '']) => value);
}

/** What a form of a page would send, without being touched. */
export function fieldsOf({ text }: Pick<Answer, 'text'>): Record<string, string> {
  const main = text.replace(/^[\s\S]*<main/, '').replace(/<\/main>[\s\S]*$/, '');
  return Object.fromEntries(
    [...main.matchAll(/<input type="(?:hidden|text)"[^>]* name="([^"]*)" value="([^"]*)"/g)].map(
      ([, name = '', value = '']) => [name, value.replaceAll('&quot;', '"').replaceAll('&amp;', '&')],
    ),
  );
}
