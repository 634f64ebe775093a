import { html } from 'hono/html';
import { restateEntry, showClocks } from '../../../operations/clock.ts';
import type { ClocksView } from '../../../views/clock.ts';
import { mayHere } from '../../request/rights.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { clocksEn } from '../../text/en/admin-system.ts';
import { clocksEs } from '../../text/es/admin-system.ts';
import { timeOf } from '../../view/amounts.ts';
import { facts, notice } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { subjectLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { callLink, messageOf } from '../../view/messages.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';

/* The clocks that decide whose cash went out, and the entries of a clock that was wrong. */

const clockTexts = { en: clocksEn, es: clocksEs };

const textsOf = (speech: Speech) => textsIn(speech, clockTexts);

const clocksPage: PageRoute = {
  method: 'GET',
  path: '/clocks',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const { host, ledger, last_run: last, problem, entries } = await performFor(context, showClocks, {});
    return layout(context, {
      ...{ title: texts.title, here: 'system' },
      main: html`${doneNotice(context, { restated: texts.form.done })}<p class="lead">${texts.lead}</p>
${
  problem === null
    ? notice(texts.good, 'good')
    : notice(html`<p><strong>${texts.bad}</strong></p><p lang="en">${messageOf(speech, problem)}</p>`, 'bad')
}
${facts([
  [texts.host, timeOf(speech, host)],
  [texts.ledger, ledger === null ? texts.file : timeOf(speech, ledger)],
  ...(last === null
    ? [[texts.lamassu('–'), texts.none] as const]
    : [
        [texts.lamassu(last.run), timeOf(speech, last.lamassu)] as const,
        [texts.hostThen, timeOf(speech, last.host)] as const,
      ]),
])}
${entriesTable(speech, entries, mayHere(context, restateEntry))}`,
    });
  },
};

function entriesTable(speech: Speech, entries: ClocksView['entries'], mayCorrect: boolean): PageHtml {
  const texts = textsOf(speech);
  const { heads } = texts;
  return htmlTable(
    speech,
    [
      { head: heads.subject, isHead: true, cell: ({ subject }) => subjectLink(subject) },
      { head: heads.from, cell: ({ from }) => timeOf(speech, from) },
      {
        head: heads.entered,
        cell: ({ entered_at: at }) => (at === null ? texts.unknown : timeOf(speech, at)),
      },
      { head: heads.way, cell: ({ way_out: way }) => mayCorrect && callLink(speech, way) },
    ],
    entries,
    { caption: texts.entries, empty: html`<p>${texts.noEntries}</p>` },
  );
}

const restating = changeForm({
  path: '/clocks/restate',
  operation: restateEntry,
  form: (context, speech) => {
    const texts = textsOf(speech).form;
    const { subject = '' } = context.req.query();
    return {
      ...{ title: texts.title(subject), here: 'system', submit: texts.submit },
      lead: html`<p class="lead">${texts.lead}</p>`,
      fields: [
        { name: 'subject', label: texts.subject, value: subject },
        { name: 'at', label: texts.at, help: texts.atHelp },
        { name: 'reason', label: speech.t.form.reason, help: speech.t.form.reasonHelp, optional: true },
      ],
    };
  },
  input: (_context, { subject = '', at = '' }) => ({ subject, at }),
  done: () => '/clocks?done=restated',
});

export const clockPages: readonly PageRoute[] = [clocksPage, ...restating];
