/** What must never be printed, with what it is. */
const known = new Map<string, string>();

/** From now on no command of this test file may print `secret`; of a text of several lines, none of the long ones. */
export function keepSecret(what: string, secret: string): void {
  for (const line of secret.split('\n'))
    if (line.length > 11 && !line.startsWith('-----')) known.set(line, what);
}

/** Throws where a command printed a secret, without printing it again. */
export function refuseSecrets(command: string, ...printed: string[]): void {
  for (const [secret, what] of known)
    if (printed.some((text) => text.includes(secret)))
      throw new Error(`${command} printed a secret: ${what}`);
}
