/** Whether a profile that somebody named is in the files of the AWS CLI: without this look the client falls back to whatever other credentials there are. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AppError } from './errors.ts';
import { suggestion } from './suggest.ts';

/** It needs no section. */
const DEFAULT = 'default';
/** Named in the hint at most. */
const NAMED_MAX = 20;

/**
 * Looks where the CLI looks: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html. `profile` comes before AWS_PROFILE.
 * Throws `aws-credentials`.
 */
export function checkProfile(profile: string | undefined): void {
  const name = profile ?? process.env['AWS_PROFILE'];
  if (name === undefined || name === DEFAULT) return;
  const config = process.env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws', 'config');
  const credentials = process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws', 'credentials');
  const known = [
    ...new Set([...sections(config, /^\[\s*profile\s+(.+?)\s*\]/gmu), ...sections(credentials, /^\[\s*(.+?)\s*\]/gmu)]),
  ];
  if (known.includes(name)) return;
  const from = profile === undefined ? ' that AWS_PROFILE names' : '';
  throw new AppError(
    'aws-credentials',
    `cannot use the AWS profile '${name}'${from}: it is neither in ${config} nor in ${credentials}.${suggestion(name, known)}`,
    {
      hint:
        known.length === 0
          ? 'No profiles are there: `aws configure` writes one.'
          : `Profiles there: ${known.slice(0, NAMED_MAX).join(', ')}${known.length > NAMED_MAX ? ' …' : ''}.`,
    },
  );
}

/** Names in the headers of an INI file; none where there is no such file. */
function sections(path: string, header: RegExp): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  return [...text.matchAll(header)].map(([, name = '']) => name.replace(/^(["'])(.*)\1$/u, '$2'));
}
