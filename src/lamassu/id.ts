import { isUuid } from '../lib/uuid.ts';

/** A whole id of a cash-out as Lamassu writes it, in whatever case it was typed; undefined for any other text. */
export function lamassuId(text: string): string | undefined {
  return isUuid(text) ? text.toLowerCase() : undefined;
}
