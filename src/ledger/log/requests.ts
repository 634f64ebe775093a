import { BridgeError } from '../../errors.ts';
import type { Instant } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';

/** Something that is asked under a key, to be done once however often it is asked. */
export interface Request {
  /** Who asks. */
  principal: string;
  key: string;
  operation: string;
  /** SHA-256 of the input, in hexadecimal. */
  inputHash: string;
}

/**
 * The answer that this request had before; null where it had none. Throws `usage/key-reused` where something else was
 * asked under its key.
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
    `under this key ${before.operation} was asked at ${before.at}, and this is something else; nothing was written`,
    'Ask each change under a key of its own.',
  );
}

/** Keeps the answer, in the transaction that makes the change. */
export async function keepAnswer(trx: Trx, request: Request, answer: string, at: Instant): Promise<void> {
  const { principal, key, operation, inputHash } = request;
  await trx
    .insertInto('requests')
    .values({ principal, key, operation, input_hash: inputHash, answer, at })
    .execute();
}
