import { BridgeError } from '../../errors.ts';
import type { Instant } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';

/** A request under an idempotency key: it is done once, however often it is sent. */
export interface Request {
  /** The principal. */
  principal: string;
  key: string;
  operation: string;
  /** SHA-256 of the input, in hexadecimal. */
  inputHash: string;
}

/**
 * The stored answer of this request; null if it is new. Throws `usage/key-reused` if its key belongs to another
 * request.
 */
export async function answerTo(db: Db, request: Request): Promise<string | null> {
  const { principal, key, operation, inputHash } = request;
  const before = await db
    .selectFrom('requests')
    .select(['operation', 'input_hash', 'answer', 'at'])
    .where('principal', '=', principal)
    .where('key', '=', key)
    .executeTakeFirst();
  if (!before) return null;
  if (before.operation === operation && before.input_hash === inputHash) return before.answer;
  throw new BridgeError(
    'usage/key-reused',
    `this key was used for ${before.operation} at ${before.at}, and this request is another one; nothing was written`,
    'Use a new key for each request.',
  );
}

/** Stores the answer, in the transaction that makes the change. */
export async function keepAnswer(trx: Trx, request: Request, answer: string, at: Instant): Promise<void> {
  const { principal, key, operation, inputHash } = request;
  await trx
    .insertInto('requests')
    .values({ principal, key, operation, input_hash: inputHash, answer, at })
    .execute();
}
