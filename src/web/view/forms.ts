import { randomUUID } from 'node:crypto';
import { html } from 'hono/html';
import type { BridgeError } from '../../errors.ts';
import type { Speech } from '../request/speech.ts';
import type { HtmlContent, PageHtml } from './html.ts';
import { messageOf } from './messages.ts';

/* Forms: what was typed stays, and an error stands at its field. */

export type Typed = Readonly<Record<string, string>>;

export interface FieldChoice {
  value: string;
  text: HtmlContent;
  help?: HtmlContent;
}

export interface Field {
  /** Of the form; an error of an input of this name stands here. */
  name: string;
  label: HtmlContent;
  /** `amount`: a figure as people type it, never a number of the browser. By default a line of text. */
  kind?: 'text' | 'amount' | 'whole' | 'secret' | 'lines' | 'day' | 'choice' | 'select' | 'check';
  help?: HtmlContent;
  /** What stands there at first. */
  value?: string | undefined;
  /** Of `choice` and `select`. */
  choices?: readonly FieldChoice[];
  /** May be empty. */
  optional?: true;
  /** Other inputs whose errors belong here. */
  inputs?: readonly string[];
  /** What stands behind it: a currency. */
  unit?: string;
  autocomplete?: string;
}

export interface FormParts {
  action: string;
  fields: readonly Field[];
  /** What was typed; a field that is not among it has its first value. */
  words?: Typed;
  error?: BridgeError | undefined;
  submit: HtmlContent;
  danger?: boolean;
  /** Sent along as it is. */
  hidden?: Typed;
  /** Beside the button. */
  beside?: HtmlContent;
}

/** A form that is sent by POST. */
export function form(speech: Speech, { action, fields, words = {}, error, ...options }: FormParts): PageHtml {
  const { submit, danger = false, hidden = {}, beside = '' } = options;
  const wrong = error && fieldOfError(fields, error);
  const head = error === undefined ? '' : errorHead(speech, error, wrong);
  return html`${head}<form method="post" action="${action}" class="form">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields.map((field) => fieldOf(speech, field, words, field === wrong ? error : undefined))}
<div class="actions"><button class="${danger ? 'danger' : 'primary'}">${submit}</button>${beside}</div>
</form>`;
}

/** Fields by themselves, within a form of another kind. */
export function fieldsOf(speech: Speech, fields: readonly Field[], words: Typed = {}): PageHtml {
  return html`${fields.map((field) => fieldOf(speech, field, words, undefined))}`;
}

/** A form that only asks: what was typed stands in the address, so it can be kept and sent on. */
export function getForm(
  speech: Speech,
  {
    action,
    fields,
    words = {},
    error,
    submit,
  }: Pick<FormParts, 'action' | 'fields' | 'words' | 'error' | 'submit'>,
): PageHtml {
  const wrong = error && fieldOfError(fields, error);
  return html`<form method="get" action="${action}" class="form">
${fields.map((field) => fieldOf(speech, field, words, field === wrong ? error : undefined))}
<div class="actions"><button class="primary">${submit}</button></div>
</form>`;
}

/** A single button that does one thing. */
export function buttonForm(action: string, text: HtmlContent, hidden: Typed = {}, kind = 'plain'): PageHtml {
  return html`<form method="post" action="${action}" class="inline">${Object.entries(hidden).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="${kind}">${text}</button></form>`;
}

/** An amount as people type it, `3,000.50`, without the commas: only where they stand as they do in thousands. */
export function amountText(text: string): string {
  const typed = text.trim();
  return /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(typed) ? typed.replaceAll(',', '') : typed;
}

/** What makes a form count once, however often it is sent: the idempotency key of what it does. */
export function newKey(): string {
  return randomUUID();
}

function fieldOfError(fields: readonly Field[], { field }: BridgeError): Field | undefined {
  const name = field?.split('.')[0];
  return fields.find((one) => one.name === name || (name !== undefined && one.inputs?.includes(name)));
}

/** On top: that something is wrong, and where. */
function errorHead(speech: Speech, error: BridgeError, wrong: Field | undefined): PageHtml {
  const { t } = speech;
  const at =
    wrong === undefined
      ? html`<p>${t.errors[error.code]}</p>${sentenceOf(speech, error)}`
      : html`<p><a href="#field-${wrong.name}">${wrong.label}</a></p>`;
  return html`<div class="notice bad" role="alert" tabindex="-1" id="errors"><p><strong>${t.form.wrong(1)}</strong> ${t.form.kept}</p>${at}</div>`;
}

/**
 * What happened in the words of the program, which are English: so they stand below what the page says. On the admin
 * site what they name is a link.
 */
export function sentenceOf(speech: Speech, { text, hint }: BridgeError): PageHtml {
  const { t, isAdmin } = speech;
  const said = (one: BridgeError['text']) => (isAdmin ? messageOf(speech, one) : `${one}`);
  const words = html`${said(text)}${hint === undefined ? '' : html` ${said(hint)}`}`;
  if (t.lang === 'en') return html`<p>${words}</p>`;
  return html`<details><summary>${t.form.details}</summary><p lang="en">${words}</p></details>`;
}

function fieldOf(speech: Speech, field: Field, words: Typed, error: BridgeError | undefined): PageHtml {
  const { t } = speech;
  const { name, label, kind = 'text', help, optional } = field;
  const id = `field-${name}`;
  const described = [help !== undefined && `${id}-help`, error !== undefined && `${id}-error`].filter(
    Boolean,
  );
  const by = described.length === 0 ? '' : html` aria-describedby="${described.join(' ')}"`;
  const wrong = error === undefined ? '' : html` aria-invalid="true"`;
  const below = html`${help === undefined ? '' : html`<p class="help" id="${id}-help">${help}</p>`}${
    error === undefined
      ? ''
      : html`<div class="field-error" id="${id}-error"><p>${t.errors[error.code]}</p>${sentenceOf(speech, error)}</div>`
  }`;
  const value = words[name] ?? field.value ?? '';
  const title = html`${label}${optional ? html` <span class="optional">(${t.form.optional})</span>` : ''}`;
  if (kind === 'check') {
    const checked = value === 'on' ? html` checked` : '';
    return html`<div class="field check"><label><input type="checkbox" id="${id}" name="${name}" value="on"${checked}${by}${wrong}> <span>${title}</span></label>${below}</div>`;
  }
  if (kind === 'choice') {
    return html`<fieldset class="field" id="${id}"${by}${wrong}><legend>${title}</legend>${(
      field.choices ?? []
    ).map(
      (one) =>
        html`<label class="choice"><input type="radio" name="${name}" value="${one.value}"${
          one.value === value ? html` checked` : ''
        }> <span><strong>${one.text}</strong>${one.help ? html`<span class="help">${one.help}</span>` : ''}</span></label>`,
    )}${below}</fieldset>`;
  }
  return html`<div class="field"><label for="${id}">${title}</label>${controlOf(field, value, id, by, wrong)}${below}</div>`;
}

function controlOf(field: Field, value: string, id: string, by: HtmlContent, wrong: HtmlContent): PageHtml {
  const { name, kind = 'text', optional, choices = [], autocomplete, unit } = field;
  const needed = optional ? '' : html` required`;
  if (kind === 'lines') {
    return html`<textarea id="${id}" name="${name}" rows="3"${needed}${by}${wrong}>${value}</textarea>`;
  }
  if (kind === 'select') {
    return html`<select id="${id}" name="${name}"${needed}${by}${wrong}>${choices.map(
      (one) =>
        html`<option value="${one.value}"${one.value === value ? html` selected` : ''}>${one.text}</option>`,
    )}</select>`;
  }
  const type = kind === 'secret' ? 'password' : kind === 'day' ? 'date' : 'text';
  const mode =
    kind === 'amount' ? html` inputmode="decimal"` : kind === 'whole' ? html` inputmode="numeric"` : '';
  const fill = html` autocomplete="${autocomplete ?? 'off'}"`;
  // What was secret is typed once more.
  const kept = kind === 'secret' ? '' : value;
  const input = html`<input type="${type}" id="${id}" name="${name}" value="${kept}"${mode}${fill}${needed}${by}${wrong}>`;
  return unit === undefined ? input : html`<div class="with-unit">${input}<span>${unit}</span></div>`;
}
