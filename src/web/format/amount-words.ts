import type { SiteLanguage } from './formats.ts';

/*
 * Amounts of cash in words, as on a cheque: `three thousand Guatemalan quetzals and 50/100`. Whoever typed a nought too
 * many reads it here.
 */

/** In words; an amount that is too large for them stays in figures. `decimal`: `3000.50`, not below zero. */
export function amountInWords(language: SiteLanguage, decimal: string, currency: string): string {
  const [whole = '', fraction = ''] = decimal.split('.');
  if (!/^\d{1,15}$/.test(whole)) return `${decimal} ${currency}`;
  const number = Number(whole);
  const isPart = /[1-9]/.test(fraction);
  const name = currencyName(language, isPart ? `${whole}.${fraction}` : whole, currency);
  const part = `${fraction}/1${'0'.repeat(fraction.length)}`;
  if (language === 'es') {
    // "Un millón de quetzales", but "un millón cien quetzales".
    const of = number >= 1_000_000 && number % 1_000_000 === 0 ? ' de' : '';
    return `${spanish(number)}${of} ${name}${isPart ? ` con ${part}` : ''}`;
  }
  return `${english(number)} ${name}${isPart ? ` and ${part}` : ''}`;
}

/** `quetzales`, `quetzal` for one. */
function currencyName(language: SiteLanguage, decimal: string, currency: string): string {
  const parts = new Intl.NumberFormat(language === 'es' ? 'es-GT' : 'en-US', {
    ...{ style: 'currency', currency, currencyDisplay: 'name' },
    maximumFractionDigits: decimal.split('.')[1]?.length ?? 0,
    minimumFractionDigits: 0,
  }).formatToParts(decimal as `${number}`);
  return parts.find(({ type }) => type === 'currency')?.value ?? currency;
}

const EN_SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const EN_TENS = '  twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const EN_LARGE = [
  [1_000_000_000_000, 'trillion'],
  [1_000_000_000, 'billion'],
  [1_000_000, 'million'],
  [1_000, 'thousand'],
  [100, 'hundred'],
] as const;

function english(number: number): string {
  for (const [size, word] of EN_LARGE) {
    if (number < size) continue;
    const rest = number % size;
    const head = `${english(Math.floor(number / size))} ${word}`;
    return rest === 0 ? head : `${head} ${english(rest)}`;
  }
  if (number < 20) return EN_SMALL[number] ?? '';
  const rest = number % 10;
  const ten = EN_TENS[Math.floor(number / 10)] ?? '';
  return rest === 0 ? ten : `${ten}-${EN_SMALL[rest]}`;
}

const ES_SMALL =
  'cero un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiún veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve'.split(
    ' ',
  );
const ES_TENS = '   treinta cuarenta cincuenta sesenta setenta ochenta noventa'.split(' ');
const ES_HUNDREDS =
  ' ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos'.split(
    ' ',
  );

/** As it stands before a masculine noun: `veintiún quetzales`. */
function spanish(number: number): string {
  if (number >= 1_000_000_000_000) return spanishMany(number, 1_000_000_000_000, 'billón', 'billones');
  if (number >= 1_000_000) return spanishMany(number, 1_000_000, 'millón', 'millones');
  if (number >= 1_000) {
    const thousands = Math.floor(number / 1_000);
    return withRest(thousands === 1 ? 'mil' : `${spanish(thousands)} mil`, number % 1_000);
  }
  if (number === 100) return 'cien';
  if (number > 100) return withRest(ES_HUNDREDS[Math.floor(number / 100)] ?? '', number % 100);
  if (number < 30) return ES_SMALL[number] ?? '';
  const rest = number % 10;
  const ten = ES_TENS[Math.floor(number / 10)] ?? '';
  return rest === 0 ? ten : `${ten} y ${ES_SMALL[rest]}`;
}

function spanishMany(number: number, size: number, one: string, many: string): string {
  const count = Math.floor(number / size);
  return withRest(count === 1 ? `un ${one}` : `${spanish(count)} ${many}`, number % size);
}

function withRest(head: string, rest: number): string {
  return rest === 0 ? head : `${head} ${spanish(rest)}`;
}
