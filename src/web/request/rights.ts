import { mayDo } from '../../operations/rights.ts';
import type { WebContext } from './site-context.ts';
import type { RoutedOperation } from './visitor.ts';

/** Whether whoever asks may do it: what nobody here may do has no button. The operation checks it again. */
export function mayHere(context: WebContext, operation: RoutedOperation): boolean {
  return mayDo(operation, context.get('visitor').principal);
}
