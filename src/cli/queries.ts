/** The saved questions of a run: those of the package, and those in `queries/` beside the config. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { parseQuery, type Query } from '../query.ts';
import { suggestion } from '../suggest.ts';
import type { Config } from './config.ts';
import { packageFile } from './package.ts';

const EXTENSION = '.sql';

/** In the order of their ids; one beside the config takes the place of the package's of the same id. */
export function loadQueries(config: Config): Query[] {
  const byId = new Map<string, Query>();
  for (const folder of new Set([packageFile('queries'), resolve(config.dir, 'queries')])) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).filter((entry) => entry.endsWith(EXTENSION))) {
      const id = basename(name, EXTENSION);
      const file = join(folder, name);
      byId.set(id, parseQuery(id, readFileSync(file, 'utf8'), file));
    }
  }
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Throws `query-unknown`. */
export function findQuery(queries: readonly Query[], id: string): Query {
  const query = queries.find((candidate) => candidate.id === id);
  if (query !== undefined) return query;
  const known = queries.map((candidate) => candidate.id);
  throw new AppError('query-unknown', `no saved question has the id '${id}'.${suggestion(id, known)}`, {
    hint: '`trailhound query list` shows them all.',
  });
}
