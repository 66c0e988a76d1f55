/** Opens what an export is written to, by how it is named. */
import type { AwsOptions } from '../source.ts';
import type { Target } from '../target.ts';
import { openFolderTarget } from './folder.ts';

/** `s3://bucket/prefix`, or a folder. Throws `usage-invalid`, `aws-credentials`. */
export async function openTarget(name: string, aws: AwsOptions): Promise<Target> {
  if (!name.startsWith('s3://')) return openFolderTarget(name);
  const { openS3Target } = await import('./s3.ts');
  return openS3Target(name, aws);
}
