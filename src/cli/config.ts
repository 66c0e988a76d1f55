/** The config of a run: the file `trailhound.yaml` where there is one, and else the defaults. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../errors.ts';
import type { Config, ConfigValues } from './config-file.ts';

export const CONFIG_FILE = 'trailhound.yaml';
/** The folder beside the config where `detectors new` writes and where users' detectors are looked for. */
export const USER_DETECTORS = 'detectors';

export type { Config };

/** What an empty file says: without one, neither YAML nor the schema need be loaded. */
const DEFAULTS: ConfigValues = {
  sources: [],
  backend: 'duckdb',
  detectors: [],
  rules: [],
  placeholders: {},
  parameters: {},
  overrides: [],
  lists: {},
  enrichment: { mmdb: {}, networks: {}, threats: [] },
  suppress: [],
  mask: [],
  redact: [],
  limits: {},
  aws: {},
  athena: {},
  hunts: [],
  sinks: [],
  watch: { poll: '10s', silence: true, time_zone: 'UTC' },
};

/** Reads `path`, or `trailhound.yaml` in the current folder if it is there. Throws `config-invalid`. */
export async function readConfig(path: string | undefined): Promise<Config> {
  const file = resolve(path ?? CONFIG_FILE);
  if (path === undefined && !existsSync(file))
    return { ...DEFAULTS, file: null, dir: process.cwd(), placeOf: () => CONFIG_FILE };
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('config-invalid', `cannot read the config ${file}: ${systemReason(cause)}`, {
      hint: 'Give the path of a readable YAML file with --config.',
      cause,
    });
  }
  const { parseConfig } = await import('./config-file.ts');
  return parseConfig(content, file);
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'no permission',
  EISDIR: 'it is a folder',
  EEXIST: 'it is there already',
  ENOTDIR: 'a part of the path is not a folder',
};

/** Why the system refused, in words. */
export function systemReason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return SYSTEM_REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
}
