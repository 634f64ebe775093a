import type { FundingView } from '../../../views/fundings.ts';
import { type Speech, textsIn } from '../../request/speech.ts';
import { fundingsEn } from '../../text/en/admin-fundings.ts';
import { fundingsEs } from '../../text/es/admin-fundings.ts';
import { dayOf, money } from '../../view/amounts.ts';
import { bar, fundingBadge } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { clientLink, fundingLink, machineLink } from '../../view/links.ts';
import { htmlTable, type TableColumn } from '../../view/lists.ts';

export const fundingTexts = { en: fundingsEn, es: fundingsEs };

/** Cash of clients as a list; `without`: a column that all rows have the same in. */
export function fundingTable(
  speech: Speech,
  rows: readonly FundingView[],
  {
    caption,
    empty,
    without = [],
  }: { caption: string; empty?: HtmlContent; without?: ('client' | 'machine' | 'state')[] },
): PageHtml {
  const texts = textsIn(speech, fundingTexts);
  const { heads } = texts;
  const all: (TableColumn<FundingView> & { of?: 'client' | 'machine' | 'state' })[] = [
    { head: heads.id, isHead: true, cell: ({ id }) => fundingLink(id) },
    { of: 'client', head: heads.client, cell: ({ client }) => clientLink(client) },
    { of: 'machine', head: heads.machine, kind: 'wide', cell: (row) => fundingMachine(speech, row) },
    { head: heads.amount, kind: 'num wide', cell: (row) => money(speech, row.amount, row.currency) },
    {
      head: heads.remaining,
      kind: 'num',
      cell: (row) => [money(speech, row.remaining, row.currency), remainsBar(speech, row)],
    },
    { of: 'state', head: heads.state, cell: ({ status }) => fundingBadge(speech, status) },
    {
      head: heads.since,
      kind: 'wide',
      cell: ({ deposited_at: at }) => (at === null ? '' : dayOf(speech, at)),
    },
  ];
  const columns = all.filter(({ of }) => of === undefined || !without.includes(of));
  return htmlTable(speech, columns, rows, { caption, ...(empty !== undefined && { empty }) });
}

export function fundingMachine({ t }: Speech, { machine, machine_name: name }: FundingView): HtmlContent {
  return machine === null ? t.anyMachine : machineLink(machine, name);
}

/** How much of it remains; hidden amounts have no bar either. */
export function remainsBar(speech: Speech, { remaining, amount, currency }: FundingView): HtmlContent {
  if (speech.hidden || !/[1-9]/.test(amount)) return '';
  const { f } = speech;
  const label = textsIn(speech, fundingTexts).left(f.money(remaining, currency), f.money(amount, currency));
  const minor = (decimal: string) => BigInt(decimal.replace('.', ''));
  const part = (minor(remaining) * 1_000n) / minor(amount);
  return bar(Number(part) / 1_000, label);
}
