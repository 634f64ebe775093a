import { html } from 'hono/html';
import { toMs } from '../../../time.ts';
import type { CausesView, OwnSharesView } from '../../../views/own-share.ts';
import type { PaidView, RunView } from '../../../views/run.ts';
import type { WaitView } from '../../../views/waits.ts';
import { type Speech, textsIn } from '../../request/speech.ts';
import { type RunsTexts, runsEn } from '../../text/en/admin-runs.ts';
import { runsEs } from '../../text/es/admin-runs.ts';
import { textOf } from '../../text/texts.ts';
import { satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { badge, card, facts, notice, type Tone } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { machineLink, reviewLink, subjectLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { messageOf } from '../../view/messages.ts';

/* What a run did, or would do: on the page of a run and of a dry run, and in lists. */

export function runTexts(speech: Speech): RunsTexts {
  return textsIn(speech, { en: runsEn, es: runsEs });
}

const TONES: Readonly<Record<string, Tone>> = {
  ...{ ok: 'good', stopped: 'warn', incomplete: 'warn', attention: 'bad', refused: 'bad', failed: 'bad' },
  aborted: 'bad',
};

export function outcomeBadge(speech: Speech, outcome: string): PageHtml {
  return badge(textOf(runTexts(speech).outcomes, outcome), TONES[outcome] ?? 'quiet');
}

export function kindText(speech: Speech, kind: string): string {
  return textOf(runTexts(speech).kinds, kind);
}

/** What went wrong: in the reader's language by its code, and below it in the program's words with the way out. */
export function problemList(speech: Speech, problems: PaidView['problems']): PageHtml {
  const { t } = speech;
  return html`<ul class="plain stack">${problems.map(
    ({ code, message, hint }) =>
      html`<li>${notice(
        html`<p><strong>${textOf(t.errors, code)}</strong></p>${inProgramsWords(
          speech,
          html`${messageOf(speech, message)}${hint === null ? '' : html` ${messageOf(speech, hint)}`}`,
        )}<p class="quiet"><small>${code}</small></p>`,
        'bad',
      )}</li>`,
  )}</ul>`;
}

/** What only the program's own words say, which are English: elsewhere they are folded away. */
export function inProgramsWords({ t }: Speech, words: HtmlContent): PageHtml {
  if (t.lang === 'en') return html`<p>${words}</p>`;
  return html`<details><summary>${t.form.details}</summary><p lang="en">${words}</p></details>`;
}

/** Why a part became the operator's own share. */
export function ownShareWhy({ f, ...speech }: Speech, causes: CausesView): string {
  const { ownReasons } = runTexts({ f, ...speech });
  return causes.map(({ reason, clients }) => ownReasons[reason](f.list(clients))).join('; ');
}

export function ownSharesList(speech: Speech, shares: readonly OwnSharesView[]): PageHtml {
  const { ended } = runTexts(speech);
  const { f } = speech;
  return html`<ul class="plain">${shares.map(
    (one) =>
      html`<li>${machineLink(one.machine, one.machine_name)}: ${ended.in(
        f.money(one.fiat, one.currency),
        f.count(one.cash_outs),
        one.cash_outs === 1,
      )}, ${satsOf(speech, one.sats)}${one.reasons.length === 0 ? '' : `: ${ownShareWhy(speech, one.reasons)}`}</li>`,
  )}</ul>`;
}

/** What sats wait for, with the time and the payouts. */
export function waitText({ t, f }: Speech, { reason, until, payouts }: WaitView): PageHtml {
  const named = payouts.slice(0, 3).map((id) => html` ${subjectLink(id)}`);
  return html`${t.waits[reason]}${until === null ? '' : `, ${f.time(until)}`}${named}`;
}

export function waitsTable(speech: Speech, waits: readonly WaitView[], caption: string): HtmlContent {
  if (waits.length === 0) return '';
  return htmlTable(
    speech,
    [
      {
        ...{ head: runTexts(speech).dry.to, isHead: true },
        cell: ({ kind, recipient }) => subjectLink(`${kind} ${recipient}`),
      },
      { head: speech.t.sats, kind: 'num', cell: ({ sats }) => satsNumber(speech, sats) },
      { head: '', kind: 'words', cell: (one) => waitText(speech, one) },
    ],
    waits,
    { caption },
  );
}

/** The half of a run that reads and divides. */
export function readFacts(speech: Speech, view: RunView): HtmlContent {
  const { ended: texts } = runTexts(speech);
  const { t, f } = speech;
  const { source, distributed } = view;
  const notYet = Object.entries(source.not_yet);
  const cashOuts = BigInt(distributed.cash_outs);
  return html`${
    source.failed ? notice(html`<p>${cashOuts === 0n ? texts.unread : texts.unreadEnd}</p>`, 'bad') : ''
  }${facts([
    [texts.read, texts.rows(f.count(source.read))],
    [texts.fresh, f.count(cashOuts)],
    [texts.known, f.count(source.already_processed)],
    [texts.toReview, html`<a href="/review">${f.count(source.to_review)}</a>`],
    ...notYet.map(
      ([reason, count]) => [`${texts.notYet}: ${textOf(t.reviewReasons, reason)}`, f.count(count)] as const,
    ),
    [texts.gross, satsOf(speech, distributed.gross_sats)],
    [texts.clients, satsOf(speech, distributed.net_sats)],
    [texts.commission, satsOf(speech, distributed.commission_sats)],
    [texts.own, satsOf(speech, distributed.own_sats)],
  ])}${
    distributed.unshared_commission_sats === 0n
      ? ''
      : notice(texts.unshared(f.sats(distributed.unshared_commission_sats)))
  }`;
}

export function pauseNotice(speech: Speech, { pause }: PaidView): HtmlContent {
  if (pause === null) return '';
  const { ended: texts } = runTexts(speech);
  const { f, t } = speech;
  return notice(
    html`<p>${texts.paused(pause.by, f.time(pause.at))} ${pause.reason}</p><p>${texts.pausedWaits(
      f.sats(pause.waiting_sats),
    )} <a href="/resume">${t.stop.resume}</a></p>`,
    'warn',
  );
}

/** Rows that came into review. */
export function newsCard(speech: Speech, { news }: PaidView): HtmlContent {
  if (news.reviews === 0) return '';
  const { ended: texts } = runTexts(speech);
  const more = news.reviews - news.rows.length;
  return card(
    texts.news,
    html`<ul class="plain">${news.rows.map(
      ({ id, machine, machine_name: name, reason }) =>
        html`<li>${reviewLink(id)} ${machine === null ? '' : machineLink(machine, name)}: ${textOf(speech.t.reviewReasons, reason)}</li>`,
    )}</ul>${more > 0 ? html`<p><a href="/review">${texts.moreNews(speech.f.count(more))}</a></p>` : ''}`,
  );
}

/** The half of a run that pays. */
export function paidFacts(speech: Speech, { payouts }: PaidView): PageHtml {
  const { ended: texts } = runTexts(speech);
  const { t, f } = speech;
  const open = (['planned', 'deferred', 'unknown', 'held'] as const).filter((state) => payouts[state] > 0);
  return facts([
    [texts.paid, html`${satsOf(speech, payouts.sats_settled)} ${texts.paidIn(f.count(payouts.settled))}`],
    payouts.sats_credited > 0n && [texts.credited, satsOf(speech, payouts.sats_credited)],
    open.length > 0 && [
      texts.open,
      html`${open.map(
        (state) =>
          html` <a href="/payouts?state=${state}">${f.count(payouts[state])} ${t.payoutStates[state]}</a>`,
      )}`,
    ],
  ]);
}

export function headOf(speech: Speech, { run, started_at, finished_at, outcome }: PaidView): PageHtml {
  const { ended: texts } = runTexts(speech);
  const seconds = Math.max(0, Math.trunc((toMs(finished_at) - toMs(started_at)) / 1000));
  return html`<p>${outcomeBadge(speech, outcome)} ${
    run === null
      ? timeOf(speech, started_at)
      : texts.took(run, speech.f.time(started_at), speech.f.count(seconds))
  }</p>`;
}
