/** What `watch` runs, as the config says it: hunts with their detectors or questions, and destinations with what they want to be told of. */
import { AppError } from '../errors.ts';
import type { Query } from '../query.ts';
import { readSecret, scrubbed } from '../secret-value.ts';
import { suggestion } from '../suggest.ts';
import { durationMs } from '../time.ts';
import { type AthenaCommandOptions, athenaSettings, isAthena } from './athena.ts';
import type { Run } from './command.ts';
import { type Config, SINK_COMMON_KEYS } from './config-file.ts';
import { chooseDetectors } from './hunt.ts';
import type { PreparedHunt, PreparedSink } from './wire-watch.ts';

/** What runs where the config names no hunt: every detector, on every commit. */
const EVERYTHING = 'all';
/** On Athena no commit tells of new data, and each run is billed: once a day, when the slots of the day before are complete. */
const ON_ATHENA = '0 2 * * *';

type SetupRun = Pick<Run<AthenaCommandOptions>, 'config' | 'options' | 'params'>;

/** A mistake at a place of the config. */
function configError(config: Config, path: readonly PropertyKey[], message: string, hint?: string): AppError {
  return new AppError(
    'config-invalid',
    `${config.placeOf(path)}: ${path.map(String).join('.')}: ${message}`,
    hint === undefined ? {} : { hint },
  );
}

/** Throws `config-invalid`. */
async function preparedHunts(run: SetupRun): Promise<readonly PreparedHunt[]> {
  const { config } = run;
  refuseTwins(config, 'hunts');
  if (config.hunts.length === 0) {
    const chosen = await chooseDetectors({ ...run, options: {} }, []);
    const schedule = isAthena(run) ? { expression: ON_ATHENA, timeZone: 'UTC' } : null;
    return [
      { id: EVERYTHING, schedule, windowMs: null, task: { type: 'detectors', ...chosen, named: [], latenessMs: null } },
    ];
  }
  const hunts: PreparedHunt[] = [];
  for (const at of config.hunts.keys()) hunts.push(await preparedHunt(run, at));
  return hunts;
}

async function preparedHunt(run: SetupRun, at: number): Promise<PreparedHunt> {
  const { config } = run;
  const hunt = config.hunts[at];
  if (hunt === undefined) throw new Error(`there is no hunt ${at}`);
  const mistake = (key: string, message: string, hint?: string): AppError =>
    configError(config, ['hunts', at, key], message, hint);
  const expression = hunt.schedule ?? (isAthena(run) && hunt.query === undefined ? ON_ATHENA : undefined);
  const schedule = expression === undefined ? null : { expression, timeZone: hunt.time_zone };
  const windowMs = hunt.window === undefined ? null : durationMs(hunt.window);
  if (windowMs !== null && schedule === null)
    throw mistake('window', 'a window needs a schedule: without one, all that is new is judged');
  const common = { id: hunt.id, schedule, windowMs };
  if (hunt.query === undefined) {
    for (const key of ['parameters', 'sinks'] as const) {
      if (key === 'sinks' ? hunt.sinks !== undefined : Object.keys(hunt.parameters).length > 0)
        throw mistake(key, `only a hunt with a query has ${key}`, SINKS_HINT[key]);
    }
    const ids = hunt.detectors ?? [];
    try {
      const chosen = await chooseDetectors(
        {
          ...run,
          options: {
            ...(hunt.tags !== undefined && { tag: hunt.tags }),
            ...(hunt.min_severity !== undefined && { minSeverity: hunt.min_severity }),
          },
        },
        ids,
      );
      const latenessMs = hunt.lateness === undefined ? null : durationMs(hunt.lateness);
      return { ...common, task: { type: 'detectors', ...chosen, named: ids, latenessMs } };
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'config-invalid') throw error;
      throw configError(config, ['hunts', at], error.message, error.hint);
    }
  }
  for (const key of ['detectors', 'tags', 'min_severity', 'lateness'] as const)
    if (hunt[key] !== undefined) throw mistake(key, 'a hunt has detectors or a query, not both');
  if (schedule === null) throw mistake('query', 'a question needs a schedule: it is asked at its times');
  if (isAthena(run) && windowMs === null && hunt.parameters['from'] === undefined) {
    throw mistake(
      'query',
      'on Athena a question needs a window, or a value for its parameter from: Athena bills for what it reads',
    );
  }
  const { findQuery, loadQueries } = await import('./queries.ts');
  const queries = loadQueries(config);
  let query: Query;
  try {
    query = findQuery(queries, hunt.query);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw mistake('query', error.message, error.hint);
  }
  for (const id of hunt.sinks ?? []) sinkOf(config, id, ['hunts', at, 'sinks']);
  return { ...common, task: { type: 'question', query, given: hunt.parameters, sinks: hunt.sinks ?? null } };
}

const SINKS_HINT = {
  parameters: 'Parameters of detectors stand under parameters: at the top of the config.',
  sinks: 'What a destination is told of stands with it, under sinks: at the top of the config.',
} as const;

/** All of it, and whether schedules, secrets and destinations can be used; nothing is asked of anybody. Throws `config-invalid`. */
export async function checkedSetup(
  run: SetupRun,
): Promise<{ readonly hunts: readonly PreparedHunt[]; readonly sinks: readonly PreparedSink[] }> {
  const { config } = run;
  if (isAthena(run)) atPlace(config, ['athena'], () => athenaSettings(run));
  const { checkSchedule, openSinks } = await import('./wire-watch.ts');
  const hunts = await preparedHunts(run);
  for (const [at, { schedule }] of hunts.entries()) {
    if (schedule !== null)
      atPlace(config, ['hunts', at, 'schedule'], () => checkSchedule(schedule.expression, schedule.timeZone));
  }
  const { all_quiet: quiet, time_zone: timeZone } = config.watch;
  if (quiet !== undefined) atPlace(config, ['watch', 'all_quiet'], () => checkSchedule(quiet, timeZone));
  heartbeatUrl(config);
  const sinks = await preparedSinks(config);
  for (const [at, sink] of sinks.entries()) {
    try {
      const opened = await openSinks({ sinks: [sink], aws: {}, dir: config.dir, write: async () => undefined });
      for (const one of opened) await one.sink.close();
    } catch (error) {
      throw asConfigError(config, ['sinks', at], error);
    }
  }
  return { hunts, sinks };
}

/** The address that is asked for after every good minute; null where there is none. Throws `config-invalid`. */
export function heartbeatUrl(config: Config): string | null {
  const place = config.watch.heartbeat_url;
  if (place === undefined) return null;
  return atPlace(config, ['watch', 'heartbeat_url'], () =>
    /^https?:\/\//u.test(place) ? place : readSecret(place, config.dir).reveal(),
  );
}

/** What `read` finds wrong, told with its place in the config. */
function atPlace<T>(config: Config, path: readonly PropertyKey[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asConfigError(config, path, error);
  }
}

function asConfigError(config: Config, path: readonly PropertyKey[], error: unknown): unknown {
  return error instanceof AppError ? configError(config, path, scrubbed(error.message), error.hint) : error;
}

function sinkOf(config: Config, id: string, path: readonly PropertyKey[]): void {
  const ids = config.sinks.map((sink) => sink.id);
  if (!ids.includes(id)) throw configError(config, path, `there is no destination '${id}'.${suggestion(id, ids)}`);
}

function refuseTwins(config: Config, key: 'hunts' | 'sinks'): void {
  const seen = new Set<string>();
  for (const [at, { id }] of config[key].entries()) {
    if (seen.has(id)) throw configError(config, [key, at, 'id'], `there are two with the id '${id}'`);
    seen.add(id);
  }
}

/** Throws `config-invalid` for what the destination's type does not take, too. */
export async function preparedSinks(config: Config): Promise<readonly PreparedSink[]> {
  if (config.sinks.length === 0) return [];
  refuseTwins(config, 'sinks');
  const { checkSinkOptions, SINK_TYPES } = await import('./wire-watch.ts');
  const { loadDetectors } = await import('./detectors.ts');
  const detectors = (await loadDetectors(config)).entries.map(({ detector }) => detector.id);
  const prepared: PreparedSink[] = [];
  for (const [at, sink] of config.sinks.entries()) {
    if (!SINK_TYPES.includes(sink.type)) {
      throw configError(
        config,
        ['sinks', at, 'type'],
        `there is no destination of the type '${sink.type}': expected one of ${SINK_TYPES.join(', ')}`,
      );
    }
    for (const [index, id] of (sink.detectors ?? []).entries()) {
      if (!detectors.includes(id))
        throw configError(
          config,
          ['sinks', at, 'detectors', index],
          `there is no detector '${id}'.${suggestion(id, detectors)}`,
        );
    }
    const options = Object.fromEntries(Object.entries(sink).filter(([key]) => !SINK_COMMON_KEYS.includes(key)));
    const [problem] = await checkSinkOptions(sink.type, options);
    if (problem !== undefined) throw configError(config, ['sinks', at, ...problem.path], problem.message);
    const [messages = '', per = ''] = sink.rate_limit?.split('/') ?? [];
    prepared.push({
      id: sink.id,
      type: sink.type,
      options,
      minSeverity: sink.min_severity,
      detectors: sink.detectors ?? null,
      accounts: sink.accounts ?? null,
      updates: sink.updates,
      notices: sink.notices ?? null,
      groupBy: sink.group_by,
      rate: sink.rate_limit === undefined ? null : { messages: Number(messages), perMs: durationMs(per) },
      dryRun: sink.dry_run,
      giveUpAfterMs: durationMs(sink.give_up_after),
    });
  }
  return prepared;
}
