import { type Clock, plus, systemClock, toMs } from '../../../src/time.ts';
import type { Lamassu } from '../../support/lamassu.ts';
import { long, seed } from '../seed.ts';

/*
 * A world's rows lie around the moment at which it begins, so the seed alone does not repeat it: that moment is part of
 * it. All worlds of a test run begin at the same one, and the clocks are set back to it before each.
 */

/** Milliseconds since 1970: what AIO_DCA_PROOF_NOW says, else now. */
export const begin = Date.parse(process.env.AIO_DCA_PROOF_NOW ?? new Date().toISOString());

/** The variables that repeat these worlds. */
export const replay = [
  ...(long ? ['AIO_DCA_PROOF=long'] : []),
  `AIO_DCA_PROOF_SEED=${seed}`,
  `AIO_DCA_PROOF_NOW=${new Date(begin).toISOString()}`,
].join(' ');
process.stdout.write(`rows: ${replay} repeats them\n`);

/**
 * From here on it is `begin` for that Lamassu, and for whoever has the clock that is answered; time goes on from there.
 */
export async function setBack(lamassu: Lamassu): Promise<Clock> {
  const behind = Date.now() - begin;
  await lamassu.query(
    `create function public.now() returns timestamptz language sql stable
       as $$ select pg_catalog.now() - interval '${behind} ms' $$`,
  );
  const database = new URL(lamassu.url).pathname.slice(1);
  await lamassu.query(`alter database "${database}" set search_path = public, pg_catalog`);
  const now = () => plus(systemClock.now(), -behind);
  return { ...systemClock, now, host: () => ({ ...systemClock.host(), wall: toMs(now()) }) };
}
