import { html } from 'hono/html';
import { BridgeError } from '../../errors.ts';
import type { Unchanged } from '../../operations/operation.ts';
import { assertProven } from '../../operations/rights.ts';
import { takesKey } from '../api/route.ts';
import { problemOf, retryAfter } from '../request/problem.ts';
import { assertMayHere } from '../request/rights.ts';
import type { WebContext } from '../request/site-context.ts';
import { type Speech, speechOf } from '../request/speech.ts';
import { beginTask, findTask, type Task, waitAWhile } from '../request/tasks.ts';
import { performAny, type RoutedOperation } from '../request/visitor.ts';
import { notice } from '../view/components.ts';
import { type Field, fieldsOf, form, newKey, type Typed } from '../view/forms.ts';
import type { HtmlContent, PageHtml } from '../view/html.ts';
import { type Here, layout } from '../view/layout.ts';
import { pathWith } from '../view/lists.ts';
import type { PageRoute } from './page-route.ts';

/*
 * What changes something goes in three steps, each a page that works without a script: the form, what it would do, and
 * once agreed to, the page that shows the result. What was typed is never lost: an error brings the form back with it.
 */

export interface FormView {
  title: string;
  /** Where the page belongs in the navigation. */
  here?: Here;
  /** Above the fields. */
  lead?: HtmlContent;
  fields: readonly Field[];
  /** Sent along with what is typed: what the form was made from. */
  hidden?: Typed;
  submit?: HtmlContent;
  danger?: boolean;
}

/** What would be done: from the preview of the operation, or from what was typed where it has none. */
export interface Agreement {
  content: HtmlContent;
  /** What has still to be chosen, for it follows from the preview. */
  fields?: readonly Field[];
  submit?: HtmlContent;
}

export interface ChangeForm {
  /** In hono's words: `/fundings/:id/withdraw`. */
  path: string;
  operation: RoutedOperation;
  form(context: WebContext, speech: Speech): FormView | Promise<FormView>;
  /** The input of the operation, from the path and what was typed. The reason is taken from a field `reason`. */
  input(context: WebContext, words: Typed): Record<string, unknown>;
  /**
   * Answers what would be done; its `digest`, if it has one, is given to the operation, which does exactly that.
   * `waits`: it may take a minute, so it goes on by itself, and a page with this text shows that.
   */
  preview?: { operation: RoutedOperation; waits?: (context: WebContext, speech: Speech) => HtmlContent };
  /** The second step; without it there is none. `view`: that of the preview. */
  agree?(context: WebContext, speech: Speech, words: Typed, view: unknown): Agreement | Promise<Agreement>;
  /** What the visitor saw of what is changed, if the operation refuses a change of something else. */
  unchanged?(context: WebContext, words: Typed): Unchanged;
  /** The path of the page that shows what was done; or the page itself, for what is said once. */
  done(view: unknown, words: Typed, context: WebContext): string | PageHtml;
}

/** Its pages, for the list of a site. */
export function changeForm(change: ChangeForm): PageRoute[] {
  return [
    { method: 'GET', path: change.path, show: (context) => firstForm(context, change) },
    { method: 'POST', path: change.path, show: (context) => sent(context, change) },
  ];
}

/** Names in a form that are none of its fields. */
const STEP = 'step';
const KEY = 'key';
const DIGEST = 'digest';

/** In the address of a preview that goes on: which one. */
const TASK = 'task';
/** The part of its page that is replaced by what would be done. */
const PREVIEW = 'preview';
/** How long a page waits for the end of a preview, in ms, before it says that it goes on. */
const PATIENCE_MS = 1_500;

async function firstForm(context: WebContext, change: ChangeForm): Promise<PageHtml | Response> {
  assertMayHere(context, change.operation);
  const { principal } = context.get('visitor');
  const { clock } = context.get('site').serving;
  const { [TASK]: task, ...words } = context.req.query();
  try {
    assertProven(principal, change.operation.name, change.input(context, words), clock);
  } catch (error) {
    return toProve(context, error, words);
  }
  const begun = task === undefined ? undefined : findTask(context, context.req.path, task);
  if (begun?.actor === context.get('visitor').actor) return begunPage(context, change, begun);
  return formPage(context, change, words);
}

/** The preview goes on; its end is what would be done, or the form with the error. */
async function begunPage(context: WebContext, change: ChangeForm, task: Task): Promise<PageHtml> {
  await waitAWhile(context, task, PATIENCE_MS);
  const { result, typed } = task;
  if (result === null) return waitPage(context, change);
  if ('error' in result) return refused(context, change, typed, result.error);
  return agreePage(context, change, typed, { view: result.view });
}

async function waitPage(context: WebContext, change: ChangeForm): Promise<PageHtml> {
  const speech = speechOf(context);
  const { pathname, search } = new URL(context.req.url);
  const { title, here } = await change.form(context, speech);
  const text = change.preview?.waits?.(context, speech) ?? '';
  return layout(context, {
    ...{ title, here, live: true },
    main: html`<div id="${PREVIEW}" data-live class="stack">${notice(html`<p>${text}</p>`, 'quiet', 'status')}<p><a class="button primary" href="${pathname + search}">${speech.t.form.lookAgain}</a></p></div>`,
  });
}

async function beginPreview(context: WebContext, change: ChangeForm, words: Typed): Promise<Response> {
  const { preview, path } = change;
  if (!preview) throw new Error(`${path} has no preview`);
  const input = change.input(context, words);
  const { reason } = words;
  const task = beginTask(
    context,
    context.req.path,
    () => performAny(context, preview.operation, input, { reason }),
    words,
  );
  return context.redirect(pathWith(context.req.path, { [TASK]: task.id }), 303);
}

async function sent(context: WebContext, change: ChangeForm): Promise<PageHtml | Response> {
  assertMayHere(context, change.operation);
  const { [STEP]: step = '', [KEY]: key, [DIGEST]: digest, ...words } = await wordsOf(context);
  try {
    if (step === 'back') return await formPage(context, change, words);
    const { operation } = change;
    const { principal } = context.get('visitor');
    // Before the preview: who agreed to it is not sent away.
    assertProven(principal, operation.name, change.input(context, words), context.get('site').serving.clock);
    if (step !== 'apply' && change.agree) {
      return await (change.preview?.waits ? beginPreview : agreePage)(context, change, words);
    }
    const input = { ...change.input(context, words), ...(digest !== undefined && { digest }) };
    const view = await performAny(context, operation, input, {
      ...{ reason: reasonOf(words) },
      ...{ key: takesKey(operation) ? (key ?? newKey()) : undefined },
      unchanged: change.unchanged?.(context, words),
    });
    const done = change.done(view, words, context);
    return isPath(done) ? context.redirect(done, 303) : done;
  } catch (error) {
    if (!(error instanceof BridgeError) || error.kind === 'defect') throw error;
    if (error.code === 'access/prove') return toProve(context, error, words);
    if (error.kind === 'changed' && change.agree) {
      if (change.preview?.waits) return beginPreview(context, change, words);
      return agreePage(context, change, words, { hasChanged: true }).catch((again: unknown) =>
        refused(context, change, words, again),
      );
    }
    return refused(context, change, words, error);
  }
}

/** What a template makes is an object, whatever its type says. */
function isPath(done: string | PageHtml): done is string {
  return typeof done === 'string';
}

function reasonOf({ reason }: Partial<Typed>): string | undefined {
  return reason?.trim() || undefined;
}

/** The form with what was typed, and the error. */
async function refused(
  context: WebContext,
  change: ChangeForm,
  words: Typed,
  error: unknown,
): Promise<PageHtml> {
  if (!(error instanceof BridgeError) || error.kind === 'defect') throw error;
  const wait = retryAfter(error);
  if (wait !== undefined) context.header('retry-after', `${wait}`);
  context.status(problemOf(error, () => undefined).status);
  return formPage(context, change, words, error);
}

async function formPage(
  context: WebContext,
  change: ChangeForm,
  words: Typed,
  error?: BridgeError,
): Promise<PageHtml> {
  const speech = speechOf(context);
  const { title, here, lead = '', fields, hidden, submit, danger } = await change.form(context, speech);
  const next = submit ?? (change.agree ? speech.t.form.continue : speech.t.form.save);
  return layout(context, {
    ...{ title, here },
    main: asPart(
      change,
      html`${lead}${form(speech, {
        ...{ action: context.req.path, fields, words, error, submit: next },
        ...{ danger: danger === true && !change.agree, hidden: { ...hidden, [KEY]: newKey() } },
      })}`,
    ),
  });
}

/** What takes the place of the page of a preview that goes on. */
function asPart({ preview }: ChangeForm, content: PageHtml): PageHtml {
  return preview?.waits ? html`<div id="${PREVIEW}" class="stack">${content}</div>` : content;
}

/** What would be done. What was typed goes along, so that one step back it is still there. */
async function agreePage(
  context: WebContext,
  change: ChangeForm,
  typed: Typed,
  { hasChanged = false, view: known }: { hasChanged?: boolean; view?: unknown } = {},
): Promise<PageHtml> {
  const { agree, preview } = change;
  if (!agree) throw new Error(`${change.path} asks nothing`);
  const speech = speechOf(context);
  const { t } = speech;
  const { title, here, danger = false, hidden: now } = await change.form(context, speech);
  // What changed meanwhile is shown now, so it is agreed to from here on.
  const words = hasChanged ? { ...typed, ...now } : typed;
  const view =
    known ??
    (preview &&
      (await performAny(context, preview.operation, change.input(context, words), {
        // A blank one, so that it is told before anybody agrees.
        reason: words.reason,
      })));
  const digest = digestOf(view);
  const { content, fields = [], submit = t.form.confirm } = await agree(context, speech, words, view);
  const chosen = fields.map(({ name }) => name);
  const kept = Object.entries(words).filter(([name]) => !chosen.includes(name));
  const hidden = { ...Object.fromEntries(kept), [KEY]: newKey(), ...digest };
  return layout(context, {
    ...{ title, here },
    main: asPart(
      change,
      html`${hasChanged ? notice(t.form.changedMeanwhile, 'warn', 'alert') : ''}
<h2>${t.form.confirmTitle}</h2>
${content}
<form method="post" action="${context.req.path}" class="form">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fieldsOf(speech, fields, words)}
<div class="actions">
<button name="${STEP}" value="apply" class="${danger ? 'danger' : 'primary'}">${submit}</button>
<button name="${STEP}" value="back" class="plain" formnovalidate>${t.form.back}</button>
</div>
</form>`,
    ),
  });
}

function digestOf(view: unknown): Typed {
  if (typeof view !== 'object' || view === null || !('digest' in view)) return {};
  return typeof view.digest === 'string' ? { [DIGEST]: view.digest } : {};
}

/** Proves who it is first, and comes back to the form with what was typed. */
function toProve(context: WebContext, error: unknown, words: Typed): Response {
  if (!(error instanceof BridgeError) || error.code !== 'access/prove') throw error;
  return context.redirect(pathWith('/prove', { next: pathWith(context.req.path, openWords(words)) }), 303);
}

/** Without keys of wallets: an address stays in the history of the browser. */
function openWords(words: Typed): Record<string, string> {
  return Object.fromEntries(Object.entries(words).filter(([name]) => !/key|secret|password/.test(name)));
}

/** The fields of a form; files are none. */
export async function wordsOf(context: WebContext): Promise<Record<string, string>> {
  const body = await context.req.parseBody();
  return Object.fromEntries(
    Object.entries(body).filter((one): one is [string, string] => typeof one[1] === 'string'),
  );
}

/** What was done, from `?done=` of the path to which a change led; nothing for a word without a text. */
export function doneNotice(context: WebContext, texts: Readonly<Record<string, string>>): PageHtml {
  const done = context.req.query('done') ?? '';
  const text = Object.hasOwn(texts, done) ? texts[done] : undefined;
  return text === undefined ? html`` : notice(text, 'good', 'status');
}
