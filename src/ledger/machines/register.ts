import { type Act, record } from '../log/log.ts';
import type { Trx } from '../store/open.ts';
import { byDeviceId, type Machine } from './machines.ts';

/** Registers a machine when first seen. */
export async function seeMachine(trx: Trx, act: Act, deviceId: string, source: string): Promise<void> {
  await registerOrUpdate(trx, act, await byDeviceId(trx, deviceId), { deviceId, name: null }, source);
}

/**
 * Registers all machines that Lamassu names; one query finds those that changed. The name follows Lamassu's, unless the
 * operator gave one. An unpaired machine is updated only if the ledger knows it.
 */
export async function seeMachines(
  trx: Trx,
  act: Act,
  machines: { deviceId: string; name: string | null; paired?: boolean }[],
  source: string,
): Promise<void> {
  const rows = await trx.selectFrom('machines').selectAll().execute();
  const known = new Map(rows.map((row) => [row.device_id, row]));
  for (const machine of machines.filter((one) => one.paired !== false))
    await registerOrUpdate(trx, act, known.get(machine.deviceId), machine, source);
  // A machine that was unpaired before the ledger knew it gets its last name with its first cash-out.
  for (const machine of machines.filter((one) => one.paired === false)) {
    const before = known.get(machine.deviceId);
    if (before?.name !== null || machine.name === null) continue;
    const taken = rows.some((row) => row.name === machine.name && row.replaced_by === null);
    const name = taken ? `${machine.name} (unpaired)` : machine.name;
    await registerOrUpdate(trx, act, before, { ...machine, name }, source);
  }
}

async function registerOrUpdate(
  trx: Trx,
  act: Act,
  before: Machine | undefined,
  { deviceId, name }: { deviceId: string; name: string | null },
  source: string,
): Promise<void> {
  const subject = `machine ${deviceId}`;
  if (!before) {
    await trx
      .insertInto('machines')
      .values({ device_id: deviceId, source, name, first_seen: act.at })
      .execute();
    await record(trx, act, { subject, action: 'machine found', after: { source, name } });
    return;
  }
  if (name === null) return;
  const renamed = before.name_given === 0n && before.name !== name;
  if (!renamed && before.source === source) return;
  await trx
    .updateTable('machines')
    .set({ source, ...(renamed ? { name } : {}) })
    .where('device_id', '=', deviceId)
    .execute();
  if (!renamed) return;
  const states = { before: { name: before.name }, after: { name } };
  await record(trx, act, { subject, action: 'machine renamed', ...states });
}
