import type { Instant } from '../time.ts';
import type { Trx } from './open.ts';

/** Notes a machine at its first sight; its Lamassu name follows when it is known. */
export async function seeMachine(
  trx: Trx,
  deviceId: string,
  source: string,
  at: Instant,
  name: string | null = null,
): Promise<void> {
  await trx
    .insertInto('machines')
    .values({ device_id: deviceId, source, name, first_seen: at })
    .onConflict((conflict) =>
      name === null ? conflict.doNothing() : conflict.column('device_id').doUpdateSet({ name, source }),
    )
    .execute();
}
