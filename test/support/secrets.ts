import { appendFileSync } from 'node:fs';

/** The secrets that must never be printed, with their names. */
const known = new Map<string, string>();
/** Where a run of all suites gathers them, to look for them in everything that the suites themselves printed. */
const gathered = process.env.AIO_DCA_TEST_SECRETS;

/** From now on no command of this test file may print `secret`; of a text of several lines, none of the long ones. */
export function keepSecret(what: string, secret: string): void {
  for (const line of secret.split('\n')) {
    if (line.length < 12 || line.startsWith('-----')) continue;
    known.set(line, what);
    if (gathered) appendFileSync(gathered, `${line}\n`, { mode: 0o600 });
  }
}

/** Whether one is in `text`. */
export function isSecret(text: string): boolean {
  return find(text) !== undefined;
}

/** Throws if a command printed a secret, without printing it again. */
export function refuseSecrets(command: string, ...printed: string[]): void {
  const what = find(...printed);
  if (what !== undefined) throw new Error(`${hide(command)} printed a secret: ${what}`);
}

function find(...texts: string[]): string | undefined {
  for (const [secret, what] of known) if (texts.some((text) => text.includes(secret))) return what;
  return undefined;
}

function hide(text: string): string {
  return [...known].reduce((hidden, [secret, what]) => hidden.replaceAll(secret, `(${what})`), text);
}
