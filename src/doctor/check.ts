import { BridgeError, type Kind } from '../errors.ts';
import type { Message } from '../lib/message.ts';

/** One check: what it found, and what to do about it. */
export interface Check {
  name: string;
  level: 'ok' | 'warn' | 'fail';
  detail: string;
  hint: string | Message | null;
  /** Of a failure. */
  kind: Kind | null;
}

export function ok(name: string, detail: string): Check {
  return { name, level: 'ok', detail, hint: null, kind: null };
}

export function warn(name: string, detail: string, hint: string | Message): Check {
  return { name, level: 'warn', detail, hint, kind: null };
}

/** A failure that operators can meet. Any other error is a defect and thrown again. */
export function fail(name: string, error: unknown): Check {
  if (!(error instanceof BridgeError)) throw error;
  const { code, message, hint = null, kind } = error;
  return { name, level: 'fail', detail: `${code}: ${message}`, hint, kind };
}

/** The first five of a list, for a sentence. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
