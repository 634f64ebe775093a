import { type Connection, connect, type LamassuOptions } from './connect.ts';
import { within } from './deadline.ts';

/** How a source gets its session: `connect`, or the `connect` of a `Keeper`. */
export type Connect = (options: LamassuOptions) => Promise<Connection>;

/** Keeps a session open after its use. */
export interface Keeper {
  connect: Connect;
  /** Ends the session that is kept. Never throws. */
  close(): Promise<void>;
}

/**
 * Keeps the last session from one run of the daemon to the next: the handshakes of SSH and PostgreSQL take much longer
 * than the queries of a run without new rows. A session with any failure, or one that does not answer when it is
 * needed, is replaced. Each run reads the role's grants again.
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
      // An open transaction would block Lamassu's vacuum.
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
