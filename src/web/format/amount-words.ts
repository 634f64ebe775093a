import type { SiteLanguage } from './formats.ts';

/*
 * Amounts of cash in words, as on a cheque: `three thousand Guatemalan quetzals and 50/100`. Whoever typed a nought too
 * many reads it here.
 */

/** In words; an amount that is too large for them stays in figures. `decimal`: `3000.50`, not below zero. */
export function amountInWords(language: SiteLanguage, decimal: string, currency: string): string {
  const [whole = '', fraction = ''] = decimal.split('.');
  if (!/^\d{1,15}$/.test(whole)) return `${decimal} ${currency}`;
  const number = BigInt(whole);
  const isPart = /[1-9]/.test(fraction);
  const name = currencyName(language, isPart ? `${whole}.${fraction}` : whole, currency);
  const part = `${fraction}/1${'0'.repeat(fraction.length)}`;
  if (language === 'es') {
    // "Un millón de quetzales", but "un millón cien quetzales".
    const of = number >= 1_000_000n && number % 1_000_000n === 0n ? ' de' : '';
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
  [1_000_000_000_000n, 'trillion'],
  [1_000_000_000n, 'billion'],
  [1_000_000n, 'million'],
  [1_000n, 'thousand'],
  [100n, 'hundred'],
] as const;

function english(number: bigint): string {
  for (const [size, word] of EN_LARGE) {
    if (number < size) continue;
    const rest = number % size;
    const head = `${english(number / size)} ${word}`;
    return rest === 0n ? head : `${head} ${english(rest)}`;
  }
  if (number < 20n) return EN_SMALL[index(number)] ?? '';
  const rest = number % 10n;
  const ten = EN_TENS[index(number / 10n)] ?? '';
  return rest === 0n ? ten : `${ten}-${EN_SMALL[index(rest)]}`;
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
function spanish(number: bigint): string {
  if (number >= 1_000_000_000_000n) return spanishMany(number, 1_000_000_000_000n, 'billón', 'billones');
  if (number >= 1_000_000n) return spanishMany(number, 1_000_000n, 'millón', 'millones');
  if (number >= 1_000n) {
    const thousands = number / 1_000n;
    return withRest(thousands === 1n ? 'mil' : `${spanish(thousands)} mil`, number % 1_000n);
  }
  if (number === 100n) return 'cien';
  if (number > 100n) return withRest(ES_HUNDREDS[index(number / 100n)] ?? '', number % 100n);
  if (number < 30n) return ES_SMALL[index(number)] ?? '';
  const rest = number % 10n;
  const ten = ES_TENS[index(number / 10n)] ?? '';
  return rest === 0n ? ten : `${ten} y ${ES_SMALL[index(rest)]}`;
}

function spanishMany(number: bigint, size: bigint, one: string, many: string): string {
  const count = number / size;
  return withRest(count === 1n ? `un ${one}` : `${spanish(count)} ${many}`, number % size);
}

function withRest(head: string, rest: bigint): string {
  return rest === 0n ? head : `${head} ${spanish(rest)}`;
}

/** Where a word stands in its list. */
function index(count: bigint): number {
  return Number(count);
}
