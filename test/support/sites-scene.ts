import { authenticator } from './authenticator.ts';
import { MACHINE, pairMachine } from './lamassu.ts';
import { type Served, serve, signInByLink, stopServed } from './served.ts';
import { startWorld, type World } from './world.ts';

/* Both sites, served by the real program, over a world in which there is something of everything. */

export interface SitesScene {
  world: World;
  served: Served;
  /** The cookie of a new session: of dora, an owner, or of the client alice. So each is proven for five minutes. */
  freshCookie(site: 'admin' | 'client'): Promise<string>;
  /** Cash-outs: the first that was distributed, one that waits for a decision, one that was settled by hand. */
  ids: { cashOut: string; review: string; settled: string };
  /** A payout that was settled, one that is planned, and one that is held. */
  payouts: { settled: string; planned: string; held: string };
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** As long as a name may be, and nowhere a space. */
export const LONG_NAME = 'maria-fernanda.de-la-cruz.castellanos-y-barrios_antigua-guatemal';

export async function sitesScene(): Promise<SitesScene> {
  const world = await startWorld({ tunnel: 'direct', credit: true });
  try {
    return await fill(world);
  } catch (error) {
    await world.stop();
    throw error;
  }
}

async function fill(world: World): Promise<SitesScene> {
  const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();
  const all = async (...commands: string[][]) => {
    const ran = await world.inOneProcess(commands);
    for (const [index, { code, stdout, stderr }] of ran.entries())
      if (code !== 0) throw new Error(`${commands[index]?.join(' ')} (exit ${code}):\n${stdout}${stderr}`);
    return ran;
  };
  await pairMachine(world.lamassu, 'Antigua');
  await pairMachine(world.lamassu, 'Xela', OTHER_MACHINE);
  await world.must(['migrate']);
  await world.addClient('alice', ['--daily-limit', '1000 GTQ', '--max-daily-limit', '2000 GTQ']);
  await world.addClient('bob', ['--mode', 'fixed', '--daily-limit', '500 GTQ']);
  await world.addClient(LONG_NAME);
  await world.addCommission('house', 3, ['--from', ago(28)]);
  await world.addCommission('partner', 1, ['--from', ago(28)]);
  const cash = (client: string, amount: string, ...more: string[]) => [
    ...['fundings', 'add', client, amount, '--any-machine', ...more],
  ];
  await all(
    cash('alice', '5000 GTQ', '--deposited', '--at', ago(27)),
    cash('bob', '12000 GTQ', '--deposited', '--at', ago(27)),
    cash(LONG_NAME, '40000 GTQ', '--deposited', '--at', ago(26)),
    cash('alice', '9000 GTQ', '--deposited', '--at', ago(10)),
    cash('alice', '3000 GTQ'),
  );
  const bought = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      world.insertCashOut({
        ...{ confirmed_at: ago(25 - 2 * n), device_id: n % 3 === 2 ? OTHER_MACHINE : MACHINE },
        fiat: `${1000 + 400 * (n % 4)}.00000`,
        crypto_atoms: `${128_100 + 51_240 * (n % 4)}`,
        received_crypto_atoms: `${128_100 + 51_240 * (n % 4)}`,
      }),
    ),
  );
  const failed = { error: 'dispense failed', dispense: false };
  const review = await world.insertCashOut({ ...failed, confirmed_at: ago(3) });
  const settled = await world.insertCashOut({ ...failed, confirmed_at: ago(2) });
  // 2: something waits for a person.
  const first = await world.aioDca(['poll']);
  if (first.code !== 2) throw new Error(`poll (exit ${first.code}):\n${first.stdout}${first.stderr}`);

  // Nothing arrives any more, so the payouts of one more cash-out stay open.
  await all(['settle', settled, '--fiat', '4000 GTQ', '--reason', 'the cash was counted', '--yes']);
  await world.insertCashOut();
  const { rules } = world.simulator();
  rules.push({
    when: { kind: 'pay' },
    times: Number.POSITIVE_INFINITY,
    fault: { at: 'before', do: 'reset' },
  });
  await world.aioDca(['poll']);
  rules.length = 0;
  const open = (await world.must(['payouts', 'list', '--open', '--json'])).json<{ id: string }[]>();
  const [planned = '', held = ''] = open.map(({ id }) => id);
  // What one visitor may ask for is limited, and a test asks for more: it says in each request from where.
  const served = await serve(world, { web: 'trusted_proxies = ["127.0.0.1"]' });
  await all(
    ['payouts', 'hold', held, '--reason', 'the client asks for a new wallet'],
    ['people', 'add', 'dora', '--role', 'owner'],
    ['people', 'add', 'berta', '--role', 'bookkeeper'],
    ['tokens', 'add', 'till', '--scopes', 'read,fundings:write'],
  );
  const freshCookie = async (site: 'admin' | 'client') => {
    const who = site === 'admin' ? ['people', 'invite', 'dora'] : ['clients', 'invite', 'alice'];
    const { link } = (await world.must([...who, '--json'])).json<{ link: string }>();
    return signInByLink(served[site], link);
  };
  await addPasskey(served.admin, await freshCookie('admin'));
  const [cashOut = ''] = bought;
  return {
    ...{ world, served, freshCookie, ids: { cashOut, review, settled } },
    payouts: { settled: 'p1', planned, held },
    stop: async () => {
      await stopServed(served);
      await world.stop();
    },
  };
}

const OTHER_MACHINE = '2b60c9d1e7f3485a9c04d8b17f6e3a52';

async function addPasskey(site: string, cookie: string): Promise<void> {
  const post = async (path: string, body: object) => {
    const headers = { cookie, origin: site, 'content-type': 'application/json' };
    const answer = await fetch(`${site}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json() as Promise<{ ceremony: string; options: { challenge: string } }>;
  };
  const { ceremony, options } = await post('/passkeys/options', {});
  await post('/passkeys', { ceremony, response: authenticator().create(options, site), label: 'phone' });
}
