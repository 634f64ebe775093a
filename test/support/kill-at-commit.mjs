// For `node --import`: ends the process by SIGKILL (or sends it AT_COMMIT_SIGNAL) right before or after its nth commit
// to SQLite, as KILL_AT_COMMIT=before:3 says, and otherwise tells on stderr at the end how many there were. What is
// written outside of a transaction is a commit as well.
import { DatabaseSync } from 'node:sqlite';
import { commitsItself } from './commits.ts';

const [phase, nth] = (process.env.KILL_AT_COMMIT ?? '').split(':');
const { prepare } = DatabaseSync.prototype;
let commits = 0;

function killAt(moment) {
  if (moment === phase && commits === Number(nth))
    process.kill(process.pid, process.env.AT_COMMIT_SIGNAL ?? 'SIGKILL');
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
      const result = execute(...parameters);
      killAt('after');
      return result;
    };
  }
  return statement;
};

process.once('exit', () => process.stderr.write(`commits: ${commits}\n`));
