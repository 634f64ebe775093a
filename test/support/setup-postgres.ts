import { SERVER_VARIABLE, startPostgres } from './postgres.ts';

/**
 * Before all tests with a database: one PostgreSQL, of which test files take a database each with `freshDatabase()`.
 * Projects that run together share it.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[SERVER_VARIABLE]) return undefined;
  const postgres = await startPostgres();
  process.env[SERVER_VARIABLE] = postgres.url;
  return () => postgres.stop();
}
