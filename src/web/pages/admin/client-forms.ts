import { html } from 'hono/html';
import { BridgeError } from '../../../errors.ts';
import {
  addNewClient,
  closeOneClient,
  listSetClients,
  pauseOneClient,
  resumeOneClient,
  setClientSettings,
  showClient,
} from '../../../operations/clients.ts';
import type { ClientView, SetClientView } from '../../../views/clients.ts';
import { tagOf } from '../../api/api-app.ts';
import { members } from '../../api/route.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { linkButton } from '../../view/components.ts';
import type { Field, Typed } from '../../view/forms.ts';
import { pathTo } from '../../view/links.ts';
import { changeForm, type FormView } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { machinesOf, onlyCurrency, withCurrency } from './cash-fields.ts';
import { clientName, tabsFor } from './client.ts';
import { clientTexts } from './client-tabs.ts';
import { asTheyWere, changedSettings, changesTable } from './setting-changes.ts';

/* What can be done with a client. Its wallet's key is tested by the operation before anything is written. */

const textsOf = (speech: Speech) => textsIn(speech, clientTexts);

const adding = changeForm({
  path: '/add-client',
  operation: addNewClient,
  form: async (context, speech) => {
    const texts = textsOf(speech).add;
    const currency = onlyCurrency(await machinesOf(context));
    const unit = currency !== undefined && { unit: currency };
    return {
      ...{ title: texts.title, here: 'clients', submit: texts.submit },
      lead: html`<p class="lead">${texts.lead}</p>`,
      fields: [
        { name: 'name', label: texts.name, help: texts.nameHelp },
        { name: 'wallet_key', label: texts.key, kind: 'secret', help: texts.keyHelp },
        {
          ...{ name: 'mode', label: texts.mode, kind: 'choice', value: 'flow' },
          choices: [
            { value: 'flow', text: texts.flow, help: texts.flowHelp },
            { value: 'fixed', text: texts.fixed, help: texts.fixedHelp },
          ],
        },
        {
          ...{ name: 'daily_limit', label: texts.limit, kind: 'amount', help: texts.limitHelp },
          ...{ optional: true, ...unit },
        },
        {
          ...{ name: 'max_daily_limit', label: texts.maximum, kind: 'amount', help: texts.maximumHelp },
          ...{ optional: true, ...unit },
        },
      ],
      hidden: currency === undefined ? {} : { currency },
    };
  },
  input: (_context, words) => {
    const { name = '', wallet_key: key = '', mode } = words;
    const [daily, most] = [withCurrency(words, 'daily_limit'), withCurrency(words, 'max_daily_limit')];
    return {
      ...{ name, wallet_key: key, ...(mode !== undefined && { mode }) },
      ...{ ...(daily !== '' && { daily_limit: [daily] }), ...(most !== '' && { max_daily_limit: [most] }) },
    };
  },
  done: (view) => `${pathTo.client((view as ClientView).name)}?done=added`,
});

/* Settings */

const SETTINGS = members(['name', 'mode', 'status', 'daily_limits', 'max_daily_limits', 'wallet_id']);
const LIMITS = ['daily', 'max'] as const;

function currenciesOf(
  { daily_limits: limits, balances }: ClientView,
  more: readonly (string | null)[],
): string[] {
  const all = [...Object.keys(limits), ...balances.map(({ currency }) => currency), ...more];
  return [...new Set(all.filter((one) => one !== null))].toSorted((a, b) => (a < b ? -1 : 1));
}

async function settingsForm(context: WebContext, speech: Speech): Promise<FormView> {
  const texts = textsOf(speech);
  const client = await performFor(context, showClient, { name: clientName(context) });
  const machines = await machinesOf(context);
  const values: Record<string, string> = { mode: client.mode };
  const limitFields = currenciesOf(
    client,
    machines.map(({ currency }) => currency),
  ).flatMap((currency): Field[] => {
    values[`daily_${currency}`] = client.daily_limits[currency] ?? '';
    values[`max_${currency}`] = client.max_daily_limits[currency] ?? '';
    return [
      {
        ...{ name: `daily_${currency}`, label: texts.settings.limit(currency), inputs: ['daily_limit'] },
        ...{ kind: 'amount', optional: true, help: texts.settings.noneHelp, unit: currency },
        value: values[`daily_${currency}`],
      },
      {
        ...{ name: `max_${currency}`, label: texts.settings.maximum(currency), inputs: ['max_daily_limit'] },
        ...{ kind: 'amount', optional: true, help: texts.settings.noneHelp, unit: currency },
        value: values[`max_${currency}`],
      },
    ];
  });
  const { status } = client;
  const path = pathTo.client(client.name);
  const more = [
    linkButton(`${path}/wallet`, texts.settings.wallet),
    status === 'paused'
      ? linkButton(`${path}/resume`, texts.status.resume)
      : linkButton(`${path}/pause`, texts.status.pause),
    linkButton(`${path}/close`, texts.status.close),
  ];
  return {
    ...{ title: texts.settings.title(client.name), here: 'clients' },
    lead: html`${tabsFor(context, speech, client.name, 'settings')}<p class="lead">${texts.settings.lead}</p><div class="actions">${more}</div>`,
    fields: [
      {
        ...{ name: 'mode', label: texts.add.mode, kind: 'choice', value: client.mode },
        choices: [
          { value: 'flow', text: texts.add.flow, help: texts.add.flowHelp },
          { value: 'fixed', text: texts.add.fixed, help: texts.add.fixedHelp },
        ],
      },
      ...limitFields,
      { name: 'reason', label: speech.t.form.reason, help: speech.t.form.reasonHelp, optional: true },
    ],
    hidden: { ...asTheyWere(values), seen: tagOf(SETTINGS(client)) },
  };
}

function settingsInput(context: WebContext, words: Typed): Record<string, unknown> {
  const changed = changedSettings(words);
  const mode = changed.find(({ name }) => name === 'mode')?.after;
  const limits = (which: (typeof LIMITS)[number]) =>
    changed.flatMap(({ name, after }) => {
      const [, currency] = name.match(new RegExp(`^${which}_([A-Z]{3})$`)) ?? [];
      if (currency === undefined) return [];
      return [after === '' ? `none ${currency}` : withCurrency({ limit: after, currency }, 'limit')];
    });
  const [daily, most] = [limits('daily'), limits('max')];
  return {
    ...{ name: clientName(context), ...(mode !== undefined && { mode }) },
    ...(daily.length > 0 && { daily_limit: daily }),
    // Without the limit there is no maximum of it either.
    ...(most.length > 0 && {
      max_daily_limit: most.filter((one) => !daily.includes(one) || !/^none/.test(one)),
    }),
  };
}

const setting = changeForm({
  path: '/clients/:name/settings',
  operation: setClientSettings,
  form: settingsForm,
  input: settingsInput,
  agree: (_context, speech, words) => {
    const texts = textsOf(speech);
    const changed = changedSettings(words);
    if (changed.length === 0) throw new BridgeError('usage/invalid', 'nothing was changed.');
    const label = (name: string) => {
      const [which = '', currency = ''] = name.split('_');
      if (which === 'mode') return texts.add.mode;
      return which === 'daily' ? texts.settings.limit(currency) : texts.settings.maximum(currency);
    };
    const shown = (name: string, value: string) => {
      if (value === '') return texts.settings.nothing;
      return name === 'mode' && (value === 'flow' || value === 'fixed') ? speech.t.modes[value] : value;
    };
    const { changes: caption, from, to } = texts.settings;
    const heads = { caption, setting: speech.t.nav.settings, from, to };
    return {
      content: html`${changesTable(speech, changed, heads, {
        label,
        value: ({ name }, value) => shown(name, value),
      })}<p>${texts.settings.lead} ${texts.settings.undo}</p>`,
    };
  },
  unchanged: (context, { seen }) => ({
    ...{ operation: listSetClients, input: {} },
    isSame: (view) => {
      const name = clientName(context);
      const client = (view as SetClientView[]).find((one) => one.name === name);
      return seen === undefined || client === undefined || tagOf(SETTINGS(client)) === seen;
    },
  }),
  done: (view) => `${pathTo.client((view as ClientView).name)}?done=set`,
});

const changingWallet = changeForm({
  path: '/clients/:name/wallet',
  operation: setClientSettings,
  form: (context, speech) => {
    const texts = textsOf(speech);
    return {
      ...{ title: texts.settings.wallet, here: 'clients', submit: texts.settings.wallet },
      lead: html`${tabsFor(context, speech, clientName(context), 'settings')}<p class="lead">${texts.settings.walletLead}</p>`,
      fields: [
        { name: 'wallet_key', label: texts.add.key, kind: 'secret', help: texts.add.keyHelp },
        { name: 'new_wallet', label: texts.settings.newWallet, kind: 'check', optional: true },
        { name: 'reason', label: speech.t.form.reason, help: speech.t.form.reasonHelp, optional: true },
      ],
    };
  },
  input: (context, { wallet_key: key = '', new_wallet: isNew }) => ({
    ...{ name: clientName(context), wallet_key: key, new_wallet: isNew === 'on' },
  }),
  done: (view) => `${pathTo.client((view as ClientView).name)}?done=wallet`,
});

/* Pause, resume, close: each one question. */

const STATUS_CHANGES = [
  { verb: 'pause', operation: pauseOneClient, done: 'paused' },
  { verb: 'resume', operation: resumeOneClient, done: 'resumed' },
  { verb: 'close', operation: closeOneClient, done: 'closed' },
] as const;

const statusForms = STATUS_CHANGES.flatMap(({ verb, operation, done }) =>
  changeForm({
    ...{ path: `/clients/:name/${verb}`, operation },
    form: (context, speech) => {
      const texts = textsOf(speech).status;
      return {
        ...{ title: texts[`${verb}Title`](clientName(context)), here: 'clients' },
        ...{ lead: html`<p class="lead">${texts[`${verb}Lead`]}</p>`, submit: texts.submit[verb] },
        danger: verb === 'close',
        fields: [
          { name: 'reason', label: speech.t.form.reason, help: speech.t.form.reasonHelp, optional: true },
        ],
      };
    },
    input: (context) => ({ name: clientName(context) }),
    done: (view) => `${pathTo.client((view as ClientView).name)}?done=${done}`,
  }),
);

export const clientForms: readonly PageRoute[] = [...adding, ...setting, ...changingWallet, ...statusForms];
