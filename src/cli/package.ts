/** Where the files that come with the package lie, whether it runs from src/ or from dist/. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `dist/` in an installed package, the checkout in development: what holds src/ and detectors/ as this process runs them. */
export const codeRoot = fileURLToPath(new URL('../..', import.meta.url));

/** A file or folder of the package itself, such as `queries`. */
export function packageFile(name: string): string {
  const root = existsSync(join(codeRoot, 'package.json')) ? codeRoot : dirname(codeRoot.replace(/[\\/]$/u, ''));
  return join(root, name);
}
