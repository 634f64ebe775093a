import { SERVER_VARIABLE, startPostgres } from './postgres.ts';

/** One PostgreSQL for the whole test run; test files take a database each with `freshDatabase()`. */
export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await startPostgres();
  process.env[SERVER_VARIABLE] = postgres.url;
  return () => postgres.stop();
}
