/** `trailhound watch`: ingests what lands, hunts on schedule and delivers alerts, for months; or one turn of it. */
import { Command, Option } from 'commander';
import { systemClock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { isInside, realPath } from '../../real-path.ts';
import { formatBytes } from '../../size.ts';
import { durationMs, parseTime } from '../../time.ts';
import { type AthenaCommandOptions, addAthenaOptions, athenaSettings, isAthena } from '../athena.ts';
import { awsOf } from '../aws.ts';
import { type ExitStatus, finish, type Host, type Run } from '../command.ts';
import { readConfig } from '../config.ts';
import { refuseUnused } from '../dry-run.ts';
import { configEnrichment, configOverrides } from '../enrichment.ts';
import { boundsOf, pruneOlder, sourcesOf } from '../ingest.ts';
import { configLists } from '../lists.ts';
import { serveMonitor } from '../monitor.ts';
import { plural } from '../output/text.ts';
import { redactionsOf } from '../redactions.ts';
import { placeOf } from '../rules.ts';
import { configSuppressions } from '../suppressions.ts';
import { checkedSetup, heartbeatUrl } from '../watch.ts';
import { createLog, LOG_FORMATS, type LogFormat } from '../watch-log.ts';
import type { AthenaSettings, LocalStore } from '../wire.ts';
import type { PreparedHunt, TurnResult, WatchSetup } from '../wire-watch.ts';

interface Options extends AthenaCommandOptions {
  readonly once?: boolean;
  readonly logFormat: LogFormat;
}

export function watchCommand(host: Host): Command {
  const command = new Command('watch')
    .description('ingest what lands in the sources of the config, hunt, and deliver alerts, until it is ended')
    .option('--once', 'what is there and due now, then end: for cron, timers and containers')
    .addOption(new Option('--log-format <form>', 'form of the lines on stderr').choices(LOG_FORMATS).default('text'));
  return finish<Options>(
    addAthenaOptions(command),
    host,
    ['trailhound watch', 'trailhound watch --once', 'trailhound watch --config /etc/trailhound.yaml --log-format json'],
    (run) => (run.options.once === true ? watchOnce(run) : watchOn(run, host)),
  );
}

async function watchOnce(run: Run<Options>): Promise<ExitStatus> {
  const { terminal, signal } = run;
  const log = createLog(run.options.logFormat, terminal);
  const setup = await setUp(run, log, true);
  const { openStore } = await import('../wire.ts');
  const store = await openStore(run.storeDir, { create: true });
  let lease: Awaited<ReturnType<typeof store.holdWatch>>;
  try {
    lease = await store.holdWatch();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'store-watched') throw error;
    // The run before is still at work: it does what this one would.
    log('info', 'another watch is at work: nothing to do', { reason: error.message });
    return 0;
  }
  try {
    if (setup.athena !== null) await tellOwnEvents(store, log);
    const { useWatch } = await import('../wire-watch.ts');
    const result = await useWatch({ ...setup, store, prune: () => setup.prune(store) }, (watch) => watch.turn(signal));
    await setup.prune(store);
    if (signal.aborted) {
      throw new AppError('interrupted', 'interrupted: what was committed is kept', {
        hint: 'The next run goes on from there.',
      });
    }
    return tellTurn(result, log);
  } finally {
    lease.release();
    await store.close();
  }
}

function tellTurn({ ingest, alerts, fresh, undelivered, failing }: TurnResult, log: Log): ExitStatus {
  for (const { key, error } of ingest?.problems ?? [])
    log('warn', 'a log file or folder could not be read', { key, error: error.message });
  log('info', 'turn ended', {
    files: ingest === null ? 0 : ingest.files.done + ingest.files.damaged,
    alerts,
    new: fresh,
    undelivered,
    failing: failing.size,
  });
  const isComplete = (ingest?.problemsTotal ?? 0) === 0 && failing.size === 0 && undelivered === 0;
  return isComplete ? 0 : 3;
}

async function watchOn(run: Run<Options>, host: Host): Promise<ExitStatus> {
  const { terminal, signal } = run;
  host.serves = true;
  const log = createLog(run.options.logFormat, terminal);
  const { openStore } = await import('../wire.ts');
  const first = await setUp(run, log, false);
  const store = await openStore(run.storeDir, { create: true });
  const lease = await store.holdWatch();
  let reload = new AbortController();
  const hangUp = (): void => reload.abort();
  process.on('SIGHUP', hangUp);
  try {
    let setup = first;
    let current = run;
    while (!signal.aborted) {
      const { useWatch } = await import('../wire-watch.ts');
      const ending = AbortSignal.any([signal, reload.signal]);
      log('info', 'watching', {
        store: store.dir,
        sources: setup.sources.length,
        hunts: setup.hunts.length,
        destinations: setup.sinks.length,
      });
      if (setup.athena !== null) {
        await tellOwnEvents(store, log);
        for (const hunt of setup.hunts) tellSchedule(hunt, setup.athena, log);
      }
      await useWatch({ ...setup, store, prune: () => setup.prune(store) }, async (watch, vigil) => {
        const isOverArchive = setup.athena !== null;
        const monitor = await serveMonitor(current.config.watch.listen, { watch, vigil, store, log, isOverArchive });
        try {
          await watch.run(ending);
        } finally {
          await monitor?.close();
        }
      });
      if (signal.aborted) break;
      reload = new AbortController();
      ({ setup, current } = await reloaded(current, setup, log));
    }
    log('info', 'watching ended');
    return 0;
  } finally {
    process.off('SIGHUP', hangUp);
    lease.release();
    await store.close();
  }
}

/** What the store holds itself is another archive than the one on Athena. */
async function tellOwnEvents(store: LocalStore, log: Log): Promise<void> {
  if ((await store.lastSeq()) > 0)
    log('warn', 'the store holds events of its own, which are not hunted: alerts of theirs may be withdrawn', {
      store: store.dir,
    });
}

/** Each run is billed for: when there will be one, and what it may scan. */
function tellSchedule({ id, schedule }: PreparedHunt, { maxScanBytes }: AthenaSettings, log: Log): void {
  log('info', 'hunt on Athena', {
    hunt: id,
    schedule: schedule?.expression ?? '',
    time_zone: schedule?.timeZone ?? '',
    may_scan: maxScanBytes === null ? 'anything' : formatBytes(maxScanBytes),
  });
}

/** The config as it is now; one that cannot be used leaves everything as it was. */
async function reloaded(
  run: Run<Options>,
  setup: Setup,
  log: Log,
): Promise<{ readonly setup: Setup; readonly current: Run<Options> }> {
  try {
    const current = { ...run, config: await readConfig(run.config.file ?? undefined) };
    const fresh = await setUp(current, log, false);
    log('info', 'the config was read again', { file: run.config.file });
    return { setup: fresh, current };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log('error', 'the config cannot be used: the one before stays in force', { error: error.message });
    return { setup, current: run };
  }
}

type Setup = Omit<WatchSetup, 'store' | 'prune'> & {
  prune(store: Parameters<typeof pruneOlder>[0]): Promise<void>;
};

/** All that can be wrong in a config is found here, before anything begins. */
async function setUp(run: Run<Options>, log: Log, once: boolean): Promise<Setup> {
  const { config, terminal } = run;
  const { watch } = config;
  refuseUnused(run, []);
  refuseSources(run);
  refuseFleeting(run.storeDir);
  const { hunts, sinks } = await checkedSetup(run);
  const { rules } = await (await import('../detectors.ts')).loadDetectors(config);
  for (const rule of rules.filter(({ status }) => status === 'refused'))
    log('warn', 'a Sigma rule cannot be used', { place: placeOf(rule), title: rule.title, reason: rule.reason });
  const enrichment = await configEnrichment(config);
  const quiet = watch.all_quiet === undefined ? null : { expression: watch.all_quiet, timeZone: watch.time_zone };
  return {
    clock: systemClock,
    log,
    aws: awsOf(run),
    dir: config.dir,
    athena: isAthena(run) ? athenaSettings(run) : null,
    sources: isAthena(run) ? [] : sourcesOf({ config, options: {} }, []),
    ingest: { scope: {}, ...boundsOf(run), redact: await redactionsOf(run), format: null },
    reconcileDays: watch.reconcile ?? null,
    hunts,
    sinks,
    lists: configLists(config),
    enrichment,
    overrides: await configOverrides(run, enrichment),
    suppressions: await configSuppressions(run),
    mask: terminal.mask,
    pollMs: durationMs(watch.poll),
    once,
    notifySinceMs: watch.notify_since === undefined ? null : parseTime(watch.notify_since, run.nowMs),
    silence: watch.silence,
    quiet,
    heartbeatUrl: heartbeatUrl(config),
    write: (text) => terminal.out(text),
    prune: async (store) => {
      if (config.retention === undefined || isAthena(run)) return;
      const events = await pruneOlder(store, config.retention, { nowMs: Date.now(), terminal });
      if (events > 0) log('info', 'old events were removed', { events: plural(events, 'event') });
    },
  };
}

/** Where AWS Lambda lets a function write: gone with the machine (https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html). */
const FLEETING = '/tmp';

/** Without its store a watch takes every run for the first one, and tells of nothing. */
function refuseFleeting(storeDir: string): void {
  if (process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined || !isInside(realPath(storeDir), realPath(FLEETING)))
    return;
  throw new AppError(
    'store-fleeting',
    `cannot watch with the store ${storeDir}: what lies below ${FLEETING} of AWS Lambda does not last from run to run`,
    { hint: 'Mount a file system of EFS and name a folder on it with TRAILHOUND_STORE: docs/watch.md.' },
  );
}

/** They are for the store: nobody means to fetch a bucket and to hunt over it on Athena besides. */
function refuseSources(run: Run<Options>): void {
  const { config } = run;
  if (!isAthena(run) || config.sources.length === 0) return;
  throw new AppError(
    'config-invalid',
    `${config.placeOf(['sources'])}: sources: with backend: athena a watch hunts over the bucket, and ingests nothing`,
    {
      hint: 'Leave sources out of this config; or leave out backend, to ingest them and to hunt over the store.',
    },
  );
}
