import { formatDecimal } from '../../../dca/money.ts';
import { BridgeError } from '../../../errors.ts';
import { listMachines } from '../../../operations/machines.ts';
import { parseAmount, parseDifference } from '../../../typed/numbers.ts';
import type { MachineView } from '../../../views/machines.ts';
import { amountInWords } from '../../format/amount-words.ts';
import type { WebContext } from '../../request/site-context.ts';
import type { Speech } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { money } from '../../view/amounts.ts';
import type { FieldChoice, Typed } from '../../view/forms.ts';
import type { HtmlContent } from '../../view/html.ts';

/* Amounts of cash in forms: typed without their currency where it is known, and said in words before they count. */

/** What is typed, with the currency of the form unless it has one. */
export function withCurrency(words: Typed, name: string): string {
  const { [name]: typed = '', currency = '' } = words;
  const text = typed.trim();
  return text === '' || /\p{L}/u.test(text) ? text : `${text} ${currency}`.trim();
}

/** The currency of all machines; undefined if they have several, or none is set. */
export function onlyCurrency(machines: readonly MachineView[]): string | undefined {
  const [first, ...others] = new Set(machines.flatMap(({ currency }) => currency ?? []));
  return others.length === 0 ? first : undefined;
}

export function machinesOf(context: WebContext): Promise<MachineView[]> {
  return performFor(context, listMachines, {});
}

/** Machines to choose from, each with its currency where they differ. */
export function machineChoices(machines: readonly MachineView[]): FieldChoice[] {
  const isPlain = onlyCurrency(machines) !== undefined;
  return machines.map(({ machine, name, currency }) => ({
    value: machine,
    text: [name ?? machine, ...(isPlain || currency === null ? [] : [currency])].join(' · '),
  }));
}

export interface TypedAmount {
  decimal: string;
  currency: string;
  isBelowZero: boolean;
}

/** The amount as it was understood; null for what the operation refuses. */
export function readAmount(context: WebContext, text: string, isDifference = false): TypedAmount | null {
  const { currencies } = context.get('site').serving.config;
  try {
    const { minor, currency, digits } = (isDifference ? parseDifference : parseAmount)(
      text,
      'amount',
      currencies,
    );
    const size = minor < 0n ? -minor : minor;
    return { decimal: formatDecimal(size, digits), currency, isBelowZero: minor < 0n };
  } catch (error) {
    if (error instanceof BridgeError) return null;
    throw error;
  }
}

/** An amount in figures. */
export function figuresOf(speech: Speech, { decimal, currency, isBelowZero }: TypedAmount): HtmlContent {
  return [isBelowZero ? '− ' : '', money(speech, decimal, currency)];
}

/** An amount in words, which hides no nought too many. */
export function wordsOfAmount({ language }: Speech, { decimal, currency, isBelowZero }: TypedAmount): string {
  const words = amountInWords(language, decimal, currency);
  return isBelowZero ? `${language === 'es' ? 'menos' : 'minus'} ${words}` : words;
}
