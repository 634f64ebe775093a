// For `node --import`: the process's clock is wrong by CLOCK_SHIFT milliseconds, from its start, or with CLOCK_JUMPS
// from the moment at which it gets SIGUSR2. Clocks that only count, and timers by them, go on as on a real host.
// CLOCK_BOOT is another boot of the host: its id, while what counts since the boot begins anew.
//
// For the real program as a process of its own: nothing can be handed down to that. Tests in one process hand down a
// clock of test/support/clock.ts.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const RealDate = Date;
const wrong = Number(process.env.CLOCK_SHIFT);
let shift = process.env.CLOCK_JUMPS ? 0 : wrong;

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + shift);
    else super(...given);
  }

  static now() {
    return RealDate.now() + shift;
  }
};

// SQLite asks the host itself.
const { prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.prepare = function (sql) {
  if (!sql.includes("'now')")) return prepare.call(this, sql);
  this.function('shifted_now', () => new Date().toISOString().slice(0, 23));
  return prepare.call(this, sql.replace(/strftime\('[^']*', 'now'\)/, 'shifted_now()'));
};

process.on('SIGUSR2', () => {
  shift = wrong;
  process.stderr.write('the clock jumped\n');
});

const boot = process.env.CLOCK_BOOT;
if (boot) {
  const { readFileSync } = fs;
  fs.readFileSync = (path, ...options) =>
    path === '/proc/sys/kernel/random/boot_id' ? `${boot}\n` : readFileSync(path, ...options);
  syncBuiltinESMExports();
}
