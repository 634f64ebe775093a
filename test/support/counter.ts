import { pino } from 'pino';
import type * as z from 'zod';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Secret } from '../../src/config/secret.ts';
import { addClient } from '../../src/ledger/clients/changes.ts';
import { addFunding } from '../../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { seeMachine } from '../../src/ledger/machines/register.ts';
import { type Ledger, openLedger } from '../../src/ledger/store/open.ts';
import type { Needs, Operation } from '../../src/operations/operation.ts';
import { poll } from '../../src/scheduler/poll.ts';
import type { PollReport } from '../../src/scheduler/report.ts';
import { plus, systemClock } from '../../src/time.ts';
import { bootless, now } from './clock.ts';
import { insertAction } from './lamassu.ts';
import { perform, sessionOn } from './operations.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

const DAY_MS = 86_400_000;
const who = { principal: OPERATOR, actor: 'test', run: null, clock: bootless };

/** A whole installation, with its ledger open in this process: for tests of what the operator decides. */
export interface Counter {
  world: World;
  ledger: Ledger;
  config: Config;
  /** Another connection to the same ledger, as a second terminal has it. Close it. */
  openAgain(): Promise<Ledger>;
  /**
   * A machine of its own with cash of new clients, in USD, deposited two weeks ago: their names, and fundings by
   * client.
   */
  shop(cash: Record<string, bigint>): Promise<Shop>;
  poll(): Promise<PollReport>;
  /** Does an operation as the operator dora, with a reason; by default on the ledger and by the configuration above. */
  perform<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
    operation: Operation<N, Input, View>,
    input: z.input<Input>,
    how?: { reason?: string; ledger?: Ledger; config?: Config },
  ): Promise<z.output<View>>;
  stop(): Promise<void>;
}

export interface Shop {
  machine: string;
  /** The name that a client has in the ledger. */
  client(name: string): string;
  /** The funding of a client. */
  funding(name: string): bigint;
  /**
   * The failed cash-out of the golden case, at this machine: 500 USD asked, 200 USD out, 529,100 sat, price 100,000.
   */
  jammed(columns?: Parameters<World['insertCashOut']>[0]): Promise<string>;
  remaining(client: string): Promise<{ remaining: bigint; spent: bigint; status: string }>;
}

export async function openCounter(options: WorldOptions): Promise<Counter> {
  const world = await startWorld({ tunnel: 'direct', quiet: '1 ms', ...options });
  try {
    const config = loadConfig(world.configFile, {});
    const { url, password } = config.ledger;
    const open = () => openLedger({ clock: systemClock, url, password, use: 'write' });
    const ledger = await openLedger({ clock: systemClock, url, password, use: 'create' });
    let shops = 0;
    return {
      world,
      ledger,
      config,
      openAgain: open,
      shop: async (cash) => {
        shops += 1;
        return makeShop(world, ledger, `machine-${shops}`, `-${shops}`, cash);
      },
      poll: () =>
        poll({
          ...{ ledger, config, who: { principal: OPERATOR, actor: 'test' } },
          ...{ log: pino({ level: 'silent' }), signal: new AbortController().signal },
        }),
      perform: (operation, input, how = {}) =>
        perform(
          operation,
          sessionOn(how.ledger ?? ledger, {
            reason: how.reason ?? 'asked',
            config: async () => how.config ?? config,
          }),
          input,
        ),
      stop: async () => {
        await ledger.close();
        await world.stop();
      },
    };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

async function makeShop(
  world: World,
  ledger: Ledger,
  machine: string,
  suffix: string,
  cash: Record<string, bigint>,
): Promise<Shop> {
  const at = now();
  await ledger.write((trx) => seeMachine(trx, { ...who, at }, machine, 'lamassu'));
  const fundings = new Map<string, bigint>();
  for (const [name, usd] of Object.entries(cash)) {
    const { id, inkey } = await world.lnbits.createUserWallet(`${name}${suffix}`);
    const client = { name: `${name}${suffix}`, mode: 'flow' as const, limits: [] };
    const wallet = { id, key: new Secret(inkey) };
    await ledger.write((trx) => addClient(trx, { ...who, at }, { ...client, wallet }));
    const added = await ledger.write((trx) =>
      addFunding(
        trx,
        { ...who, at },
        {
          ...{ client: `${name}${suffix}`, machine, rate: null, depositedAt: plus(at, -14 * DAY_MS) },
          amount: { minor: usd * 100n, currency: 'USD', digits: 2 },
        },
      ),
    );
    fundings.set(name, added.funding.id);
  }
  const funding = (name: string): bigint => {
    const id = fundings.get(name);
    if (id === undefined) throw new Error(`${name} has no funding here`);
    return id;
  };
  return {
    machine,
    client: (name) => `${name}${suffix}`,
    funding,
    jammed: async (columns = {}) => {
      const id = await world.insertCashOut({
        ...{ device_id: machine, fiat: '500', fiat_code: 'USD', raw_ticker_price: '100000' },
        ...{ crypto_atoms: '529100', received_crypto_atoms: '529100' },
        ...{ dispense_confirmed: false, error: 'jam' },
        ...columns,
      });
      const notes = { denomination_1: 20, dispensed_1: 10 };
      await insertAction(world.lamassu, { tx_id: id, action: 'dispenseError', ...notes });
      return id;
    },
    remaining: async (name) =>
      ledger.db
        .selectFrom('fundings')
        .select(['remaining', 'spent', 'status'])
        .where('id', '=', funding(name))
        .executeTakeFirstOrThrow(),
  };
}
