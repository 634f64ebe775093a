// For `node --import`: ends the process by SIGKILL right before its nth link, rename or removal of a file, or write of
// a whole one, as KILL_AT_FILE=3 says.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

let seen = 0;
for (const name of ['writeFileSync', 'linkSync', 'renameSync', 'rmSync']) {
  const original = fs[name];
  fs[name] = (...parameters) => {
    seen += 1;
    if (seen === Number(process.env.KILL_AT_FILE)) process.kill(process.pid, 'SIGKILL');
    return original(...parameters);
  };
}
syncBuiltinESMExports();
