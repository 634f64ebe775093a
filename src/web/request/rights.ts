import { BridgeError } from '../../errors.ts';
import { mayDo } from '../../operations/rights.ts';
import type { WebContext } from './site-context.ts';
import type { RoutedOperation } from './visitor.ts';

/** Whether whoever asks may do it: what nobody here may do has no button. The operation checks it again. */
export function mayHere(context: WebContext, operation: RoutedOperation): boolean {
  return mayDo(operation, context.get('visitor').principal);
}

/** Before anything is read: who may not do it does not learn what a right input would be. Throws `usage/forbidden`. */
export function assertMayHere(context: WebContext, operation: RoutedOperation): void {
  if (mayHere(context, operation)) return;
  throw new BridgeError('usage/forbidden', `${context.get('visitor').actor} may not do ${operation.name}.`);
}
