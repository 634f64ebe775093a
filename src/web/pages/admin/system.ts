import { html } from 'hono/html';
import pkg from '../../../../package.json' with { type: 'json' };
import { BridgeError } from '../../../errors.ts';
import { showConfig } from '../../../operations/config.ts';
import { examine } from '../../../operations/doctor.ts';
import { listPeople } from '../../../operations/people.ts';
import { listTokens } from '../../../operations/tokens.ts';
import type { ConfigView } from '../../../views/config.ts';
import type { CheckView } from '../../../views/doctor.ts';
import { missingKeys } from '../../request/missing-keys.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { systemEn } from '../../text/en/admin-system.ts';
import { systemEs } from '../../text/es/admin-system.ts';
import { badge, card, facts, linkButton, notice, type Tone } from '../../view/components.ts';
import { buttonForm } from '../../view/forms.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable } from '../../view/lists.ts';
import { messageOf } from '../../view/messages.ts';
import type { PageRoute } from '../page-route.ts';
import { peopleTexts } from './people.ts';

/* What this program runs with, and whether everything that a run needs works. */

const systemTexts = { en: systemEn, es: systemEs };

const textsOf = (speech: Speech) => textsIn(speech, systemTexts);

const systemPage: PageRoute = {
  method: 'GET',
  path: '/system',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const { file } = context.get('site').serving.config;
    const may = mayHere(context, showConfig);
    const config = may ? await performFor(context, showConfig, { config: file }) : null;
    return layout(context, {
      ...{ title: speech.t.nav.system, here: 'system', actions: accessLinks(context, speech) },
      main: html`${facts([
        [texts.version, pkg.version],
        config !== null && [texts.config, html`<code>${config.file}</code>`],
        config !== null && [texts.user, config.user],
      ])}
${lacks(context, speech)}
${
  mayHere(context, examine)
    ? card(
        texts.checkTitle,
        html`<p>${texts.checkLead} ${texts.checking}</p>${buttonForm('/doctor', texts.check, {}, 'primary')}`,
      )
    : notice(texts.noCheck)
}
${card(texts.backup.title, html`<p>${texts.backup.lead}</p><p class="quiet">${texts.backup.after}</p>`)}
${config === null ? '' : settingsOf(speech, config)}`,
    });
  },
};

/** Who may come in, and what else belongs to the system. */
function accessLinks(context: WebContext, speech: Speech): PageHtml {
  const { title, tokens } = peopleTexts(speech);
  return html`${mayHere(context, listPeople) ? linkButton('/people', title) : ''}${
    mayHere(context, listTokens) ? linkButton('/tokens', tokens.title) : ''
  }${linkButton('/clocks', textsOf(speech).clocks)}`;
}

/** What this process cannot do for want of a key. */
function lacks(context: WebContext, speech: Speech): PageHtml {
  const { sourceWallet, lamassu } = missingKeys(context.get('site').serving.config);
  const missing = [sourceWallet, lamassu].filter((why) => why !== null);
  if (missing.length === 0) return html``;
  return notice(
    html`<p>${textsOf(speech).lacks}</p>${missing.map((why) => html`<p lang="en"><small>${why}</small></p>`)}`,
  );
}

function settingsOf(speech: Speech, config: ConfigView): PageHtml {
  const texts = textsOf(speech);
  const { settings } = texts;
  const { problem, ignored_variables: ignored } = config;
  return html`${problem === null ? '' : notice(html`<p>${settings.problem}</p><p lang="en">${messageOf(speech, problem.message)}</p>`, 'bad')}
${
  ignored.length === 0
    ? ''
    : notice(html`<p>${settings.ignored} ${ignored.map((name) => html`<code>${name}</code> `)}</p>`, 'warn')
}
<h2>${settings.title}</h2><p>${settings.lead}</p>
${htmlTable(
  speech,
  [
    { head: settings.key, isHead: true, cell: ({ key }) => html`<code>${key}</code>` },
    { head: settings.state, cell: ({ state }) => badge(texts.secretStates[state], secretTone(state)) },
    { head: settings.place, cell: ({ place }) => place !== null && html`<code>${place}</code>` },
  ],
  config.secrets,
  { caption: settings.secrets },
)}
${htmlTable(
  speech,
  [
    { head: settings.key, isHead: true, cell: ({ key }) => html`<code>${key}</code>` },
    { head: settings.value, cell: (one) => settingValue(speech, one) },
    {
      ...{ head: settings.origin, kind: 'wide' },
      cell: ({ origin, line }) => [
        texts.origins[origin],
        line !== null && html` <small class="quiet">${settings.line(line)}</small>`,
      ],
    },
  ],
  config.settings,
  { caption: settings.title, isCaptionHidden: true },
)}`;
}

function secretTone(state: ConfigView['secrets'][number]['state']): Tone {
  return state === 'set' ? 'good' : state === 'unset' ? 'quiet' : 'bad';
}

function settingValue(speech: Speech, { value, refused }: ConfigView['settings'][number]): HtmlContent {
  const texts = textsOf(speech).settings;
  if (refused) return html`<span class="quiet">${texts.refused}</span>`;
  if (value === null || (Array.isArray(value) && value.length === 0)) {
    return html`<span class="quiet">${texts.empty}</span>`;
  }
  if (typeof value === 'boolean') return value ? speech.t.yes : speech.t.no;
  return html`<code>${Array.isArray(value) ? value.join(', ') : `${value}`}</code>`;
}

const doctorForm: PageRoute = {
  method: 'GET',
  path: '/doctor',
  show: (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    return layout(context, {
      ...{ title: texts.checkTitle, here: 'system' },
      main: html`<p class="lead">${texts.checkLead} ${texts.checking}</p>${
        mayHere(context, examine) ? buttonForm('/doctor', texts.check, {}, 'primary') : notice(texts.noCheck)
      }`,
    });
  },
};

/** It records Lamassu's machines in the ledger, so a link does not begin it. */
const doctorPage: PageRoute = {
  method: 'POST',
  path: '/doctor',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const page = { title: texts.checkTitle, here: 'system' } as const;
    const examined = await performFor(context, examine, {}).catch((error: unknown) => {
      // Without the keys of a run, the checks of what a run needs are made on the host.
      if (error instanceof BridgeError && error.code === 'config/secret') return null;
      throw error;
    });
    if (examined === null) return layout(context, { ...page, main: lacks(context, speech) });
    const { ok, checks, failures } = examined;
    return layout(context, {
      ...page,
      actions: buttonForm('/doctor', texts.check),
      main: html`${notice(ok ? texts.allGood : texts.someBad(failures.length), ok ? 'good' : 'bad', 'status')}
${checksTable(speech, checks)}`,
    });
  },
};

const LEVEL_TONES: Record<CheckView['level'], Tone> = { ok: 'good', warn: 'warn', fail: 'bad' };

function checksTable(speech: Speech, checks: readonly CheckView[]): PageHtml {
  const texts = textsOf(speech);
  const heads = texts.checkHeads;
  return htmlTable(
    speech,
    [
      { head: heads.name, isHead: true, cell: ({ name }) => html`<span lang="en">${name}</span>` },
      { head: heads.level, cell: ({ level }) => badge(texts.levels[level], LEVEL_TONES[level]) },
      {
        head: heads.detail,
        cell: ({ detail, hint }) => [
          html`<span lang="en">${detail}</span>`,
          hint !== null && html`<br><strong lang="en">${messageOf(speech, hint)}</strong>`,
        ],
      },
    ],
    checks,
    { caption: texts.checkTitle, isCaptionHidden: true },
  );
}

export const systemPages: readonly PageRoute[] = [systemPage, doctorForm, doctorPage];
