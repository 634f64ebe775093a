import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** The path of a file of this package, `contrib/install.sh`: from the source and from the bundle. */
export function inPackage(file: string): string {
  return join(dirname(findPackageJSON(import.meta.url) ?? ''), file);
}
