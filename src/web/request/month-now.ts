import { localMonth } from '../../typed/months.ts';
import type { WebContext } from './site-context.ts';

/** The local month in which the page is asked for. */
export function monthNow(context: WebContext): string {
  const { clock, config } = context.get('site').serving;
  return localMonth(clock.now(), config.timezone);
}
