import { type Judgement, reasons } from '../lamassu/eligibility.ts';

/** Why a row is in review: a closed list, each with its meaning. docs/settlements.md says what to do. */
export const reviewReasons = {
  ...reasons,
  'currency-changed':
    'It is in another currency than the clients’ cash for its machine, so all of it would be the own share.',
  clock: 'Cash, or a setting, that may concern it was entered by a clock that was wrong.',
  changed: 'It was distributed, and Lamassu now says something else of it.',
  'not-allocated': 'It is sound, but could not be divided: its parts would not add up.',
} as const satisfies Record<string, string>;

export type ReviewReason = keyof typeof reviewReasons;

/** What a sound row waits for: `reviews.release` lets it pass. */
type Held = 'large' | 'currency-changed' | 'backdated';

/** The judgement of a row: by the row alone, or that it waits because of what the ledger knows of its machine. */
export type Verdict =
  | Judgement
  | { eligible: false; reason: 'currency-changed'; detail: string; review: true; watch: true };

export function isHeld(reason: string): reason is Held {
  return reason === 'large' || reason === 'currency-changed' || reason === 'backdated';
}
