import { html } from 'hono/html';
import {
  pauseOneClient,
  resumeOneClient,
  setClientSettings,
  showClient,
  showClientSettings,
} from '../../../operations/clients.ts';
import { listCredentials, removeOneCredential } from '../../../operations/credentials.ts';
import { replayClient } from '../../../operations/replays.ts';
import { endAllSessions, endOneSession, listSessions } from '../../../operations/sessions.ts';
import type { ClientView } from '../../../views/clients.ts';
import type { CredentialView, SessionView } from '../../../views/people.ts';
import type { ReplayView } from '../../../views/replays.ts';
import { tagOf } from '../../api/api-app.ts';
import { ownSettings } from '../../api/client-routes.ts';
import type { WebContext } from '../../request/site-context.ts';
import { performFor, type RoutedOperation } from '../../request/visitor.ts';
import { agoOf, dayOf, money, satsNumber } from '../../view/amounts.ts';
import { badge, card, linkButton } from '../../view/components.ts';
import { amountText, buttonForm, type Field, type Typed } from '../../view/forms.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable } from '../../view/lists.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { canHavePasskeys } from '../passkeys.ts';
import { type OwnSpeech, ownSpeech } from './own.ts';
import { modeSentences } from './own-figures.ts';

/* How the cash is spent, where the client is signed in, and where it is paid: that is only shown. */

const settingsPage: PageRoute = {
  method: 'GET',
  path: '/settings',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { t, x, name } = speech;
    const client = await performFor(context, showClient, { name });
    const sessions = await performFor(context, listSessions, {});
    const passkeys = (await performFor(context, listCredentials, {})).filter(
      ({ kind }) => kind === 'passkey',
    );
    const { times } = context.get('site').serving.config.fixed;
    const isPaused = client.status === 'paused';
    const { changed, paused, resumed, ended, removed, added } = x.settings;
    return layout(context, {
      ...{ title: x.settings.title, here: 'settings', scripts: ['passkey.js'] },
      main: html`${doneNotice(context, { changed, paused, resumed, ended, removed, added })}
${card(
  x.settings.mode,
  html`${modeSentences(speech, client, times)}<div class="actions">${linkButton('/settings/mode', x.settings.modeChange)}${linkButton(
    isPaused ? '/settings/resume' : '/settings/pause',
    isPaused ? x.settings.resume : x.settings.pause,
  )}</div>`,
  badge(t.clientStates[client.status], client.status === 'active' ? 'good' : 'warn'),
)}
${card(x.settings.statements, linkButton('/statement', x.settings.statements))}
${card(x.settings.wallet, html`<p><code>${client.wallet_id}</code></p><p class="quiet">${x.settings.walletLead}</p>`)}
${card(x.settings.passkeys, passkeysOf(context, speech, passkeys))}
${card(
  x.settings.devices,
  html`${sessionsOf(context, speech, sessions)}${buttonForm('/settings/sessions/end', x.settings.endAll)}`,
)}`,
    });
  },
};

function sessionsOf(context: WebContext, speech: OwnSpeech, sessions: readonly SessionView[]): PageHtml {
  const { x } = speech;
  const now = context.get('site').serving.clock.now();
  return html`<ul class="plain rows">${sessions.map(
    (
      one,
    ) => html`<li><div><strong>${deviceName(one.device) ?? x.settings.unknownDevice}</strong> ${one.current ? badge(x.settings.here, 'good') : ''}
<p class="quiet">${x.settings.methods[one.method]} · ${agoOf(speech, one.used_at, now)}</p></div>
${one.current ? '' : buttonForm('/settings/sessions/end', x.settings.end, { id: one.id })}</li>`,
  )}</ul>`;
}

/** A browser and a system, from how a browser names itself; they all name others, too. */
function deviceName(agent: string | null): string | undefined {
  const first = (names: readonly (readonly [RegExp, string])[]) =>
    names.find(([pattern]) => pattern.test(agent ?? ''))?.[1];
  const browser = first([
    ...([
      [/Firefox|FxiOS/, 'Firefox'],
      [/Edg/, 'Edge'],
      [/SamsungBrowser/, 'Samsung Internet'],
    ] as const),
    ...([
      [/Chrome|CriOS/, 'Chrome'],
      [/Safari/, 'Safari'],
    ] as const),
  ]);
  const system = first([
    ...([
      [/Android/, 'Android'],
      [/iPhone|iPad/, 'iOS'],
      [/Mac OS/, 'macOS'],
    ] as const),
    ...([
      [/Windows/, 'Windows'],
      [/Linux/, 'Linux'],
    ] as const),
  ]);
  const parts = [browser, system].filter((one) => one !== undefined);
  return parts.length === 0 ? undefined : parts.join(' · ');
}

function passkeysOf(context: WebContext, speech: OwnSpeech, passkeys: readonly CredentialView[]): PageHtml {
  const { t, x } = speech;
  const list =
    passkeys.length === 0
      ? html`<p class="quiet">${x.settings.passkeysNone}</p>`
      : html`<ul class="plain rows">${passkeys.map(
          (
            one,
          ) => html`<li><div><strong>${deviceName(one.label) ?? one.label ?? x.settings.unknownDevice}</strong><p class="quiet">${dayOf(speech, one.created_at)}</p></div>
${buttonForm('/settings/passkeys/remove', x.settings.removePasskey, { id: one.id })}</li>`,
        )}</ul>`;
  if (!canHavePasskeys(context.get('site').config.publicUrl))
    return html`${list}<p class="quiet">${t.enter.needsHttps}</p>`;
  return html`${list}${addPasskeyForm(x.settings.addPasskey, '/settings?done=added')}`;
}

/** Shown by the script, which is needed for it. */
export function addPasskeyForm(text: string, next: string): PageHtml {
  return html`<form data-add-passkey data-next="${next}" hidden><button class="primary">${text}</button><p role="status" class="field-error"></p></form>`;
}

/** What a form of the settings was made from: what a second tab or the operator changed meanwhile is not lost. */
const asSeen = {
  hidden: async (context: WebContext) => {
    const { name } = ownSpeech(context);
    return { seen: tagOf(ownSettings.pick(await performFor(context, showClientSettings, { name }))) };
  },
  unchanged: (context: WebContext, { seen }: Partial<Typed>) => ({
    ...{ operation: ownSettings.operation, input: { name: ownSpeech(context).name } },
    isSame: (view: unknown) => seen === undefined || tagOf(ownSettings.pick(view)) === seen,
  }),
};

/** Mode and limits, with what they would have meant. */
const modeForm = changeForm({
  path: '/settings/mode',
  operation: setClientSettings,
  form: async (context, _speech) => {
    const speech = ownSpeech(context);
    const { x, name } = speech;
    const client = await performFor(context, showClient, { name });
    return {
      ...{ title: x.settings.modeChange, here: 'settings' },
      fields: [
        {
          ...{ name: 'mode', label: x.settings.mode, kind: 'choice', value: client.mode },
          choices: [
            { value: 'flow', text: x.settings.flow, help: x.settings.flowHelp },
            { value: 'fixed', text: x.settings.fixed, help: x.settings.fixedHelp },
          ],
        },
        ...limitFields(speech, client),
      ],
      hidden: await asSeen.hidden(context),
    };
  },
  input: (context, typed) => ({ name: ownSpeech(context).name, ...settingsIn(typed) }),
  agree: async (context, _speech, typed) => {
    const speech = ownSpeech(context);
    const { x, name } = speech;
    const client = await performFor(context, showClient, { name });
    const { mode, daily_limit: limits } = settingsIn(typed);
    const replays: ReplayView[] = [];
    for (const currency of currenciesOf(client)) {
      const limit = limits?.find((one) => one.endsWith(` ${currency}`));
      replays.push(
        await performFor(context, replayClient, {
          ...{ name, currency, mode: mode ?? client.mode },
          ...(limit !== undefined && !limit.startsWith('none ') && { daily_limit: limit }),
        }),
      );
    }
    return {
      content: html`${chosenSettings(speech, client, typed)}${replays.map((one) => preview(speech, one))}<p>${x.settings.from} ${x.settings.undo}</p>`,
    };
  },
  unchanged: asSeen.unchanged,
  done: () => '/settings?done=changed',
});

/** The currencies in which the client has a limit or cash. */
function currenciesOf({ daily_limits: limits, balances }: ClientView): string[] {
  return [...new Set([...Object.keys(limits), ...balances.map(({ currency }) => currency)])].toSorted();
}

function limitFields({ x, f }: OwnSpeech, client: ClientView): Field[] {
  return currenciesOf(client).map((currency) => {
    const { [currency]: max } = client.max_daily_limits;
    return {
      ...{ name: `limit-${currency}`, label: x.settings.limit(currency), kind: 'amount', unit: currency },
      ...{ optional: true, value: client.daily_limits[currency], inputs: ['daily_limit'] },
      help: max === undefined ? x.settings.limitHelpFree : x.settings.limitHelp(f.money(max, currency)),
    } satisfies Field;
  });
}

/** A limit that is left empty stays as it is. */
function settingsIn(typed: Typed): { mode?: 'flow' | 'fixed'; daily_limit?: string[] } {
  const limits = Object.entries(typed).flatMap(([field, text]) => {
    const [, currency] = /^limit-(.+)$/.exec(field) ?? [];
    return currency === undefined || text.trim() === '' ? [] : [`${amountText(text)} ${currency}`];
  });
  return {
    ...((typed.mode === 'flow' || typed.mode === 'fixed') && { mode: typed.mode }),
    ...(limits.length > 0 && { daily_limit: limits }),
  };
}

function chosenSettings({ t, x, f }: OwnSpeech, client: ClientView, typed: Typed): PageHtml {
  const { mode = client.mode, daily_limit: limits = [] } = settingsIn(typed);
  const rows = [
    [x.settings.mode, t.modes[client.mode], t.modes[mode]] as const,
    ...limits.map((limit) => {
      const [amount = '', currency = ''] = limit.split(' ');
      const { [currency]: before } = client.daily_limits;
      const written = /^\d+(\.\d+)?$/.test(amount) ? f.money(amount, currency) : limit;
      return [
        x.settings.limit(currency),
        before === undefined ? t.none : f.money(before, currency),
        written,
      ] as const;
    }),
  ];
  return html`<dl class="facts card">${rows.map(
    ([what, before, after]) =>
      html`<div><dt>${what}</dt><dd>${before} → <strong>${after}</strong></dd></div>`,
  )}</dl>`;
}

function preview(speech: OwnSpeech, replay: ReplayView): PageHtml {
  const { x, t } = speech;
  const { currency, was, would } = replay;
  const title = `${x.settings.previewTitle} · ${currency}`;
  if (!replay.compared) return card(title, html`<p class="quiet">${x.settings.previewNone}</p>`);
  const rows: readonly (readonly [string, HtmlContent, HtmlContent])[] = [
    [x.purchases.cash, money(speech, was.fiat, currency), html`≈ ${money(speech, would.fiat, currency)}`],
    [t.sats, satsNumber(speech, was.net_sats), html`≈ ${satsNumber(speech, would.net_sats)}`],
    [x.home.purchases, `${was.purchases}`, `${would.purchases}`],
  ];
  return card(
    title,
    html`${htmlTable(
      speech,
      [
        { ...{ head: '', isHead: true }, cell: ([what]) => what },
        { ...{ head: x.settings.before, kind: 'num' }, cell: ([, before]) => before },
        {
          ...{ head: `${x.settings.after}, ${x.settings.wouldHave}`, kind: 'num' },
          cell: ([, , after]) => after,
        },
      ],
      rows,
      { caption: title, isCaptionHidden: true },
    )}<p class="quiet">${x.settings.previewNote}</p>`,
  );
}

/** The form to pause or to resume, which has nothing to fill in. */
function pauseChange(what: 'pause' | 'resume', operation: RoutedOperation, done: string): PageRoute[] {
  return changeForm({
    ...{ path: `/settings/${what}`, operation },
    form: async (context) => {
      const { settings } = ownSpeech(context).x;
      return {
        hidden: await asSeen.hidden(context),
        ...{ title: settings[what], here: 'settings', submit: settings[what] },
        ...{ lead: html`<p class="lead">${settings[`${what}Lead`]}</p>`, fields: [] },
      };
    },
    input: (context) => ({ name: ownSpeech(context).name }),
    unchanged: asSeen.unchanged,
    done: () => `/settings?done=${done}`,
  });
}

const endSessionForm: PageRoute = {
  method: 'POST',
  path: '/settings/sessions/end',
  show: async (context) => {
    const { id } = await context.req.parseBody();
    if (typeof id === 'string') await performFor(context, endOneSession, { id });
    else await performFor(context, endAllSessions, {});
    return context.redirect('/settings?done=ended', 303);
  },
};

const removePasskeyForm: PageRoute = {
  method: 'POST',
  path: '/settings/passkeys/remove',
  show: async (context) => {
    const { id } = await context.req.parseBody();
    await performFor(context, removeOneCredential, { id: typeof id === 'string' ? id : '' });
    return context.redirect('/settings?done=removed', 303);
  },
};

export const settingsPages: readonly PageRoute[] = [
  settingsPage,
  ...modeForm,
  ...pauseChange('pause', pauseOneClient, 'paused'),
  ...pauseChange('resume', resumeOneClient, 'resumed'),
  endSessionForm,
  removePasskeyForm,
];
