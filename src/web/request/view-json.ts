import { exactNumber } from '../../lib/exact-number.ts';
import { type Call, isCall, Message } from '../../lib/message.ts';

/*
 * A view as JSON, as at a terminal. What names an operation is written as a request of the API, where it has one.
 */

/** How a request of the API is written; undefined for an operation without a route. */
export type WriteCall = (call: Call) => string | undefined;

/** A bigint becomes a number. Throws a RangeError if that is not exact. */
export function apiJson(view: unknown, write: WriteCall): string {
  return JSON.stringify(view, (_, part: unknown) => {
    if (typeof part === 'bigint') return exactNumber(part);
    if (part instanceof Message) return inApiWords(part, write);
    return isCall(part) ? callText(part, write) : part;
  });
}

/** A message with its operations as requests, and its fields as the request calls them. */
export function inApiWords(text: string | Message, write: WriteCall, called = asItIs): string {
  if (typeof text === 'string') return text;
  return text.in({
    call: (call) => (call.step ? callText(call, write) : `\`${callText(call, write)}\``),
    field: ({ field }) => called(field),
  });
}

export function asItIs(input: string): string {
  return input;
}

/** A step may have to come after another one, which is in words. */
function callText(call: Call & { after?: string }, write: WriteCall): string {
  const text = write(call) ?? String(new Message([call]));
  return call.after === undefined ? text : `${text}  # after ${call.after}`;
}
