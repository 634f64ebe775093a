import { streamSSE } from 'hono/streaming';
import { invalid } from '../../errors.ts';
import type { Session } from '../../operations/operation.ts';
import { knownError, TooMany } from '../request/problem.ts';
import type { Site, WebContext } from '../request/site-context.ts';
import type { RoutedOperation } from '../request/visitor.ts';
import { performAny, visitorOf } from '../request/visitor.ts';
import { linkNext, type PageAsked, pageAsked } from './cursors.ts';

/* Answers that are no view: an export as it is read, the log page by page, events as they come. */

/** When to ask again for an export while another one is sent. */
const ONE_MORE_S = 5;

const TYPES: Record<string, string> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  jsonl: 'application/jsonl',
  koinly: 'text/csv; charset=utf-8',
  cointracker: 'text/csv; charset=utf-8',
  hledger: 'text/plain; charset=utf-8',
  beancount: 'text/plain; charset=utf-8',
};

/** What a file of a format is called at its end, where that is not the format itself. */
const ENDINGS: Record<string, string> = {
  koinly: 'koinly.csv',
  cointracker: 'cointracker.csv',
  hledger: 'journal',
};

/** Who is being sent an export, for each site: one at a time, because it reads as fast as it is taken. */
const exporting = new WeakMap<Site, Set<string>>();

/**
 * An export, piece by piece: it may be larger than the memory. What goes wrong before the first piece is an answer of
 * its own; later the connection breaks off, so that nobody takes a part for the whole.
 */
export async function exportResponse(
  context: WebContext,
  operation: RoutedOperation,
  input: Record<string, unknown>,
): Promise<Response> {
  const { actor } = context.get('visitor');
  const site = context.get('site');
  const busy = exporting.get(site) ?? new Set();
  exporting.set(site, busy);
  if (busy.has(actor)) throw new TooMany(ONE_MORE_S);
  busy.add(actor);
  const { promise: begun, resolve: begin, reject: fail } = Promise.withResolvers<Response>();
  const kind = `${input.kind}`;
  const format = `${input.format ?? 'csv'}`;
  const take: Session['take'] = async ({ text }) => {
    const iterator = text()[Symbol.asyncIterator]();
    const first = await iterator.next();
    const { promise: over, resolve: end } = Promise.withResolvers<boolean>();
    let next: typeof first | undefined = first;
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { done, value } = next ?? (await iterator.next());
          next = undefined;
          if (!done) return controller.enqueue(new TextEncoder().encode(value));
          controller.close();
          end(true);
        } catch (error) {
          controller.error(error);
          end(false);
        }
      },
      cancel: async () => {
        await iterator.return?.();
        end(false);
      },
    });
    begin(
      context.body(body, 200, {
        'content-type': TYPES[format] ?? 'application/octet-stream',
        'content-disposition': `attachment; filename="${kind}.${ENDINGS[format] ?? format}"`,
      }),
    );
    return over;
  };
  performAny(context, operation, input, { take })
    .catch((error: unknown) => {
      const known = knownError(error);
      if (known.kind === 'defect') site.serving.log.error({ err: error }, 'an export broke off');
      fail(error);
    })
    .finally(() => busy.delete(actor));
  return begun;
}

/** The log, oldest first. The cursor is the time of the last change, with how many of that time were shown. */
export async function logResponse(
  context: WebContext,
  operation: RoutedOperation,
  input: Record<string, unknown>,
): Promise<Response> {
  const page = pageAsked(context);
  const from = placeIn(page);
  const rows: { at: string }[] = [];
  let more = false;
  const take: Session['take'] = async ({ text }) => {
    let skip = from?.shown ?? 0;
    for await (const row of rowsIn(text())) {
      if (skip > 0 && row.at === from?.at) {
        skip -= 1;
        continue;
      }
      more = rows.length === page.limit;
      if (more) break;
      rows.push(row);
    }
    return !more;
  };
  await performAny(context, operation, { ...input, ...(from && { from: from.at }) }, { take });
  const last = rows.at(-1)?.at;
  if (more && last !== undefined) {
    const same = rows.filter(({ at }) => at === last).length + (last === from?.at ? from.shown : 0);
    linkNext(context, `${last} ${same}`);
  }
  return context.json(rows);
}

function placeIn({ after }: PageAsked): { at: string; shown: number } | undefined {
  if (after === undefined) return undefined;
  const [at = '', count = ''] = after.split(' ');
  if (/^\d{4}-/.test(at) && /^\d{1,6}$/.test(count)) return { at, shown: Number(count) };
  throw invalid('cursor', 'it is none that was answered here', 'Begin without a cursor.');
}

/** The rows of a JSON array that is written one row a line. */
async function* rowsIn(pieces: AsyncIterable<string>): AsyncGenerator<{ at: string }> {
  for await (const piece of pieces) {
    for (const line of piece.split('\n')) {
      const row = line.replace(/,$/, '');
      if (row.startsWith('{')) yield JSON.parse(row) as { at: string };
      // Otherwise a log that is written in another way would look empty.
      else if (!['', '[', ']', '[]'].includes(row)) throw new Error('the log is not written a row a line');
    }
  }
}

/** In ms, how often: the ledger is looked at; whether the sign-in still counts; a silent connection is kept alive. */
const LOOK_MS = 1_000;
const CHECK_MS = 5_000;
const ALIVE_MS = 15_000;

/** `here` at first, then `changed` for each change, with the id of that state. A page then reads again. */
export function eventsResponse(context: WebContext, operation: RoutedOperation): Response {
  const { clock, signal } = context.get('site').serving;
  return streamSSE(context, async (stream) => {
    let known = context.req.header('last-event-id');
    let event = known === undefined ? 'here' : 'changed';
    let spokenAt = clock.monotonic();
    let checkedAt = spokenAt;
    while (!stream.aborted && !stream.closed && !signal.aborted) {
      const now = clock.monotonic();
      if (now - checkedAt >= CHECK_MS) {
        if (!(await isStillIn(context))) return;
        checkedAt = now;
      }
      const id = await newest(context, operation);
      if (id !== known) {
        await stream.writeSSE({ event, id, data: '' });
        event = 'changed';
        known = id;
        spokenAt = now;
      } else if (now - spokenAt >= ALIVE_MS) {
        await stream.write(': alive\n\n');
        spokenAt = now;
      }
      await clock.sleep(LOOK_MS, { signal });
    }
  });
}

/** Whether the session or token that began this still counts, on the same right. */
async function isStillIn(context: WebContext): Promise<boolean> {
  const before = context.get('visitor');
  const now = await visitorOf(context).catch(() => null);
  if (now === null) return false;
  const right = ({ principal }: typeof before) =>
    [principal.kind, 'role' in principal && principal.role].join();
  return now.actor === before.actor && right(now) === right(before);
}

interface Look {
  at: number;
  id: Promise<string>;
}

const looks = new WeakMap<Site, Map<string, Look>>();

/** One look a second serves all who watch the same: the whole ledger, or what is one client's. */
function newest(context: WebContext, operation: RoutedOperation): Promise<string> {
  const site = context.get('site');
  const { principal } = context.get('visitor');
  const what = principal.kind === 'client' ? principal.client : '';
  const all = looks.get(site) ?? new Map<string, Look>();
  looks.set(site, all);
  const before = all.get(what);
  const now = site.serving.clock.monotonic();
  if (before && now - before.at < LOOK_MS / 2) return before.id;
  const id = performAny(context, operation, {}).then((view) => (view as { id: string }).id);
  all.set(what, { at: now, id });
  return id;
}
