import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct', config: '[web.admin]\n[web.client]' });
  await world.must(['migrate']);
}, 60_000);

afterAll(async () => {
  expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

test('people are added with a role and a link, changed, shut out and let in again', async () => {
  expect((await world.must(['people', 'list'])).stdout).toContain('Nobody may use the admin site yet.');
  const added = await world.must(['people', 'add', 'dora', '--role', 'owner', '--json']);
  expect(added.json()).toMatchObject({
    name: 'dora',
    link: expect.stringMatching(/^http:\/\/localhost:8092\/welcome#[\w-]{43}$/),
    code: expect.stringMatching(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/),
  });
  const { stdout } = await world.must(['people', 'invite', 'dora']);
  expect(stdout).toMatch(/^One link for dora, which works once, until .* GMT-6:\n {2}http/);
  await world.must(['people', 'add', 'rosa', '--role', 'bookkeeper']);
  expect((await world.must(['people', 'set', 'dora', '--role', 'operator'])).stdout).toBe(
    'dora is operator now, and has to sign in again.\n',
  );
  expect((await world.must(['people', 'disable', 'rosa', '--reason', 'left us'])).stdout).toContain(
    'aio-dca people enable rosa',
  );
  expect((await world.must(['people', 'list'])).stdout).toMatch(
    /dora │ operator +│ enabled +│ link only[\s\S]*rosa │ bookkeeper │ disabled │ link only/,
  );
  expect((await world.must(['people', 'enable', 'rosa'])).stdout).toContain('aio-dca people invite rosa');
  for (const [args, code, said] of [
    [['people', 'add', 'dora', '--role', 'owner'], 64, 'there is somebody called "dora" already'],
    [['people', 'add', 'emil', '--role', 'boss'], 64, 'owner, operator, bookkeeper'],
    [['people', 'add', 'a:b', '--role', 'owner'], 64, 'cannot be a name'],
    [['people', 'disable', 'dorra'], 64, 'Did you mean dora?'],
    [['people', 'set', 'dora', '--role', 'operator'], 64, 'dora is operator already'],
  ] as const) {
    const ran = await world.aioDca([...args]);
    expect([args, ran.code, ran.stderr.replaceAll(/\s+/g, ' ')]).toEqual([
      args,
      code,
      expect.stringContaining(said),
    ]);
  }
  const { stdout: log } = await world.must(['log']);
  expect(log).toContain('person disable rosa (left us)');
});

test('tokens are made, listed and revoked', async () => {
  const made = await world.must([
    'tokens',
    'add',
    'till',
    '--scopes',
    'read,fundings:write',
    '--expires',
    '90 days',
  ]);
  expect(made.stdout).toMatch(
    /^Token till may: read, fundings:write\. It counts until .*\n {2}aiodca_[\w-]{43}\n/,
  );
  expect((await world.must(['tokens', 'list'])).stdout).toMatch(
    /till │ active │ read, fundings:write │ \d{4}-/,
  );
  await world.must(['tokens', 'revoke', 'till']);
  expect((await world.must(['tokens', 'list', '--json'])).json()).toMatchObject([{ status: 'revoked' }]);
  const wrong = await world.aioDca(['tokens', 'add', 'x', '--scopes', 'reed']);
  expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining('Did you mean read?')]);
});

test('an actor with a colon would be taken for one of the web', async () => {
  const ran = await world.aioDca(['people', 'disable', 'dora', '--actor', 'client:alice']);
  expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining('cannot have a colon')]);
});
