import * as z from 'zod';
import { type JudgingConfig, judgeStored } from '../judging/judging.ts';
import { type Voided, voidSettlement } from '../ledger/cash-outs/void.ts';
import type { ReasonedAct } from '../ledger/log/log.ts';
import type { Trx } from '../ledger/store/open.ts';
import { viewOfVoided, voidedView } from '../views/settlements.ts';
import { findId } from './lookup-cash-out.ts';
import { assertUnchanged, digestOf, forPreview, operation, withReason } from './operation.ts';
import { settlementChanged } from './settlement-draft.ts';

/* Undoing a settlement. */

const input = z.strictObject({ id: z.string() });

/** What undoing a settlement would change. */
export const previewVoid = operation({
  name: 'settlements.preview_void',
  needs: 'read',
  may: [],
  errors: [],
  reasoned: 'when-applied',
  input,
  view: voidedView,
  run: async (context, { id: named }) => {
    const { clock, config, ledger } = context;
    const id = await findId(ledger.db, named.trim());
    const act = { ...forPreview(context.who), at: clock.now() };
    const done = await ledger.dryRun((trx) => undo(trx, config, act, id));
    return { ...viewOfVoided(done), dry_run: true, voided: false, digest: digestOf(viewOfVoided(done)) };
  },
});

/**
 * Undoes a settlement of which nothing is in a payout yet. Errors: those of `voidSettlement`, and `settle/changed` if
 * it differs from the preview of `digest`.
 */
export const voidSettled = operation({
  name: 'settlements.void',
  needs: 'write',
  may: [],
  errors: ['settle/changed'],
  reasoned: true,
  input: input.extend({ digest: z.string().optional() }),
  view: voidedView,
  run: async (context, { id: named, digest: agreed }) => {
    const { clock, config, ledger, write } = context;
    const id = await findId(ledger.db, named.trim());
    const act = { ...withReason(context.who), at: clock.now() };
    return write(async (trx) => {
      const done = viewOfVoided(await undo(trx, config, act, id));
      assertUnchanged(done, agreed, () => settlementChanged(id));
      return { ...done, dry_run: false, voided: true, digest: null };
    });
  },
});

function undo(trx: Trx, config: JudgingConfig, act: ReasonedAct, id: string): Promise<Voided> {
  return voidSettlement(trx, act, id, async (row) => {
    const verdict = await judgeStored(config, trx, row, act.at);
    return verdict.eligible ? null : verdict;
  });
}
