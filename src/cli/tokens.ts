import type { Command } from 'commander';
import { does, local } from './command/call.ts';
import { define, reasonOption } from './command/options.ts';
import { newTokenPage, revokedTokenPage, tokensPage } from './pages/token.ts';

const operations = () => import('../operations/tokens.ts');

export function register(program: Command): void {
  const tokens = define(program, 'tokens', 'tokens with which scripts use the API of `aio-dca serve`');
  define(
    tokens,
    'add',
    'make a token; it is shown once',
    'tokens add grafana --scopes read',
    'tokens add till --scopes read,fundings:write --expires "90 days"',
  )
    .argument('<name>')
    .requiredOption('--scopes <list>', 'what it may do, separated by commas; docs/web.md has them')
    .option('--expires <time>', 'how long it counts, like "90 days" (default: until it is revoked)')
    .action(does(operations, 'addOneToken', local(newTokenPage)));
  define(tokens, 'list', 'all tokens, with what they may do and their last use', 'tokens list').action(
    does(operations, 'listTokens', local(tokensPage)),
  );
  reasonOption(define(tokens, 'revoke', 'end a token for good', 'tokens revoke till'))
    .argument('<name>')
    .action(does(operations, 'revokeOneToken', revokedTokenPage));
}
