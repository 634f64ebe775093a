import * as z from 'zod';
import { notFound } from '../errors.ts';
import { changePages } from '../export/change-stream.ts';
import { formatted } from '../export/format.ts';
import { kinds } from '../export/kinds.ts';
import type { ExportRow } from '../export/rows.ts';
import { lamassuId } from '../lamassu/id.ts';
import { type About, findAbout, refuseUnknownActor } from '../ledger/find-subject.ts';
import { listFundings } from '../ledger/fundings/view.ts';
import type { Who } from '../ledger/log/log.ts';
import type { Db } from '../ledger/store/open.ts';
import { parseRange } from '../typed/range.ts';
import { logView } from '../views/log.ts';
import { operation, ownerOf } from './operation.ts';

export type LoggedChange = ExportRow;

/**
 * Hands every change of the ledger by an operator or a run, oldest or newest first, to `take` of the session; for a
 * client those of its own settings and cash. The text is one JSON array of `changeView`. Errors: those of `findAbout`
 * and `refuseUnknownActor`.
 */
export const listLog = operation({
  name: 'log.list',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: ['output/unwritable'],
  input: z.strictObject({
    from: z.string().optional(),
    to: z.string().optional(),
    /** Only the changes of this operator, timer or daemon. */
    actor: z.string().optional(),
    /** Only the changes of this subject. */
    subject: z.string().optional(),
    newest_first: z.boolean().default(false),
  }),
  view: logView,
  run: async (
    { ledger: { db }, config, who, take },
    { actor = null, subject, newest_first: newestFirst, ...range },
  ) => {
    const within = parseRange(range, config.timezone);
    const about = await aboutOf(db, who, subject);
    // The error names the known actors: that is nothing for a client.
    if (actor !== null && ownerOf(who) === undefined) await refuseUnknownActor(db, actor);
    let changes = 0;
    const counted = async function* () {
      for await (const page of changePages(db, { ...within, about, actor, newestFirst })) {
        changes += page.length;
        yield page;
      }
    };
    const pages = counted();
    await take({ pages, text: () => formatted(kinds.changes, pages, 'json', config.timezone) });
    return { changes };
  },
});

/**
 * What the changes are about; null: anything. A cash-out or a run changes others, too, so a client gets none of those.
 */
async function aboutOf(db: Db, who: Who, subject: string | undefined): Promise<About | null> {
  const client = ownerOf(who);
  if (client === undefined) return subject === undefined ? null : findAbout(db, subject, lamassuId(subject));
  const own = new Map([[client, `client ${client}`]]);
  for (const { id } of await listFundings(db, { client })) own.set(`f${id}`, `f${id}`);
  if (subject === undefined) return { subjects: [...own.values()] };
  const found = own.get(subject);
  if (found !== undefined) return { subjects: [found] };
  throw notFound(
    'subject',
    `there is nothing of ${client} that is called ${JSON.stringify(subject)}`,
    `Known: ${[...own.keys()].join(', ')}.`,
  );
}
