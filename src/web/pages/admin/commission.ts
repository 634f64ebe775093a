import { html } from 'hono/html';
import { notFound } from '../../../errors.ts';
import { machineText } from '../../../lib/machine-label.ts';
import {
  addRecipient,
  listRecipients,
  removeRecipient,
  setRecipient,
} from '../../../operations/commission.ts';
import type { CommissionRecipientView } from '../../../views/commission.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { commissionEn } from '../../text/en/admin-commission.ts';
import { commissionEs } from '../../text/es/admin-commission.ts';
import { satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { badge, card, empty, facts, linkButton } from '../../view/components.ts';
import type { Field } from '../../view/forms.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { machineLink, pathTo, recipientLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { machineChoices, machinesOf } from './cash-fields.ts';
import { shownWallet } from './client-tabs.ts';

/* Who gets the commission, by which weights, and what each received. */

const commissionTexts = { en: commissionEn, es: commissionEs };

const textsOf = (speech: Speech) => textsIn(speech, commissionTexts);

type RecipientWeight = CommissionRecipientView['weights'][number];

function machineCell(speech: Speech, { machine, machine_name: name }: RecipientWeight): HtmlContent {
  return machine === null ? textsOf(speech).allMachines : machineLink(machine, name);
}

const listPage: PageRoute = {
  method: 'GET',
  path: '/commission',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const all = await performFor(context, listRecipients, {});
    const add = mayHere(context, addRecipient) ? linkButton('/add-recipient', texts.add, 'primary') : '';
    return layout(context, {
      ...{ title: speech.t.nav.commission, here: 'commission', actions: add },
      main: html`${doneNotice(context, texts.done)}${
        all.length === 0
          ? empty(texts.emptyTitle, texts.empty)
          : html`${recipientsTable(speech, all)}${card(texts.division, divisionOf(speech, all))}`
      }`,
    });
  },
};

/** Received sats are not known by machine, so they stand once. */
function recipientsTable(speech: Speech, all: readonly CommissionRecipientView[]): PageHtml {
  const texts = textsOf(speech);
  const { heads } = texts;
  const each = ({ weights }: CommissionRecipientView, cell: (weight: RecipientWeight) => HtmlContent) =>
    weights.map((weight) => html`<div>${cell(weight)}</div>`);
  const unit = html` <span class="unit">${speech.t.sats}</span>`;
  return htmlTable(
    speech,
    [
      {
        ...{ head: heads.name, isHead: true },
        cell: ({ name, status }) => [
          recipientLink(name),
          status === 'removed' && html` ${badge(texts.removed)}`,
        ],
      },
      { head: heads.machine, cell: (one) => each(one, (weight) => machineCell(speech, weight)) },
      {
        ...{ head: heads.weight, kind: 'num wide' },
        cell: (one) => each(one, ({ weight }) => speech.f.count(weight)),
      },
      { head: heads.share, kind: 'num', cell: (one) => each(one, ({ share }) => share) },
      { head: [heads.waiting, unit], kind: 'num wide', cell: (one) => satsNumber(speech, one.waiting_sats) },
      { head: [heads.received, unit], kind: 'num', cell: (one) => satsNumber(speech, one.received_sats) },
    ],
    all,
    { caption: texts.caption },
  );
}

/** A line for each machine with recipients of its own, and one for all others. */
function divisionOf(speech: Speech, all: readonly CommissionRecipientView[]): PageHtml {
  const texts = textsOf(speech);
  const parts = all.flatMap(({ name, weights }) => weights.map((weight) => ({ name, weight })));
  const places = [...Map.groupBy(parts, ({ weight }) => weight.machine ?? '')];
  const others = places.some(([machine]) => machine !== '') ? texts.otherMachines : texts.allMachines;
  const lines = places.map(([machine, there]): [HtmlContent, HtmlContent] => {
    const [first] = there;
    const where = machine === '' || first === undefined ? others : machineCell(speech, first.weight);
    return [where, there.map(({ name, weight }) => html`<div>${name} ${weight.share}</div>`)];
  });
  const hasRest = places.some(([machine]) => machine === '');
  return facts([...lines, !hasRest && [others, texts.staysHere]]);
}

function nameOf(context: WebContext): string {
  return context.req.param('name') ?? '';
}

async function recipientOf(context: WebContext): Promise<CommissionRecipientView> {
  const name = nameOf(context);
  const one = (await performFor(context, listRecipients, {})).find((each) => each.name === name);
  if (one) return one;
  throw notFound('name', `there is no recipient ${JSON.stringify(name)}`);
}

const recipientPage: PageRoute = {
  method: 'GET',
  path: '/commission/:name',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const one = await recipientOf(context);
    const path = pathTo.recipient(one.name);
    const actions = [
      mayHere(context, setRecipient) && linkButton(`${path}/settings`, texts.change),
      mayHere(context, setRecipient) && linkButton(`${path}/wallet`, texts.wallet),
      mayHere(context, removeRecipient) &&
        one.status === 'active' &&
        linkButton(`${path}/remove`, texts.remove),
    ];
    return layout(context, {
      ...{ title: one.name, here: 'commission', actions },
      main: html`${doneNotice(context, texts.done)}
${facts([
  [texts.facts.received, satsOf(speech, one.received_sats)],
  [texts.facts.waiting, satsOf(speech, one.waiting_sats)],
  [texts.facts.since, timeOf(speech, one.created_at)],
  [texts.facts.wallet, shownWallet(speech, one.wallet_id, mayHere(context, setRecipient))],
])}
${htmlTable(
  speech,
  [
    { head: texts.heads.machine, isHead: true, cell: (weight) => machineCell(speech, weight) },
    { head: texts.heads.weight, kind: 'num', cell: ({ weight }) => speech.f.count(weight) },
    { head: texts.heads.share, kind: 'num', cell: ({ share }) => share },
  ],
  one.weights,
  { caption: texts.weights, empty: html`<p>${texts.removed}</p>` },
)}
<p><a href="/log?subject=${encodeURIComponent(one.name)}">${speech.t.nav.log}</a></p>`,
    });
  },
};

/* Changes, which only owners make. */

const EVERY = '';

function machineInput({ machine }: Readonly<Record<string, string>>): Record<string, string> {
  return machine ? { machine } : {};
}

async function machineField(context: WebContext, speech: Speech): Promise<Field> {
  const texts = textsOf(speech).form;
  return {
    ...{ name: 'machine', label: texts.machine, kind: 'select', help: texts.machineHelp, optional: true },
    choices: [{ value: EVERY, text: texts.every }, ...machineChoices(await machinesOf(context))],
  };
}

const reason = ({ t }: Speech): Field => ({
  ...{ name: 'reason', label: t.form.reason, help: t.form.reasonHelp, optional: true },
});

const lead = (text: string) => html`<p class="lead">${text}</p>`;

const nameIn = (view: unknown) => (view as CommissionRecipientView).name;

const adding = changeForm({
  path: '/add-recipient',
  operation: addRecipient,
  form: async (context, speech) => {
    const texts = textsOf(speech).form;
    return {
      ...{
        title: texts.addTitle,
        here: 'commission',
        lead: lead(texts.addLead),
        submit: textsOf(speech).add,
      },
      fields: [
        { name: 'name', label: texts.name, help: texts.nameHelp },
        { name: 'wallet_key', label: texts.key, kind: 'secret', help: texts.keyHelp },
        { name: 'weight', label: texts.weight, kind: 'whole', help: texts.weightHelp, value: '1' },
        await machineField(context, speech),
      ],
    };
  },
  input: (_context, words) => {
    const { name = '', wallet_key: key = '', weight = '' } = words;
    return { name, wallet_key: key, weight, ...machineInput(words) };
  },
  done: (view) => `${pathTo.recipient(nameIn(view))}?done=added`,
});

const weighing = changeForm({
  path: '/commission/:name/settings',
  operation: setRecipient,
  form: async (context, speech) => {
    const texts = textsOf(speech).form;
    const one = await recipientOf(context);
    const general = one.weights.find(({ machine }) => machine === null) ?? one.weights[0];
    return {
      ...{ title: texts.setTitle(one.name), here: 'commission', lead: lead(texts.setLead) },
      fields: [
        {
          ...{ name: 'weight', label: texts.weight, kind: 'whole', help: texts.weightHelp },
          value: general === undefined ? '' : `${general.weight}`,
        },
        await machineField(context, speech),
        reason(speech),
      ],
    };
  },
  input: (context, words) => {
    const { weight = '' } = words;
    return { name: nameOf(context), weight, ...machineInput(words) };
  },
  done: (view) => `${pathTo.recipient(nameIn(view))}?done=set`,
});

const changingWallet = changeForm({
  path: '/commission/:name/wallet',
  operation: setRecipient,
  form: (context, speech) => {
    const texts = textsOf(speech).form;
    return {
      ...{ title: texts.walletTitle(nameOf(context)), here: 'commission', lead: lead(texts.walletLead) },
      fields: [
        { name: 'wallet_key', label: texts.key, kind: 'secret', help: texts.keyHelp },
        { name: 'new_wallet', label: texts.newWallet, kind: 'check', optional: true },
        reason(speech),
      ],
    };
  },
  input: (context, { wallet_key: key = '', new_wallet: isNew }) => ({
    ...{ name: nameOf(context), wallet_key: key, new_wallet: isNew === 'on' },
  }),
  done: (view) => `${pathTo.recipient(nameIn(view))}?done=wallet`,
});

const removing = changeForm({
  path: '/commission/:name/remove',
  operation: removeRecipient,
  form: async (context, speech) => {
    const texts = textsOf(speech).form;
    const one = await recipientOf(context);
    return {
      ...{ title: texts.removeTitle(one.name), here: 'commission', lead: lead(texts.removeLead) },
      ...{ danger: true, submit: textsOf(speech).remove },
      fields: [
        {
          ...{ name: 'machine', label: texts.machine, kind: 'select', optional: true },
          choices: [
            { value: EVERY, text: texts.every },
            ...one.weights.flatMap(({ machine, machine_name: name }) =>
              machine === null ? [] : [{ value: machine, text: machineText(machine, name) }],
            ),
          ],
        },
        reason(speech),
      ],
    };
  },
  input: (context, words) => ({ name: nameOf(context), ...machineInput(words) }),
  done: (view) => `${pathTo.recipient(nameIn(view))}?done=removed`,
});

export const commissionPages: readonly PageRoute[] = [
  listPage,
  ...adding,
  ...weighing,
  ...changingWallet,
  ...removing,
  recipientPage,
];
