import { createHash } from 'node:crypto';
import { Secret } from '../config/secret.ts';
import { invalid } from '../errors.ts';
import { principalName, type Who } from '../ledger/log/log.ts';
import type { Request } from '../ledger/log/requests.ts';
import { Message, type Piece } from '../lib/message.ts';

/* A request under a key is done once: a repetition gets the first answer. */

/** The request under a key. Secrets of the input enter only its hash. */
export function requestOf(key: string, operation: string, who: Who, input: unknown): Request {
  if (key.length === 0 || key.length > 200) throw invalid('key', 'it has 1 to 200 characters');
  const { principal, actor, reason } = who;
  // A client is the same at every door; whoever acts at the shell is told apart by name.
  const asks =
    principal.kind === 'operator' ? `${principalName(principal)} ${actor}` : principalName(principal);
  const hash = createHash('sha256').update(hashed({ input, reason })).digest('hex');
  return { principal: asks, key, operation, inputHash: hash };
}

function hashed(input: unknown): string {
  return JSON.stringify(input, function (this: Record<string, unknown>, name, value) {
    const part = this[name];
    return part instanceof Secret ? part.reveal() : typeof value === 'bigint' ? `${value}` : value;
  });
}

/** A view as text, which `restored` reads again: plain JSON has neither bigints nor messages. */
export function stored(view: unknown): string {
  return JSON.stringify(view, (_name, part) => {
    if (typeof part === 'bigint') return { $bigint: `${part}` };
    return part instanceof Message ? { $message: part.pieces } : part;
  });
}

export function restored(text: string): unknown {
  return JSON.parse(text, (_name, part) => {
    if (typeof part !== 'object' || part === null) return part;
    if ('$bigint' in part) return BigInt(part.$bigint as string);
    return '$message' in part ? new Message(part.$message as Piece[]) : part;
  });
}
