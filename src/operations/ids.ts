import * as z from 'zod';
import { parseId } from '../typed/names.ts';

/*
 * Short ids in the input of operations. Any other text is refused with `usage/invalid` before anything else is done.
 */

/** `p118` */
export const payoutId = z.string().transform((text) => parseId('p', text, 'id'));

/** `c3` */
export const creditId = z.string().transform((text) => parseId('c', text, 'id'));

/** `r7` */
export const runId = z.string().transform((text) => parseId('r', text, 'id'));
