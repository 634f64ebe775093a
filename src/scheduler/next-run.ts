import cron from 'node-cron';
import type { Config } from '../config/config.ts';
import { type Instant, toInstant } from '../time.ts';
import { cronLines } from './daemon.ts';

/** When the daemon begins its next run by the schedule, whether it goes on now or not; null: never. */
export async function nextRun(
  config: Pick<Config, 'schedule' | 'fixed' | 'timezone'>,
): Promise<Instant | null> {
  const times: number[] = [];
  for (const line of cronLines(config)) {
    const task = cron.createTask(line, () => {}, { timezone: config.timezone });
    // It knows its next time only while it goes on.
    await task.start();
    const next = task.getNextRun();
    if (next) times.push(next.getTime());
    await task.destroy();
  }
  return times.length === 0 ? null : toInstant(Math.min(...times));
}
