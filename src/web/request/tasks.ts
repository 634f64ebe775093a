import { randomUUID } from 'node:crypto';
import { BridgeError } from '../../errors.ts';
import type { Instant } from '../../time.ts';
import type { Site, WebContext } from './site-context.ts';

/*
 * Work that takes longer than somebody waits for a page: a run, or the quiet time before a decision. It goes on when
 * its request is answered, and a page shows how far it is. Nothing is lost with it: what it does is in the ledger.
 */

export interface Task<View = unknown> {
  id: string;
  /** What is done: `run`. */
  name: string;
  actor: string;
  /** What was typed for it. */
  typed: Readonly<Record<string, string>>;
  startedAt: Instant;
  /** Once it has ended: its view, or the error. */
  result: { view: View } | { error: unknown } | null;
  /** Resolved when it has ended, well or not. */
  ended: Promise<void>;
}

/** How many are kept, those that go on included. */
const KEPT = 200;

const tasks = new WeakMap<Site, Map<string, Task>>();

export function beginTask<View>(
  context: WebContext,
  name: string,
  work: () => Promise<View>,
  typed: Task['typed'] = {},
): Task<View> {
  const site = context.get('site');
  const all = tasks.get(site) ?? new Map<string, Task>();
  tasks.set(site, all);
  for (const [id, { result }] of all) {
    if (all.size < KEPT) break;
    if (result !== null) all.delete(id);
  }
  const task: Task<View> = {
    ...{ id: randomUUID(), name, actor: context.get('visitor').actor, typed },
    ...{ startedAt: site.serving.clock.now(), result: null, ended: Promise.resolve() },
  };
  task.ended = work().then(
    (view) => {
      task.result = { view };
    },
    (error: unknown) => {
      task.result = { error };
      // Perhaps nobody looks at its page any more.
      if (!(error instanceof BridgeError))
        site.serving.log.error({ err: error, task: name }, 'a task ended in a defect');
    },
  );
  all.set(task.id, task);
  return task;
}

/** Undefined: there is none, or it ended long ago, or with another process. */
export function findTask<View>(context: WebContext, name: string, id: string): Task<View> | undefined {
  const task = tasks.get(context.get('site'))?.get(id);
  return task?.name === name ? (task as Task<View>) : undefined;
}

/** One of that name which goes on. */
export function taskUnderWay(context: WebContext, name: string): Task | undefined {
  const all = [...(tasks.get(context.get('site'))?.values() ?? [])];
  return all.find((task) => task.name === name && task.result === null);
}

/** Waits for its end, but not for long: then a page says that it goes on. */
export async function waitAWhile(context: WebContext, { ended }: Task, ms: number): Promise<void> {
  const over = new AbortController();
  const { clock } = context.get('site').serving;
  await Promise.race([ended, clock.sleep(ms, { signal: over.signal, ref: false })]);
  over.abort();
}
