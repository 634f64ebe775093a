import * as z from 'zod';

/** The psql script that makes the read-only role in Lamassu's database. */
export const roleSqlView = z.object({ sql: z.string() });
