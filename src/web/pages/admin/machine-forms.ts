import { html } from 'hono/html';
import { BridgeError } from '../../../errors.ts';
import { machineText } from '../../../lib/machine-label.ts';
import {
  previewReplacement,
  replaceMachineBy,
  setMachineSettings,
  showMachine,
} from '../../../operations/machines.ts';
import type { MachineView, ReplacementView } from '../../../views/machines.ts';
import { tagOf } from '../../api/api-app.ts';
import { members } from '../../api/route.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, textsIn } from '../../request/speech.ts';
import { money } from '../../view/amounts.ts';
import { notice } from '../../view/components.ts';
import { clientLink, fundingLink, pathTo } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { changeForm } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { machineChoices, machinesOf } from './cash-fields.ts';
import { machineOf, machineTexts } from './machines.ts';
import { asTheyWere, changedSettings, changesTable } from './setting-changes.ts';

/* What can be changed about a machine. */

const textsOf = (speech: Speech) => textsIn(speech, machineTexts);

const SETTINGS = members(['machine', 'name', 'currency', 'commission_rate', 'min_rate', 'max_rate']);
const RATES = ['commission_rate', 'min_rate', 'max_rate'] as const;

/** `5%`, as it is typed; what is not set is empty. */
function percentOf({ f }: Speech, rate: string | null): string {
  return rate === null ? '' : f.percent(rate).replaceAll(/[\s\u00a0]/g, '');
}

function machineParam(context: WebContext): string {
  return context.req.param('machine') ?? '';
}

const setting = changeForm({
  path: '/machines/:machine/settings',
  operation: setMachineSettings,
  form: async (context, speech) => {
    const texts = textsOf(speech).form;
    const one = await machineOf(context);
    const values = {
      ...{ name: one.name ?? '', currency: one.currency ?? '' },
      commission_rate: percentOf(speech, one.commission_rate),
      ...{ min_rate: percentOf(speech, one.min_rate), max_rate: percentOf(speech, one.max_rate) },
    };
    return {
      ...{ title: texts.title(machineText(one.machine, one.name)), here: 'machines' },
      lead: html`<p class="lead">${texts.lead}</p>`,
      fields: [
        { name: 'name', label: texts.name, help: texts.nameHelp, optional: true, value: values.name },
        {
          ...{ name: 'currency', label: texts.currency, help: texts.currencyHelp, optional: true },
          value: values.currency,
        },
        {
          ...{ name: 'commission_rate', label: texts.rate, help: texts.rateHelp, optional: true },
          value: values.commission_rate,
        },
        {
          ...{ name: 'min_rate', label: texts.min, help: texts.boundHelp, optional: true },
          value: values.min_rate,
        },
        {
          ...{ name: 'max_rate', label: texts.max, help: texts.boundHelp, optional: true },
          value: values.max_rate,
        },
        { name: 'reason', label: speech.t.form.reason, help: speech.t.form.reasonHelp, optional: true },
      ],
      hidden: { ...asTheyWere(values), seen: tagOf(SETTINGS(one)) },
    };
  },
  input: (context, words) => {
    const changed = changedSettings(words).map(({ name, after }) => {
      if (after !== '') return [name, after] as const;
      return [name, RATES.some((rate) => rate === name) ? 'none' : null] as const;
    });
    return { machine: machineParam(context), ...Object.fromEntries(changed) };
  },
  agree: (_context, speech, words) => {
    const texts = textsOf(speech).form;
    const changed = changedSettings(words);
    if (changed.length === 0) throw new BridgeError('usage/invalid', 'nothing was changed.');
    const labels: Record<string, string> = {
      ...{ name: texts.name, currency: texts.currency, commission_rate: texts.rate },
      ...{ min_rate: texts.min, max_rate: texts.max },
    };
    const heads = {
      caption: texts.changes,
      setting: textsOf(speech).settings,
      from: texts.from,
      to: texts.to,
    };
    return {
      content: html`${changesTable(speech, changed, heads, {
        label: (name) => labels[name] ?? name,
        value: (_one, text) => (text === '' ? texts.nothing : text),
      })}<p>${texts.lead}</p>`,
    };
  },
  unchanged: (context, { seen }) => ({
    ...{ operation: showMachine, input: { machine: machineParam(context) } },
    isSame: (view) => seen === undefined || tagOf(SETTINGS(view)) === seen,
  }),
  done: (view) => `${pathTo.machine((view as MachineView).machine)}?done=set`,
});

const replacing = changeForm({
  path: '/machines/:machine/replace',
  operation: replaceMachineBy,
  form: async (context, speech) => {
    const texts = textsOf(speech).replacing;
    const one = await machineOf(context);
    const others = (await machinesOf(context)).filter(({ machine }) => machine !== one.machine);
    return {
      ...{ title: texts.title(machineText(one.machine, one.name)), here: 'machines', danger: true },
      lead: html`<p class="lead">${texts.lead}</p>${others.length === 0 ? notice(texts.none, 'warn') : ''}`,
      fields: [
        {
          ...{ name: 'new', label: texts.by, kind: 'select', inputs: ['old'] },
          choices: [{ value: '', text: '–' }, ...machineChoices(others)],
        },
        { name: 'reason', label: speech.t.form.reason, help: speech.t.form.reasonHelp, optional: true },
      ],
    };
  },
  input: (context, { new: next = '' }) => ({ old: machineParam(context), new: next }),
  preview: { operation: previewReplacement },
  agree: (_context, speech, _words, view) => {
    const texts = textsOf(speech).replacing;
    const { old, new: next, fundings } = view as ReplacementView;
    return {
      content: html`<p><strong>${machineText(old.machine, old.name)} → ${machineText(next.machine, next.name)}</strong></p>
<p>${texts.lost(old.machine)}</p>
${htmlTable(
  speech,
  [
    { head: texts.heads.funding, isHead: true, cell: ({ id }) => fundingLink(id) },
    { head: texts.heads.client, cell: ({ client }) => clientLink(client) },
    {
      ...{ head: texts.heads.remaining, kind: 'num' },
      cell: ({ remaining, currency }) => money(speech, remaining, currency),
    },
  ],
  fundings,
  { caption: texts.moves, empty: html`<p>${texts.nothing}</p>` },
)}`,
      submit: texts.submit,
    };
  },
  done: (view) => `${pathTo.machine((view as MachineView).machine)}?done=replaced`,
});

export const machineForms: readonly PageRoute[] = [...setting, ...replacing];
