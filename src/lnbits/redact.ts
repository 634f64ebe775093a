const REDACTED = '[redacted]';
/** Shorter pieces of an encoded secret reveal little, and occur in other words by chance. */
const SHORTEST = 6;

/** The part of an address between `//` and `@`, encoded or not. */
const USER = /((?:\/|%(?:25){0,3}2f|\\{1,4}\/){2})(?:(?!%(?:25){0,3}2f)[^\s"'<>/?#])*(?:@|%(?:25){0,3}40)/gi;
/** Characters of Base64 that mix bits of the secret with its neighbours. */
const SHARED = '[\\w+/-]?';
const PADDING = '(?:=|%(?:25){0,3}3d){0,2}';

/**
 * A server's text without a secret that was sent to it, in whatever form the server repeats it: plain, in upper or
 * lower case, percent-encoded (once or twice), with the escapes of JSON, of programs or of HTML, in Base64 (also within
 * something longer, such as `user:password`), or in hex. Also removes the user and password of an address.
 */
export function redact(said: string, secret: string | null): string {
  const safe = secret ? said.replace(formsOf(secret), REDACTED) : said;
  return safe.replace(USER, `$1${REDACTED}@`);
}

function formsOf(secret: string): RegExp {
  const bytes = Buffer.from(secret);
  const long = ({ length }: string) => length >= SHORTEST;
  const base64 = inBase64(bytes)
    .filter(long)
    .map((own) => `${SHARED}${escapedOrNot(own)}${SHARED}${PADDING}`);
  return new RegExp(
    [...base64, ...[secret, ...[bytes.toString('hex')].filter(long)].map(escapedOrNot)].join('|'),
    'gi',
  );
}

/** The Base64 of `bytes` within something longer: it depends on where they begin. */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const own = whole
      .toString('base64')
      .slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6));
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

const HTML: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** A pattern of a text in which any character may be escaped. Their number is bounded, so the time is, too. */
function escapedOrNot(text: string): string {
  return [...text].map((char) => `(?:${formsOfCharacter(char).join('|')})`).join('');
}

function formsOfCharacter(char: string): string[] {
  const code = char.codePointAt(0) ?? 0;
  const percent = [...Buffer.from(char)].map((byte) => `%(?:25){0,3}${hex(byte, 2)}`).join('');
  const units = [...Array(char.length).keys()].map((i) => `\\\\{1,4}u${hex(char.charCodeAt(i), 4)}`).join('');
  const forms = [
    `\\\\{0,4}${escaped(char)}`,
    percent,
    units,
    `&#0{0,4}${code};`,
    `&#x0{0,4}${hex(code, 1)};`,
  ];
  if (code < 256) forms.push(`\\\\{1,4}x${hex(code, 2)}`);
  if (HTML[char]) forms.push(`&${HTML[char]};`);
  if (char === ' ') forms.push('\\+');
  return forms;
}

function escaped(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
