import type { Db } from '../store/open.ts';

/* Machines that replaced one another. */

/** A machine and those that it replaced: its fundings also serve their late cash-outs. */
export async function withPredecessors(db: Db, deviceId: string): Promise<string[]> {
  const replaced = await db
    .selectFrom('machines')
    .select(['device_id', 'replaced_by'])
    .where('replaced_by', 'is not', null)
    .execute();
  const line = [deviceId];
  for (const at of line) {
    const before = replaced.filter((one) => one.replaced_by === at && !line.includes(one.device_id));
    line.push(...before.map((one) => one.device_id));
  }
  return line;
}

/** A machine and its successors, whose fundings were its own before. */
export async function successors(db: Db, machine: string): Promise<string[]> {
  const line = [machine];
  for (let at: string | null = machine; at !== null; ) {
    const row: { replaced_by: string | null } | undefined = await db
      .selectFrom('machines')
      .select('replaced_by')
      .where('device_id', '=', at)
      .executeTakeFirst();
    at = row?.replaced_by ?? null;
    if (at !== null && line.includes(at)) break;
    if (at !== null) line.push(at);
  }
  return line;
}
