import { html } from 'hono/html';
import type * as z from 'zod';
import { previewOverpaid, recordOverpaid } from '../../../operations/overpaid.ts';
import {
  holdAllPayouts,
  holdPayout,
  previewReleaseAll,
  releaseAllPayouts,
  releasePayoutById,
  retryPayoutById,
  showPayout,
} from '../../../operations/payouts.ts';
import { previewResolvePayout, resolvePayout } from '../../../operations/resolve-payout.ts';
import type {
  heldAllView,
  heldPayoutsView,
  overpaidPreview,
  resolvePreview,
} from '../../../views/payouts.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { textOf } from '../../text/texts.ts';
import { money, satsNumber, satsOf } from '../../view/amounts.ts';
import { card, facts, notice } from '../../view/components.ts';
import type { Field } from '../../view/forms.ts';
import { pathTo, payoutLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { messageOf } from '../../view/messages.ts';
import { changeForm } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { payoutTexts } from './payouts.ts';
import { inProgramsWords } from './run-parts.ts';

/* What is decided of payouts: hold, release, try again, and what became of a payment. */

export function reasonField({ t }: Speech): Field {
  return { name: 'reason', label: t.form.reason, help: t.form.reasonHelp };
}

function idOf(context: WebContext): string {
  return context.req.param('id') ?? '';
}

const back = (context: WebContext, done: string) => `${pathTo.payout(idOf(context))}?done=${done}`;

/** The quiet time in seconds, as it is written. */
export function quietSeconds(context: WebContext): string {
  const { quietMs } = context.get('site').serving.config.payouts;
  return speechOf(context).f.count(Math.ceil(quietMs / 1000));
}

export const payoutChanges: readonly PageRoute[] = [
  ...changeForm({
    path: '/payouts/hold',
    operation: holdAllPayouts,
    form: (_context, speech) => {
      const { holdAllForm: texts, holdAll } = payoutTexts(speech);
      const lead = html`<p class="lead">${texts.lead}</p>`;
      return {
        ...{ title: texts.title, here: 'payouts', lead, fields: [reasonField(speech)] },
        ...{ submit: holdAll, danger: true },
      };
    },
    input: () => ({}),
    done: (view) =>
      (view as z.output<typeof heldAllView>).due_sats ? '/payouts?done=heldSome' : '/payouts?done=heldAll',
  }),
  ...changeForm({
    path: '/payouts/release',
    operation: releaseAllPayouts,
    preview: { operation: previewReleaseAll },
    form: (_context, speech) => {
      const { releaseAllForm: texts } = payoutTexts(speech);
      const lead = html`<p class="lead">${texts.lead}</p>`;
      const reason: Field = { ...reasonField(speech), optional: true };
      return { title: texts.title, here: 'payouts', lead, fields: [reason] };
    },
    input: () => ({}),
    agree: (_context, speech, _typed, view) => {
      const { held } = view as z.output<typeof heldPayoutsView>;
      const { releaseAllForm: texts, heads, releaseAll } = payoutTexts(speech);
      const content = htmlTable(
        speech,
        [
          { head: heads.payout, isHead: true, cell: ({ id }) => payoutLink(id) },
          { head: heads.to, cell: ({ recipient }) => recipient },
          { head: speech.t.sats, kind: 'num', cell: ({ sats }) => satsNumber(speech, sats) },
          { head: heads.why, cell: ({ reason }) => html`<span lang="en">${reason}</span>` },
        ],
        held,
        { caption: texts.title, isCaptionHidden: true, empty: html`<p>${texts.none}</p>` },
      );
      return { content, submit: releaseAll };
    },
    done: () => '/payouts?done=releasedAll',
  }),
  ...changeForm({
    path: '/payouts/:id/hold',
    operation: holdPayout,
    form: (context, speech) => {
      const { holdForm: texts, hold } = payoutTexts(speech);
      return {
        ...{ title: texts.title(idOf(context)), here: 'payouts' },
        ...{ lead: html`<p class="lead">${texts.lead}</p>`, fields: [reasonField(speech)], submit: hold },
      };
    },
    input: (context) => ({ id: idOf(context) }),
    done: (_view, _typed, context) => back(context, 'held'),
  }),
  ...changeForm({
    path: '/payouts/:id/release',
    operation: releasePayoutById,
    form: async (context, speech) => {
      const { releaseForm: texts, release, detail } = payoutTexts(speech);
      const payout = await performFor(context, showPayout, { id: idOf(context) });
      const why =
        payout.reason === null ? '' : html`<p>${detail.state}: <span lang="en">${payout.reason}</span></p>`;
      return {
        ...{ title: texts.title(idOf(context)), here: 'payouts', submit: release },
        lead: html`<p class="lead">${texts.lead}</p>${why}`,
        fields: [{ ...reasonField(speech), optional: true }],
      };
    },
    input: (context) => ({ id: idOf(context) }),
    done: (_view, _typed, context) => back(context, 'released'),
  }),
  ...changeForm({
    path: '/payouts/:id/retry',
    operation: retryPayoutById,
    form: (context, speech) => {
      const { retryForm: texts } = payoutTexts(speech);
      return {
        ...{ title: texts.title(idOf(context)), here: 'payouts', submit: texts.button },
        ...{
          lead: html`<p class="lead">${texts.lead}</p>`,
          fields: [{ ...reasonField(speech), optional: true }],
        },
      };
    },
    input: (context) => ({ id: idOf(context) }),
    done: (_view, _typed, context) => back(context, 'retried'),
  }),
  ...changeForm({
    path: '/payouts/:id/resolve',
    operation: resolvePayout,
    preview: {
      operation: previewResolvePayout,
      waits: (context, speech) => payoutTexts(speech).resolveForm.waits(quietSeconds(context)),
    },
    form: async (context, speech) => {
      const { resolveForm: texts } = payoutTexts(speech);
      return {
        ...{ title: texts.title(idOf(context)), here: 'payouts' },
        lead: html`<p class="lead">${texts.lead}</p>`,
        fields: [
          {
            ...{ name: 'word', label: texts.word, kind: 'choice', inputs: ['paid', 'not_paid'] },
            choices: [
              { value: 'paid', text: texts.paid, help: texts.paidHelp },
              { value: 'not_paid', text: texts.notPaid, help: texts.notPaidHelp(quietSeconds(context)) },
            ],
          },
          ...(await paymentField(context, speech)),
          reasonField(speech),
        ],
      };
    },
    input: (context, { word, payment }) => ({
      ...{ id: idOf(context), paid: word === 'paid', not_paid: word === 'not_paid' },
      ...(payment && { payment }),
    }),
    agree: (_context, speech, { word }, view) => {
      const { resolveForm: texts, shown, detail } = payoutTexts(speech);
      const { payment_hash: hash, sats, source, client, question } = view as z.output<typeof resolvePreview>;
      const amount = speech.f.sats(sats);
      const content = html`${card(
        html`${detail.payment} <code>${hash}</code>`,
        facts([
          [detail.what, satsOf(speech, sats)],
          [texts.source, html`<strong>${textOf(shown, source)}</strong>`],
          [texts.client, html`<strong>${textOf(shown, client)}</strong>`],
        ]),
      )}${notice(
        html`<p>${question === null ? texts.clear : texts.unclear} ${
          word === 'paid' ? texts.recordPaid(amount) : texts.recordNotPaid(amount)
        }</p>${question === null ? '' : inProgramsWords(speech, messageOf(speech, question))}`,
        question === null ? 'good' : 'warn',
      )}`;
      return { content, submit: texts.button };
    },
    done: (_view, _typed, context) => back(context, 'resolved'),
  }),
  ...changeForm({
    path: '/payouts/:id/overpaid',
    operation: recordOverpaid,
    preview: { operation: previewOverpaid },
    form: (context, speech) => {
      const { overpaidForm: texts } = payoutTexts(speech);
      return {
        ...{ title: texts.title(idOf(context)), here: 'payouts' },
        lead: html`<p class="lead">${texts.lead}</p>`,
        fields: [
          { name: 'payment', label: texts.payment, optional: true },
          { name: 'sats', label: texts.sats, kind: 'amount', unit: speech.t.sats, optional: true },
          { name: 'funding', label: texts.funding, help: texts.fundingHelp, optional: true },
          reasonField(speech),
        ],
      };
    },
    input: (context, { payment, sats, funding }) => ({
      ...{ id: idOf(context), ...(payment && { payment }) },
      ...(sats && { sats }),
      ...(funding && { funding }),
    }),
    agree: (_context, speech, { funding }, view) => {
      const { overpaidForm: texts } = payoutTexts(speech);
      const { recipient, sats, fiat, currency } = view as z.output<typeof overpaidPreview>;
      const content = html`${facts([
        [texts.is(recipient), satsOf(speech, sats)],
        [texts.worth, money(speech, fiat, currency)],
      ])}<p>${funding ? texts.off(funding) : texts.only}</p>`;
      return { content };
    },
    done: (_view, _typed, context) => back(context, 'overpaid'),
  }),
];

/** Which payment, where more than one is open. */
async function paymentField(context: WebContext, speech: Speech): Promise<Field[]> {
  const { payments } = await performFor(context, showPayout, { id: idOf(context) });
  const open = payments.filter(({ state }) => state !== 'settled' && state !== 'dead');
  if (open.length < 2) return [];
  const { resolveForm: texts, detail } = payoutTexts(speech);
  const choices = open.map((one) => ({
    value: one.payment_hash,
    text: `${one.payment_hash.slice(0, 8)}, ${speech.f.sats(one.sats)} ${speech.t.sats}, ${detail.states[one.state]}`,
  }));
  return [{ name: 'payment', label: texts.payment, kind: 'select', choices }];
}
