import { z } from 'zod';
import { changePages } from '../export/changes.ts';
import { formatted } from '../export/format.ts';
import { kinds } from '../export/kinds.ts';
import type { ExportRow } from '../export/rows.ts';
import { lamassuId } from '../lamassu/id.ts';
import { findAbout, refuseUnknownActor } from '../ledger/find-subject.ts';
import { parseRange } from '../typed/range.ts';
import { logView } from '../views/log.ts';
import { operation } from './operation.ts';

export type LoggedChange = ExportRow;

/** Where the changes go, as they come: page by page, or as the text of one JSON array of `changeView`. */
export type TakeChanges = (changes: {
  pages: AsyncIterable<LoggedChange[]>;
  json: () => AsyncIterable<string>;
}) => Promise<unknown>;

/** Every change of the ledger by an operator or a run, oldest first. Errors: those of `findAbout` and `refuseUnknownActor`. */
export const listLog = operation({
  name: 'log.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: ['output/unwritable'],
  input: z.object({
    from: z.string().optional(),
    to: z.string().optional(),
    /** Only the changes of this operator, timer or daemon. */
    actor: z.string().optional(),
    /** Only the changes of this subject. */
    subject: z.string().optional(),
    take: z.custom<TakeChanges>((take) => typeof take === 'function'),
  }),
  view: logView,
  run: async ({ ledger: { db }, config }, { actor = null, subject, take, ...range }) => {
    const within = parseRange(range, config.timezone);
    const about = subject === undefined ? null : await findAbout(db, subject, lamassuId(subject));
    if (actor !== null) await refuseUnknownActor(db, actor);
    let changes = 0;
    const counted = async function* () {
      for await (const page of changePages(db, { ...within, about, actor })) {
        changes += page.length;
        yield page;
      }
    };
    const pages = counted();
    await take({ pages, json: () => formatted(kinds.changes, pages, 'json', config.timezone) });
    return { changes };
  },
});
