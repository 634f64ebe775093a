import { formatDecimal } from '../dca/money.ts';
import { type Instant, toMs } from '../time.ts';
import type { ClientStatement } from './client-statement.ts';

export const languages = ['en', 'es'] as const;
export type Language = (typeof languages)[number];

/** Every text of a statement. A language without one of them does not compile. */
interface Words {
  /** For Intl: how money and dates are written. */
  locale: string;
  title(client: string, month: string): string;
  until(time: string): string;
  payday(sats: string, time: string): string;
  timesOf(zone: string): string;
  nothing(client: string): string;
  cash: string;
  opening: string;
  added: string;
  withdrawn: string;
  adjusted: string;
  spent: string;
  spentHead: string;
  closing: string;
  inFlight: string;
  anyMachine: string;
  purchases: string;
  noPurchases: string;
  time: string;
  day: string;
  machine: string;
  gross: string;
  commission: string;
  net: string;
  price: string;
  paid: string;
  waits: string;
  later: string;
  total: string;
  average(price: string): string;
  sats: string;
  satsOpening: string;
  satsBought: string;
  satsPaid: string;
  satsClosing: string;
  movements: string;
  payments: string;
  funding: string;
  amount: string;
  payout: string;
  explained: string;
  explainedLater: string;
  /** The names of the columns and of the kinds of rows of a CSV file. */
  csv: {
    columns: Record<CsvColumn, string>;
    kinds: Record<CsvKind, string>;
  };
}

export const csvColumns = [
  'kind',
  'at',
  'at_local',
  'currency',
  'cash_in',
  'cash_out',
  'cash',
  'gross_sats',
  'commission_sats',
  'net_sats',
  'price',
  'paid_sats',
  'waiting_sats',
  'machine',
  'reference',
] as const;
export type CsvColumn = (typeof csvColumns)[number];
export type CsvKind = 'opening' | 'added' | 'withdrawn' | 'adjusted' | 'purchase' | 'payment' | 'closing';

export const words: Record<Language, Words> = {
  en: {
    locale: 'en-US',
    title: (client, month) => `Statement of ${client}, ${month}`,
    until: (time) => `The month goes on: this is as of ${time}.`,
    payday: (sats, time) => `${sats} sat are paid at ${time}.`,
    timesOf: (zone) => `Times are those of ${zone}.`,
    nothing: (client) => `${client} had no cash and no satoshi here, neither in this month nor before.`,
    cash: 'Cash in machines',
    opening: 'At the start of the month',
    added: 'Put in',
    withdrawn: 'Taken out again',
    adjusted: 'Corrected',
    spent: 'Spent on bitcoin',
    spentHead: 'Cash',
    closing: 'At the end',
    inFlight: 'On its way to a machine, not counted above',
    anyMachine: 'any machine',
    purchases: 'Purchases',
    noPurchases: 'No purchases in this month.',
    time: 'Time',
    day: 'Day',
    machine: 'Machine',
    gross: 'Gross',
    commission: 'Commission',
    net: 'Net',
    price: 'Price',
    paid: 'Paid',
    waits: 'waits',
    later: 'later',
    total: 'Total',
    average: (price) => `Average price of one BTC: ${price}`,
    sats: 'Bitcoin',
    satsOpening: 'Waiting at the start of the month',
    satsBought: 'Bought',
    satsPaid: 'Paid into your wallet',
    satsClosing: 'Waiting at the end',
    movements: 'Cash put in and taken out',
    payments: 'Paid into your wallet',
    funding: 'Funding',
    amount: 'Amount',
    payout: 'Payout',
    explained:
      'Net is gross less commission, in satoshi (sat); the price is what one BTC of the net cost in cash.',
    explainedLater: 'Later: it was paid after the end of this month.',
    csv: {
      columns: {
        kind: 'kind',
        at: 'at',
        at_local: 'at_local',
        currency: 'currency',
        cash_in: 'cash_in',
        cash_out: 'cash_out',
        cash: 'cash',
        gross_sats: 'gross_sats',
        commission_sats: 'commission_sats',
        net_sats: 'net_sats',
        price: 'price',
        paid_sats: 'paid_sats',
        waiting_sats: 'waiting_sats',
        machine: 'machine',
        reference: 'reference',
      },
      kinds: {
        opening: 'opening',
        added: 'put in',
        withdrawn: 'taken out',
        adjusted: 'corrected',
        purchase: 'purchase',
        payment: 'payment',
        closing: 'closing',
      },
    },
  },
  es: {
    locale: 'es-GT',
    title: (client, month) => `Estado de cuenta de ${client}, ${month}`,
    until: (time) => `El mes sigue en curso: datos al ${time}.`,
    payday: (sats, time) => `${sats} sat se pagan el ${time}.`,
    timesOf: (zone) => `Las horas son de ${zone}.`,
    nothing: (client) => `${client} no tuvo aquí efectivo ni satoshis, ni en este mes ni antes.`,
    cash: 'Efectivo en cajeros',
    opening: 'Al inicio del mes',
    added: 'Depositado',
    withdrawn: 'Retirado',
    adjusted: 'Corregido',
    spent: 'Gastado en bitcoin',
    spentHead: 'Efectivo',
    closing: 'Al final',
    inFlight: 'En camino a un cajero, no incluido arriba',
    anyMachine: 'cualquier cajero',
    purchases: 'Compras',
    noPurchases: 'Sin compras en este mes.',
    time: 'Hora',
    day: 'Día',
    machine: 'Cajero',
    gross: 'Bruto',
    commission: 'Comisión',
    net: 'Neto',
    price: 'Precio',
    paid: 'Pagado',
    waits: 'espera',
    later: 'después',
    total: 'Total',
    average: (price) => `Precio promedio de un BTC: ${price}`,
    sats: 'Bitcoin',
    satsOpening: 'Por pagar al inicio del mes',
    satsBought: 'Comprado',
    satsPaid: 'Pagado a su billetera',
    satsClosing: 'Por pagar al final',
    movements: 'Efectivo depositado y retirado',
    payments: 'Pagado a su billetera',
    funding: 'Depósito',
    amount: 'Monto',
    payout: 'Pago',
    explained:
      'El neto es el bruto menos la comisión, en satoshis (sat); el precio es lo que costó en efectivo un BTC del neto.',
    explainedLater: 'Después: se pagó después del final de este mes.',
    csv: {
      columns: {
        kind: 'tipo',
        at: 'hora_utc',
        at_local: 'hora_local',
        currency: 'moneda',
        cash_in: 'efectivo_entra',
        cash_out: 'efectivo_sale',
        cash: 'efectivo',
        gross_sats: 'bruto_sats',
        commission_sats: 'comision_sats',
        net_sats: 'neto_sats',
        price: 'precio',
        paid_sats: 'pagado_sats',
        waiting_sats: 'por_pagar_sats',
        machine: 'cajero',
        reference: 'referencia',
      },
      kinds: {
        opening: 'inicio',
        added: 'depositado',
        withdrawn: 'retirado',
        adjusted: 'corregido',
        purchase: 'compra',
        payment: 'pago',
        closing: 'final',
      },
    },
  },
};

/** How a language writes amounts and times; all amounts exactly, whatever their size. */
export interface Style {
  words: Words;
  /** Minor units: `1,394.67`. */
  fiat(minor: bigint, digits: number): string;
  sats(amount: bigint): string;
  /** `November 2026`, from `2026-11`. */
  month(month: string): string;
  /** `Nov 30, 2026, 09:43` */
  time(at: Instant): string;
  /** Within a month: `30 09:43`. */
  dayTime(at: Instant): string;
}

/** What is said below the title. */
export function introOf(
  {
    isRunning,
    until,
    payday,
    timezone,
  }: Pick<ClientStatement, 'isRunning' | 'until' | 'payday' | 'timezone'>,
  { words, time, sats }: Style,
): string[] {
  return [
    ...(isRunning ? [words.until(time(until))] : []),
    ...(payday ? [words.payday(sats(payday.sats), time(payday.at))] : []),
    words.timesOf(timezone),
  ];
}

export function styleOf(language: Language, timeZone: string): Style {
  const { [language]: chosen } = words;
  const { locale } = chosen;
  const number = (text: string, digits: number) =>
    new Intl.NumberFormat(locale, {
      ...{ minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: 'always' },
      // Intl takes decimal text exactly, of any length; its type knows only numbers.
    }).format(text as `${number}`);
  const clock = { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const full = new Intl.DateTimeFormat(locale, { ...clock, day: 'numeric', month: 'short', year: 'numeric' });
  const short = new Intl.DateTimeFormat(locale, { ...clock, day: '2-digit' });
  const months = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: 'long', year: 'numeric' });
  return {
    words: chosen,
    fiat: (minor, digits) => number(formatDecimal(minor, digits), digits),
    sats: (amount) => number(`${amount}`, 0),
    month: (month) => months.format(toMs(`${month}-01T00:00:00.000000Z`)),
    time: (at) => full.format(toMs(at)),
    dayTime: (at) => {
      const parts = new Map(short.formatToParts(toMs(at)).map(({ type, value }) => [type, value]));
      return `${parts.get('day')} ${parts.get('hour')}:${parts.get('minute')}`;
    },
  };
}
