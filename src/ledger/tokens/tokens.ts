import { conflict, notFound, wrongState } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { call, message } from '../../lib/message.ts';
import { type Instant, plus } from '../../time.ts';
import { type Act, record } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';

/* Tokens: how scripts sign in to the API. */

/** The last use is written at most this often, in ms. */
const TOUCH_MS = 300_000;

export interface Token {
  id: bigint;
  name: string;
  scopes: string[];
  createdAt: Instant;
  /** Null: never. */
  expiresAt: Instant | null;
  usedAt: Instant | null;
  revokedAt: Instant | null;
}

/** By name, or those under this name or hash. */
export async function tokensOf(
  db: Db,
  { name, secretHash }: { name?: string; secretHash?: string } = {},
): Promise<Token[]> {
  const rows = await db
    .selectFrom('tokens')
    .selectAll()
    .$if(name !== undefined, (some) => some.where('name', '=', name ?? ''))
    .$if(secretHash !== undefined, (some) => some.where('secret_hash', '=', secretHash ?? ''))
    .orderBy('name')
    .execute();
  return rows.map((row) => ({
    ...{ id: row.id, name: row.name, scopes: row.scopes.split(' '), createdAt: row.created_at },
    ...{ expiresAt: row.expires_at, usedAt: row.used_at, revokedAt: row.revoked_at },
  }));
}

/** The token under this hash, if it can be used. */
export async function findToken(db: Db, secretHash: string, at: Instant): Promise<Token | null> {
  const [token] = await tokensOf(db, { secretHash });
  if (!token || token.revokedAt !== null) return null;
  return token.expiresAt !== null && token.expiresAt <= at ? null : token;
}

export interface NewToken {
  name: string;
  secretHash: string;
  scopes: string[];
  expiresAt: Instant | null;
}

/** Throws `usage/invalid` if the name is taken: the log tells tokens apart by it. */
export async function addToken(
  trx: Trx,
  act: Act,
  { name, secretHash, scopes, expiresAt }: NewToken,
): Promise<Token> {
  const [taken] = await tokensOf(trx, { name });
  if (taken) throw conflict('name', `there is a token "${name}" already`, 'Choose another name.');
  await trx
    .insertInto('tokens')
    .values({
      ...{ name, secret_hash: secretHash, scopes: scopes.join(' ') },
      ...{ created_at: act.at, expires_at: expiresAt },
    })
    .execute();
  await record(trx, act, {
    ...{ action: 'token add', subject: `token ${name}` },
    after: { scopes, expires_at: expiresAt },
  });
  return namedToken(trx, name);
}

/** Throws `usage/invalid` if there is none, or it is revoked already. */
export async function revokeToken(trx: Trx, act: Act, name: string): Promise<Token> {
  const { id, revokedAt } = await namedToken(trx, name);
  if (revokedAt !== null) throw wrongState('name', `${name} is revoked already`);
  await trx.updateTable('tokens').set({ revoked_at: act.at }).where('id', '=', id).execute();
  await record(trx, act, { action: 'token revoke', subject: `token ${name}` });
  return namedToken(trx, name);
}

async function namedToken(db: Db, name: string): Promise<Token> {
  const [token] = await tokensOf(db, { name });
  if (token) return token;
  const near = didYouMean(
    name,
    (await tokensOf(db)).map((one) => one.name),
  );
  throw notFound(
    'name',
    `there is no token ${JSON.stringify(name)}`,
    message`${near}${call('tokens.list')} shows the names.`,
  );
}

/** Whether the last use is old enough to be written. */
export function isStaleTokenUse({ usedAt }: Token, at: Instant): boolean {
  return usedAt === null || plus(usedAt, TOUCH_MS) <= at || usedAt > at;
}

export async function touchToken(trx: Trx, { id }: Token, at: Instant): Promise<void> {
  await trx.updateTable('tokens').set({ used_at: at }).where('id', '=', id).execute();
}
