/** What a running watch tells those who look after it, on loopback: /healthz for a probe, /metrics for Prometheus. */
import { createServer, type Server } from 'node:http';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store.ts';
import { MINUTE_MS } from '../time.ts';
import type { Watch } from './wire-watch.ts';

interface Watched {
  readonly watch: Watch;
  readonly vigil: { readonly unlisted: readonly string[] };
  readonly store: Store;
  readonly log: Log;
  readonly isOverArchive: boolean;
}

/** Without a hunt or a listing for so long, something hangs. */
const STALE_MS = 15 * MINUTE_MS;

/** Serves until it is closed; null where the config names no address. Throws `config-invalid` for one that is taken. */
export async function serveMonitor(
  address: string | undefined,
  watched: Watched,
): Promise<{ close(): Promise<void> } | null> {
  if (address === undefined) return null;
  const { hostname, port } = new URL(`http://${address}`);
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const answer = async (): Promise<{ status: number; type: string; body: string }> => {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return { status: 405, type: 'text/plain', body: 'GET only\n' };
      if (path === '/healthz') return health(watched);
      if (path === '/metrics') return { status: 200, type: 'text/plain; version=0.0.4', body: await metrics(watched) };
      return { status: 404, type: 'text/plain', body: 'There are /healthz and /metrics.\n' };
    };
    answer()
      .catch((error: unknown) => ({
        status: 500,
        type: 'text/plain',
        body: `${error instanceof Error ? error.message : String(error)}\n`,
      }))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': `${type}; charset=utf-8` });
        response.end(request.method === 'HEAD' ? undefined : body);
      })
      .catch((error: unknown) => watched.log('warn', 'a question could not be answered', { error: String(error) }));
  });
  await listen(server, Number(port), hostname.replace(/^\[|\]$/gu, ''), address);
  // Port 0 asks for one that is free.
  const bound = server.address();
  const told = typeof bound === 'object' && bound !== null ? address.replace(/:\d+$/u, `:${bound.port}`) : address;
  watched.log('info', 'serving /healthz and /metrics', { address: told });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new AppError('config-invalid', `cannot listen on ${address}: ${cause.message}`, {
          hint: 'Name another port of loopback with watch.listen.',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function health({ watch: { report }, vigil, isOverArchive }: Watched): { status: number; type: string; body: string } {
  // Over an archive nothing is listed, and hunts may be days apart.
  const seen = isOverArchive ? [report.lastLookMs] : [report.lastHuntMs, report.lastListedMs];
  const age = Date.now() - Math.max(...seen.map((ms) => ms ?? 0), report.startedAtMs);
  const problems = [
    ...[...report.failing].map(([part, error]) => `${part}: ${error}`),
    ...vigil.unlisted.map((source) => `cannot list ${source}`),
    ...(age > STALE_MS
      ? [`nothing was ${isOverArchive ? 'looked after' : 'listed or hunted'} for ${Math.round(age / MINUTE_MS)} min`]
      : []),
  ];
  return {
    status: problems.length === 0 ? 200 : 503,
    type: 'application/json',
    body: `${JSON.stringify({ healthy: problems.length === 0, caught_up: report.caughtUp, problems })}\n`,
  };
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
async function metrics({ watch: { report }, store }: Watched): Promise<string> {
  const [status, deliveries] = await Promise.all([store.status(), store.outbox.counts()]);
  const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);
  const watermark = status.watermark === null ? null : Date.parse(status.watermark);
  const lines: string[] = [];
  const add = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number | null])[],
  ): void => {
    const known = values.filter(([, value]) => value !== null);
    if (known.length === 0) return;
    lines.push(`# HELP trailhound_${name} ${help}`, `# TYPE trailhound_${name} ${type}`);
    for (const [labels, value] of known) lines.push(`trailhound_${name}${labelText(labels)} ${value}`);
  };
  add('started_seconds', 'gauge', 'When the watch began, in seconds since 1970.', [[{}, seconds(report.startedAtMs)]]);
  add('commits_total', 'counter', 'Commits of log files.', [[{}, report.commits]]);
  add('hunts_total', 'counter', 'Hunts that were run.', [[{}, report.hunts]]);
  add('hunt_seconds_total', 'counter', 'Time that hunts took.', [[{}, seconds(report.huntMs)]]);
  add('alerts_total', 'counter', 'Alerts that were new.', [[{}, report.alerts]]);
  add('athena_scanned_bytes_total', 'counter', 'Bytes that statements on Athena scanned.', [[{}, report.scannedBytes]]);
  add('failures_total', 'counter', 'Failures of any part.', [[{}, report.failures]]);
  add('last_commit_seconds', 'gauge', 'When log files were last stored.', [[{}, seconds(report.lastCommitMs)]]);
  add('last_hunt_seconds', 'gauge', 'When a hunt last ended.', [[{}, seconds(report.lastHuntMs)]]);
  add('last_listed_seconds', 'gauge', 'When a source was last listed to its end.', [
    [{}, seconds(report.lastListedMs)],
  ]);
  add('newest_event_seconds', 'gauge', 'Time of the newest event.', [[{}, seconds(watermark)]]);
  add(
    'records_total',
    'counter',
    'Records by what became of them; in is their sum.',
    (['in', 'stored', 'duplicate', 'rejected'] as const).map((what) => [{ what }, status.records[what]]),
  );
  add(
    'log_files_total',
    'counter',
    'Log files by how they were read.',
    (['done', 'damaged', 'failed'] as const).map((what) => [{ what }, status.files[what]]),
  );
  add('balanced', 'gauge', '1 where records in are stored, duplicate and rejected.', [[{}, status.balanced ? 1 : 0]]);
  add(
    'deliveries',
    'gauge',
    'Messages by destination and state.',
    deliveries.map(({ sink, state, count }) => [{ sink, state }, count]),
  );
  return `${lines.join('\n')}\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/gu, (one) => (one === '\n' ? '\\n' : `\\${one}`))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
