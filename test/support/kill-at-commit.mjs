// For `node --import`: ends the process by SIGKILL (or sends it AT_COMMIT_SIGNAL) right before or after its nth commit
// to SQLite, or half-way through what it writes, as KILL_AT_COMMIT=before:3 says (`after`, `half`), and otherwise tells
// on stderr at the end how many there were. What is written outside of a transaction is a commit as well.
import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { commitsItself } from './commits.ts';

const [phase, nth] = (process.env.KILL_AT_COMMIT ?? '').split(':');
const { prepare } = DatabaseSync.prototype;
let commits = 0;

function isAt(moment) {
  return moment === phase && commits === Number(nth);
}

function killAt(moment) {
  if (isAt(moment)) process.kill(process.pid, process.env.AT_COMMIT_SIGNAL ?? 'SIGKILL');
}

/** SQLite's log as it is in the middle of a commit, which writes its pages one after the other. */
function halfWritten(was, is) {
  const differs = (byte, at) => byte !== was[at];
  const middle = (is.findIndex(differs) + is.findLastIndex(differs)) >> 1;
  return Buffer.concat([is.subarray(0, middle), was.subarray(middle)]);
}

DatabaseSync.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  if (sql !== 'commit' && !commitsItself(sql)) return statement;
  // `all` where it returns rows.
  for (const name of ['run', 'all']) {
    const execute = statement[name].bind(statement);
    statement[name] = (...parameters) => {
      if (sql !== 'commit' && this.isTransaction) return execute(...parameters);
      commits += 1;
      killAt('before');
      const log = `${this.location()}-wal`;
      const was = readFileSync(log);
      const result = execute(...parameters);
      if (isAt('half')) writeFileSync(log, halfWritten(was, readFileSync(log)));
      killAt('half');
      killAt('after');
      return result;
    };
  }
  return statement;
};

process.once('exit', () => process.stderr.write(`commits: ${commits}\n`));
