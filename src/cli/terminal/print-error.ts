import { styleText } from 'node:util';
import { BridgeError } from '../../errors.ts';
import { asWritten, clean } from './clean.ts';
import { withLocalTimes } from './figures.ts';
import { forPeople } from './journal.ts';
import { jsonDocument } from './json.ts';
import { errorInWords } from './words.ts';
import { widthOf, wrappedAround } from './wrap.ts';

/**
 * For the terminal: code, message and hint on stderr, with local times if the zone is known. With `json`:
 * `{ "error": { code, message, hint } }` on stdout.
 * Anything but a BridgeError is a defect of this program: its stack trace goes to stderr as well.
 */
export function printError(error: unknown, json: boolean, timezone?: string): void {
  const known = error instanceof BridgeError ? error : defect(error);
  if (!(error instanceof BridgeError) && error instanceof Error && error.stack !== undefined)
    console.error(forPeople(2, error.stack, 3));
  const { code } = known;
  const { message: told, hint: way } = errorInWords(known);
  const cleaned = told.split('\n').map(clean).join('\n  ');
  if (json) {
    console.log(jsonDocument({ error: { code, message: cleaned, hint: way } }));
    return;
  }
  const local = (text: string) => (timezone === undefined ? text : withLocalTimes(text, timezone));
  const message = local(cleaned);
  const hint = way === null ? undefined : local(asWritten(way)).replaceAll('\n', '\n  ');
  const label = styleText('red', code, { stream: process.stderr });
  // A log keeps a message on one line; the hint may hold a command, to be copied whole.
  const text = `${label}: ${message}${hint === undefined ? '' : `\n  ${hint}`}`;
  const fits = process.stderr.isTTY ? wrappedAround(text, widthOf(process.stderr), '  ') : text;
  console.error(forPeople(2, fits));
}

function defect(error: unknown): BridgeError {
  const message = error instanceof Error ? error.message : String(error);
  return new BridgeError('internal/defect', message, 'This is a defect of the program. Please report it.');
}
