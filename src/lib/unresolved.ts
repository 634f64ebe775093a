/** The way out where a host's name has no address. */
export const CHECK_NAME = 'Check the name; if it is right, check that this host can look up names (DNS).';

/** Whether a connection failed because the name of the host could not be resolved. */
export function isUnresolved(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN';
}
