import { html } from 'hono/html';
import { formatDecimal, parseDecimal, sum } from '../../../dca/money.ts';
import type { PastView } from '../../../views/fundings.ts';
import { type Speech, textsIn } from '../../request/speech.ts';
import { money, satsNumber, timeOf } from '../../view/amounts.ts';
import { notice } from '../../view/components.ts';
import type { Field } from '../../view/forms.ts';
import type { PageHtml } from '../../view/html.ts';
import { cashOutLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { fundingTexts } from './funding-table.ts';

/** As many of the cash-outs as are shown one by one. */
const SHOWN = 20;

/** Cash-outs that were divided before the cash was entered, and the choice of what happens to them. */
export function pastOf(
  speech: Speech,
  past: PastView | null,
): { content: PageHtml; fields: readonly Field[] } {
  const all = past?.cash_outs ?? [];
  if (past === null || all.length === 0) return { content: html``, fields: [] };
  const texts = textsIn(speech, fundingTexts).agree;
  const { currency } = past;
  const digits = all[0]?.own_fiat.split('.')[1]?.length ?? 0;
  const own = formatDecimal(sum(all.map((one) => parseDecimal(one.own_fiat, digits))), digits);
  const heads = texts.pastHeads;
  const content = html`${notice(texts.past(all.length, speech.f.money(own, currency)), 'warn')}
${htmlTable(
  speech,
  [
    { head: heads.cashOut, isHead: true, cell: ({ id }) => cashOutLink(id) },
    { head: heads.time, kind: 'wide', cell: ({ confirmed_at: at }) => timeOf(speech, at) },
    { head: heads.own, kind: 'num', cell: ({ own_fiat: cash }) => money(speech, cash, currency) },
    { head: heads.part, kind: 'num', cell: ({ fiat }) => money(speech, fiat, currency) },
    { head: heads.sats, kind: 'num', cell: ({ net_sats: net }) => satsNumber(speech, net) },
  ],
  all.slice(0, SHOWN),
  { caption: texts.pastCaption },
)}${all.length > SHOWN ? html`<p class="quiet">${texts.pastMore(all.length - SHOWN)}</p>` : ''}`;
  return {
    content,
    fields: [
      {
        ...{ name: 'past', label: texts.pastQuestion, kind: 'choice' },
        choices: [
          { value: 'leave', text: texts.leave, help: texts.leaveHelp },
          { value: 'from_own', text: texts.fromOwn, help: texts.fromOwnHelp },
        ],
      },
    ],
  };
}
