/** Changes of the config: as YAML to look at, and written into the file with everything else left as it is, comments too. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isSeq, parseDocument, stringify } from 'yaml';
import { AppError } from '../errors.ts';
import { CONFIG_FILE, type Config, systemReason } from './config.ts';
import { parseConfig } from './config-file.ts';

export interface ConfigPatch {
  /** Values of parameters by detector and name. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly suppress: readonly {
    readonly detector: string;
    readonly where: Readonly<Record<string, string>>;
    readonly reason: string;
    readonly owner: string;
    readonly until: string;
  }[];
}

export const isEmptyPatch = ({ parameters, suppress }: ConfigPatch): boolean =>
  Object.keys(parameters).length + suppress.length === 0;

export function patchText({ parameters, suppress }: ConfigPatch): string {
  return stringify({
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(suppress.length > 0 && { suppress }),
  });
}

/** Returns the file. Throws `config-invalid` for one that it cannot write, or that would not be valid with it. */
export function writePatch({ file, dir }: Pick<Config, 'file' | 'dir'>, { parameters, suppress }: ConfigPatch): string {
  const path = file ?? `${dir}/${CONFIG_FILE}`;
  const document = parseDocument(file === null ? '' : readFileSync(path, 'utf8'));
  for (const [detector, values] of Object.entries(parameters))
    for (const [name, value] of Object.entries(values)) document.setIn(['parameters', detector, name], value);
  for (const one of suppress) {
    const list = document.get('suppress');
    if (isSeq(list)) list.add(document.createNode(one));
    else document.set('suppress', document.createNode([one]));
  }
  const text = document.toString({ lineWidth: 0 });
  parseConfig(text, path);
  try {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new AppError('config-invalid', `cannot write ${path}: ${systemReason(cause)}`, { cause });
  }
  return path;
}
