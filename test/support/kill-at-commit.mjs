// For `node --import`: ends the process by SIGKILL (or sends it AT_COMMIT_SIGNAL) right before or after its nth commit
// to SQLite, as KILL_AT_COMMIT=before:3 says, and otherwise tells on stderr at the end how many there were.
import { DatabaseSync } from 'node:sqlite';

const [phase, nth] = (process.env.KILL_AT_COMMIT ?? '').split(':');
const { prepare } = DatabaseSync.prototype;
let commits = 0;

function killAt(moment) {
  if (moment === phase && commits === Number(nth))
    process.kill(process.pid, process.env.AT_COMMIT_SIGNAL ?? 'SIGKILL');
}

DatabaseSync.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  if (sql !== 'commit') return statement;
  const run = statement.run.bind(statement);
  statement.run = (...parameters) => {
    commits += 1;
    killAt('before');
    const result = run(...parameters);
    killAt('after');
    return result;
  };
  return statement;
};

process.once('exit', () => process.stderr.write(`commits: ${commits}\n`));
