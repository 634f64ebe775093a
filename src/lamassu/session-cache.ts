import { type Connection, connect, type LamassuOptions } from './connect.ts';
import { within } from './deadline.ts';

/** How a source comes by its session: `connect`, or that of a `Keeper`. */
export type Connect = (options: LamassuOptions) => Promise<Connection>;

/** Sessions that are not ended after their use. */
export interface Keeper {
  connect: Connect;
  /** Ends the one that is kept. Never throws. */
  close(): Promise<void>;
}

/**
 * Keeps the last session from one run to the next, for the daemon: the handshakes of SSH and PostgreSQL take many times
 * longer than everything that a run with nothing to do asks. One on which anything failed, or that does not answer when
 * it is needed again, is ended and replaced. What the role may read is asked anew by each run.
 */
export function keepConnection(): Keeper {
  let kept: Connection | undefined;
  return {
    connect: async (options) => {
      const former = kept;
      kept = undefined;
      const deadline = options.deadlines?.connect ?? 15_000;
      if (former && (await answers(former, 'select 1', deadline))) return lend(former, deadline);
      await former?.close();
      return lend(await connect(options), deadline);
    },
    close: async () => kept?.close(),
  };

  function lend(connection: Connection, deadline: number): Connection {
    let failed = false;
    let closing: Promise<void> | undefined;
    const giveBack = async () => {
      // An open transaction would keep Lamassu's PostgreSQL from cleaning up.
      const sound = !failed && (await answers(connection, 'rollback', deadline));
      if (sound && !kept) kept = connection;
      else await connection.close();
    };
    return {
      query: async (sql, values) => {
        try {
          return await connection.query(sql, values);
        } catch (error) {
          failed = true;
          throw error;
        }
      },
      close: () => {
        closing ??= giveBack();
        return closing;
      },
    };
  }
}

function answers(connection: Connection, sql: string, deadline: number): Promise<boolean> {
  const answer = within(deadline, connection.query(sql), () => new Error('no answer in time'));
  return answer.then(
    () => true,
    () => false,
  );
}
