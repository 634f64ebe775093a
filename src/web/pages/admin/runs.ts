import { html } from 'hono/html';
import { listRuns } from '../../../operations/runs.ts';
import { toMs } from '../../../time.ts';
import type { ListedRunView } from '../../../views/runs.ts';
import { type Speech, speechOf } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { textOf } from '../../text/texts.ts';
import { timeOf } from '../../view/amounts.ts';
import { empty, linkButton } from '../../view/components.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable, pageOfList, pager } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { kindText, outcomeBadge, runTexts } from './run-parts.ts';

const SIZE = 50;

/** Each run: who began it, when, what came of it. */
export const runsPage: PageRoute = {
  method: 'GET',
  path: '/runs',
  show: async (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const { title, list: texts, dry } = runTexts(speech);
    const { after } = context.req.query();
    const view = await performFor(context, listRuns, { limit: `${SIZE + 1}`, ...(after && { after }) });
    const page = pageOfList(view.rows, SIZE, ({ run }) => run);
    return layout(context, {
      ...{ title, here: 'overview' },
      main: html`${htmlTable(
        speech,
        [
          { head: texts.run, isHead: true, cell: ({ run }) => run },
          { head: texts.began, cell: ({ started_at: at }) => timeOf(speech, at) },
          { head: texts.took, kind: 'num wide', cell: (one) => took(speech, one) },
          { head: texts.kind, cell: ({ kind }) => kindText(speech, kind) },
          { head: texts.by, cell: ({ actor }) => actor },
          {
            head: texts.outcome,
            cell: ({ outcome }) => (outcome === null ? texts.going : outcomeBadge(speech, outcome)),
          },
          {
            ...{ head: texts.problems, kind: 'words' },
            cell: ({ problems }) =>
              html`${problems.map((code) => html`<div>${textOf(t.errors, code)}</div>`)}`,
          },
        ],
        page.rows,
        {
          ...{ caption: texts.caption, isCaptionHidden: true },
          empty: empty(texts.emptyTitle, html`${texts.empty} ${linkButton('/run/dry', dry.title)}`),
        },
      )}
${pager(speech, '/runs', { after }, page.after)}`,
    });
  },
};

function took(speech: Speech, { started_at: from, finished_at: to }: ListedRunView): string {
  const { list: texts } = runTexts(speech);
  if (to === null) return '';
  const seconds = Math.max(0, Math.trunc((toMs(to) - toMs(from)) / 1000));
  return seconds < 120
    ? texts.seconds(speech.f.count(seconds))
    : texts.minutes(speech.f.count(Math.trunc(seconds / 60)));
}
