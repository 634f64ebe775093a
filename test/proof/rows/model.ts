import { type Cash, type Divided, divide, type Priority, proportion, total } from './division.ts';
import {
  anyDay,
  isTime,
  type Meaning,
  meaning,
  micros,
  type Paid,
  type Row,
  type Rules,
} from './judgement.ts';

/*
 * A bridge of a few lines, in memory and without money: what a run reads, what it makes of each row, and who gets
 * what. It is written from the documents alone and imports nothing of src/.
 */

export interface Setting {
  client: bigint;
  from: string;
  mode: 'flow' | 'fixed';
  paused: boolean;
}

export interface Funding {
  id: bigint;
  client: bigint;
  /** Null: all machines. */
  machine: string | null;
  currency: string;
  remaining: bigint;
  rate: bigint | null;
  depositedAt: string;
}

/** Who gives cash, and what was agreed; each list in the order in which it was said. */
export interface Agreed {
  settings: Setting[];
  limits: { client: bigint; from: string; currency: string; daily: bigint }[];
  fundings: Funding[];
  rates: { machine: string; from: string; rate: bigint | null }[];
  weights: { recipient: bigint; machine: string | null; from: string; weight: bigint }[];
}

export interface ModelRules extends Rules {
  overlap: bigint;
  timezone: string;
  priority: Priority;
}

interface Done extends Paid {
  day: string;
  divided: Divided;
  owners: Map<bigint, { client: bigint; mode: 'flow' | 'fixed' }>;
  shares: Map<bigint, bigint>;
}

const DAY = 86_400_000_000n;

export class Model {
  readonly agreed: Agreed = { settings: [], limits: [], fundings: [], rates: [], weights: [] };
  readonly done = new Map<string, Done>();
  readonly review = new Map<string, { reason: string; state: 'open' | 'processed' }>();
  readonly watched = new Set<string>();
  /** Everything that a run ever read. */
  readonly seen = new Set<string>();
  mark: bigint | null = null;
  readonly #rules: ModelRules;
  readonly #date: Intl.DateTimeFormat;

  constructor(rules: ModelRules) {
    this.#rules = rules;
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    this.#date = new Intl.DateTimeFormat('en-CA', { timeZone: rules.timezone, ...parts });
  }

  /** A run at `now`; `rows` is all that Lamassu shows then, by id. */
  run(rows: ReadonlyMap<string, Row>, now: bigint): void {
    const start = micros(this.#rules.startAt);
    const from = (this.mark !== null && this.mark > start ? this.mark : start) - this.#rules.overlap;
    const inWindow = (row: Row) =>
      row.confirmed_at !== null && (place(row.confirmed_at) >= from || place(row.created) >= from);
    const all = [...rows.values()].sort(
      (a, b) => order(place(a.confirmed_at), place(b.confirmed_at)) || order(`${a.id}`, `${b.id}`),
    );
    const old = all.filter((row) => this.watched.has(`${row.id}`) && !inWindow(row));
    const fresh = all.filter(inWindow);
    const never = all.filter(
      (row) =>
        row.confirmed_at === null &&
        isTime(row.created) &&
        micros(row.created) >= from - DAY &&
        micros(row.created) < now - DAY &&
        (row.dispense_confirmed === 'true' ||
          (row.dispense === 'true' && ['authorized', 'instant'].includes(`${row.status}`))),
    );
    for (const row of [...old, ...fresh, ...never]) this.#read(row, now);
  }

  #read(row: Row, now: bigint): void {
    const id = `${row.id}`;
    this.seen.add(id);
    if (isTime(row.confirmed_at)) {
      const at = micros(row.confirmed_at);
      if (at <= now && (this.mark === null || at > this.mark)) this.mark = at;
    }
    const done = this.done.get(id);
    if (done) {
      if (contradicts(done, anyDay(row, this.#rules, now))) this.#ask(id, 'changed');
      return;
    }
    const means = this.#held(meaning(row, this.#rules, now));
    if ('pay' in means) {
      this.done.set(id, this.#pay(means.pay));
      this.watched.delete(id);
      const asked = this.review.get(id);
      if (asked) asked.state = 'processed';
      return;
    }
    const lateStart = means.reason === 'before-start' && this.watched.has(id);
    if (means.person || lateStart) this.#ask(id, means.reason);
    if (means.again) this.watched.add(id);
  }

  /** The first in another currency than the clients' cash for its machine waits. */
  #held(means: Meaning): Meaning {
    if (!('pay' in means)) return means;
    const { machine, currency, confirmedAt } = means.pay;
    const before = this.#lastOf(machine);
    if (before === currency) return means;
    const cash = this.agreed.fundings.filter(
      (one) =>
        one.remaining > 0n &&
        one.depositedAt <= confirmedAt &&
        (one.machine === null || one.machine === machine),
    );
    if (cash.some((one) => one.currency === currency)) return means;
    const machines = [...new Set([...this.done.values()].map((one) => one.machine))];
    const elsewhere = machines.filter((one) => one !== machine).map((one) => this.#lastOf(one));
    const its = cash.some((one) => {
      if (one.machine !== null) return true;
      return before === undefined ? !elsewhere.includes(one.currency) : one.currency === before;
    });
    return its ? { reason: 'currency-changed', person: true, again: true } : means;
  }

  /** The currency of a machine's newest cash-out. */
  #lastOf(machine: string): string | undefined {
    const all = [...this.done].filter(([, done]) => done.machine === machine);
    const newer = (a: [string, Done], b: [string, Done]) =>
      order(a[1].confirmedAt, b[1].confirmedAt) || order(a[0], b[0]);
    return all.sort(newer).at(-1)?.[1].currency;
  }

  #ask(id: string, reason: string): void {
    this.review.set(id, { reason, state: 'open' });
  }

  #pay(paid: Paid): Done {
    const { machine, confirmedAt: at, currency } = paid;
    const day = this.#date.format(new Date(Number(micros(at) / 1000n)));
    const machineRate =
      newest(
        this.agreed.rates.filter((one) => one.machine === machine),
        at,
      )?.rate ?? null;
    const cash: Cash[] = this.agreed.fundings.flatMap((one) => {
      const setting = newest(
        this.agreed.settings.filter(({ client }) => client === one.client),
        at,
      );
      const serves = one.machine === null || one.machine === machine;
      if (!setting || setting.paused || !serves || one.currency !== currency || one.depositedAt > at)
        return [];
      return [{ ...one, mode: setting.mode, rate: one.rate ?? machineRate }];
    });
    const limitLeft = (client: bigint) => {
      const limits = this.agreed.limits.filter((one) => one.client === client && one.currency === currency);
      const left = (newest(limits, at)?.daily ?? 0n) - this.#usedOn(day, client, currency);
      return left > 0n ? left : 0n;
    };
    const divided = divide(paid, cash, limitLeft, this.#rules.priority);
    const owners: Done['owners'] = new Map();
    for (const [id, { fiat }] of divided.parts) {
      const funding = this.agreed.fundings.find((one) => one.id === id);
      const mode = cash.find((one) => one.id === id)?.mode;
      if (!funding || !mode) throw new Error('the model took cash that is not there');
      funding.remaining -= fiat;
      owners.set(id, { client: funding.client, mode });
    }
    return { ...paid, day, divided, owners, shares: this.#shares(machine, at, divided.commission) };
  }

  #usedOn(day: string, client: bigint, currency: string): bigint {
    const used: bigint[] = [];
    for (const done of this.done.values()) {
      if (done.day !== day || done.currency !== currency) continue;
      for (const [id, owner] of done.owners)
        if (owner.client === client && owner.mode === 'fixed')
          used.push(done.divided.parts.get(id)?.fiat ?? 0n);
    }
    return total(used);
  }

  /** The commission by recipient: those of the machine, else those of all. */
  #shares(machine: string, at: string, commission: bigint): Map<bigint, bigint> {
    const inForce = (of: string | null) =>
      [...new Set(this.agreed.weights.map((one) => one.recipient))].sort(order).flatMap((recipient) => {
        const said = this.agreed.weights.filter((one) => one.recipient === recipient && one.machine === of);
        const weight = newest(said, at)?.weight ?? 0n;
        return weight > 0n ? [{ recipient, weight }] : [];
      });
    const own = inForce(machine);
    const who = own.length > 0 ? own : inForce(null);
    const sats = proportion(commission, who.length > 0 ? who.map(({ weight }) => weight) : [1n]);
    return new Map(who.flatMap(({ recipient }, i) => (sats[i] ? [[recipient, sats[i]]] : [])));
  }
}

/** What was said last among what held at a moment. */
function newest<T extends { from: string }>(said: readonly T[], at: string): T | undefined {
  return said
    .filter(({ from }) => from <= at)
    .reduce<T | undefined>((a, b) => (a === undefined || b.from >= a.from ? b : a), undefined);
}

function contradicts(done: Done, means: Meaning): boolean {
  if (!('pay' in means)) return true;
  const { pay } = means;
  return (['machine', 'confirmedAt', 'currency', 'fiat', 'gross'] as const).some(
    (key) => pay[key] !== done[key],
  );
}

/** Where a time stands among the others; those that no clock shows at the ends, none behind all. */
function place(time: string | null | undefined): bigint {
  if (typeof time !== 'string') return 10n ** 20n;
  if (time.startsWith('-') || time.endsWith('BC')) return -(10n ** 19n);
  return isTime(time) ? micros(time) : 10n ** 19n;
}

function order(a: bigint | string, b: bigint | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
