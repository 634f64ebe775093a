import { styleText } from 'node:util';
import { widthOf, wrappedAround } from './wrap.ts';

/** The width that @clack/prompts takes for its bar at the left. */
const BAR = 3;

/** A notice or an error for @clack/prompts, which would break its lines within words. Commands stay whole. */
export function noticeText(text: string): string {
  return wrappedAround(text, widthOf(process.stderr) - BAR, '');
}

/** The same for a question that is answered with text: @clack/prompts draws its bar at the first line only. */
export function questionText(text: string): string {
  return noticeText(text).replaceAll('\n', `\n${styleText('cyan', '│', { stream: process.stderr })}  `);
}
