import { html } from 'hono/html';
import { speechOf, textsIn } from '../../request/speech.ts';
import { empty, linkButton, notice } from '../../view/components.ts';
import { layout } from '../../view/layout.ts';
import { pathTo } from '../../view/links.ts';
import { pager, pathWith } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { clientName, tabsFor } from './client.ts';
import { filterForm, refusedFilter } from './filters.ts';
import { logTable, logTexts, readLog } from './log-table.ts';

/* Who changed what, when and why. */

export const logRoute: PageRoute = {
  method: 'GET',
  path: '/log',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsIn(speech, logTexts);
    const asked = context.req.query();
    const { subject, actor, from, to, after } = asked;
    const query = { subject, actor, from, to };
    const read = await refusedFilter(readLog(context, asked));
    const { filters } = texts;
    const form = filterForm(speech, '/log', [
      { name: 'subject', label: filters.subject, value: subject, help: filters.subjectHelp },
      { name: 'actor', label: filters.actor, value: actor },
      { name: 'from', label: filters.from, value: from, kind: 'date' },
      { name: 'to', label: filters.to, value: to, kind: 'date' },
    ]);
    const exported = pathWith('/api/v1/exports/changes', { format: 'csv', from, to });
    const page = { title: texts.title, here: 'log', actions: linkButton(exported, texts.download) } as const;
    const head = html`<p class="lead">${texts.lead}</p>${form}`;
    if ('refused' in read) return layout(context, { ...page, main: html`${head}${read.refused(speech)}` });
    const { rows, next } = read.done;
    return layout(context, {
      ...page,
      main: html`${head}${rows.length === 0 ? empty(texts.emptyTitle, texts.empty) : logTable(speech, rows)}
${pager(speech, '/log', { ...query, ...(after && { after }) }, next)}`,
    });
  },
};

/** The changes of a client, with its cash and payouts. */
export const clientLogRoute: PageRoute = {
  method: 'GET',
  path: '/clients/:name/log',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsIn(speech, logTexts);
    const name = clientName(context);
    const { after } = context.req.query();
    const { rows, next } = await readLog(context, { subject: name, after });
    return layout(context, {
      ...{ title: name, here: 'clients' },
      main: html`${tabsFor(context, speech, name, 'log')}${
        rows.length === 0 ? notice(texts.emptyTitle) : logTable(speech, rows)
      }${pager(speech, `${pathTo.client(name)}/log`, { ...(after && { after }) }, next)}`,
    });
  },
};
