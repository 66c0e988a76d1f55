/** What a watch says of itself: that all is quiet, that a source has gone silent, that a suppression has ended, that it is alive. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import { formatBytes } from '../size.ts';
import type { SourceState, Store, Suppression } from '../store.ts';
import { DAY_MS, formatTime, HOUR_MS, MINUTE_MS } from '../time.ts';
import { suppressionLabel } from './alerts.ts';
import { noticeMessage } from './messages.ts';
import type { Schedule } from './schedule.ts';
import type { WatchReport } from './watch.ts';

export interface WatchedSource {
  /** As the config names it. */
  readonly name: string;
  /** What the keys of its log files begin with; empty where they may lie anywhere. */
  readonly prefix: string;
}

export interface VigilDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly sources: readonly WatchedSource[];
  /** Hunts read an archive: no log file comes here, and whether one comes there is not judged. */
  readonly isOverArchive: boolean;
  /** Those of the config. */
  readonly suppressions: readonly Suppression[];
  /** When to say how the last day was; null for never. */
  readonly quiet: Schedule | null;
  /** Tells somebody outside that all is well; null where nobody asked. */
  readonly beat: ((signal: AbortSignal) => Promise<void>) | null;
  tell(message: ReturnType<typeof noticeMessage>): Promise<void>;
}

const LOOK_EVERY_MS = 10 * MINUTE_MS;
/** From so much of its past it is judged whether a source always delivers. */
const USUAL_MS = 14 * DAY_MS;
/** A folder that was filled once is no source that delivers. */
const USUAL_DAYS_MIN = 3;
/** Longer than usual by so much is silence. */
const SILENCE_FACTOR = 4;
const SILENCE_MIN_MS = HOUR_MS;
/** One a minute, of several hunts. */
const RUNS_MAX = 10_000;
const QUIET = 'due:all-quiet';
const SUPPRESSIONS = 'suppressions_seen';

export class Vigil {
  readonly #deps: VigilDeps;
  readonly #listed = new Map<string, { readonly atMs: number | null; readonly error: string | null }>();
  #lookAtMs = 0;
  #failures = 0;

  constructor(deps: VigilDeps) {
    this.#deps = deps;
  }

  /** A source was listed to its end, or could not be. */
  listed(source: string, error: string | null): void {
    const atMs = error === null ? this.#deps.clock.nowMs() : (this.#listed.get(source)?.atMs ?? null);
    this.#listed.set(source, { atMs, error });
  }

  /** Sources that could not be listed the last time. */
  get unlisted(): readonly string[] {
    return [...this.#listed].filter(([, { error }]) => error !== null).map(([source]) => source);
  }

  async attend(report: WatchReport, signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.nowMs();
    if (now >= this.#lookAtMs && report.caughtUp) {
      this.#lookAtMs = now + LOOK_EVERY_MS;
      await this.#lookAtSources();
      await this.#lookAtSuppressions();
    }
    await this.#sayQuiet();
    const isGood = report.failures === this.#failures && report.failing.size === 0 && this.unlisted.length === 0;
    this.#failures = report.failures;
    if (isGood) await this.#beat(signal);
  }

  async #beat(signal: AbortSignal): Promise<void> {
    const { beat, log } = this.#deps;
    if (beat === null) return;
    try {
      await beat(signal);
    } catch (error) {
      log('warn', 'the heartbeat was not taken', { error: error instanceof Error ? error.message : String(error) });
    }
  }

  async #lookAtSources(): Promise<void> {
    const { store, clock, sources } = this.#deps;
    const now = clock.nowMs();
    const before = new Map((await store.watching.sources()).map((state) => [state.source, state]));
    for (const { name, prefix } of sources) {
      const { files, lastMs, days, usualGapMs } = await store.watching.arrivals(prefix, now - USUAL_MS);
      const known = before.get(name);
      const listed = this.#listed.get(name);
      const isUsual = days >= USUAL_DAYS_MIN && usualGapMs !== null && lastMs !== null;
      const isSilent = isUsual && now - lastMs > Math.max(SILENCE_FACTOR * usualGapMs, SILENCE_MIN_MS);
      // Once silent, it is so until something comes.
      const since = known?.silentSinceMs ?? null;
      const silentSinceMs = isSilent ? lastMs : since !== null && (lastMs ?? 0) <= since ? since : null;
      const state: SourceState = {
        source: name,
        listedAtMs: listed?.atMs ?? known?.listedAtMs ?? null,
        arrivedAtMs: lastMs ?? known?.arrivedAtMs ?? null,
        files,
        usualGapMs,
        silentSinceMs,
        error: listed?.error ?? null,
      };
      if (silentSinceMs !== null && since === null) await this.#tellSilent(state, silentSinceMs);
      if (silentSinceMs === null && since !== null) await this.#tellBack(state, since);
      await store.watching.recordSource(state);
    }
  }

  async #tellSilent({ source, usualGapMs, error }: SourceState, sinceMs: number): Promise<void> {
    const usual = Math.ceil((usualGapMs ?? 0) / MINUTE_MS);
    await this.#tell(['silent', source, sinceMs], {
      title: `No log files from ${source}`,
      text: [
        `The last one came at ${formatTime(sinceMs)}; usually they are ${usual} min apart at most.`,
        error === null
          ? 'It can be listed, so nothing is delivered: look at the trail, its bucket policy and its key.'
          : error,
      ].join('\n'),
      severity: 'medium',
    });
  }

  async #tellBack({ source, arrivedAtMs }: SourceState, sinceMs: number): Promise<void> {
    await this.#tell(['back', source, sinceMs], {
      title: `Log files from ${source} again`,
      text: `Silent from ${formatTime(sinceMs)} to ${formatTime(arrivedAtMs ?? sinceMs)}.`,
      severity: 'informational',
    });
  }

  /** A suppression that ends is a decision to be taken again. */
  async #lookAtSuppressions(): Promise<void> {
    const { store, clock, suppressions } = this.#deps;
    const now = clock.nowMs();
    const seen = Number((await store.watching.get(SUPPRESSIONS)) ?? now);
    const all = [...suppressions, ...(await store.suppressions())];
    for (const suppression of all) {
      const { detector, until, reason, owner } = suppression;
      const endMs = until === null ? Number.NaN : Date.parse(until);
      if (!(endMs > seen && endMs <= now)) continue;
      await this.#tell(['suppression', suppressionLabel(suppression), until], {
        title: `A suppression of ${detector ?? 'every detector'} has ended`,
        text: `It was for: ${reason} (${owner}). Alerts that it covered are told of again.`,
        severity: 'low',
      });
    }
    await store.watching.set(SUPPRESSIONS, String(now));
  }

  async #sayQuiet(): Promise<void> {
    const { store, clock, quiet } = this.#deps;
    if (quiet === null) return;
    const now = clock.nowMs();
    const last = await store.watching.get(QUIET);
    const [dueMs] = last === null ? [] : quiet.timesBetween(Number(last), now);
    if (last !== null && dueMs === undefined) return;
    if (dueMs !== undefined) {
      const alerts = await store.alerts({ fromMs: dueMs - DAY_MS, toMs: dueMs, statuses: ['open', 'acknowledged'] });
      await this.#tell(['quiet', dueMs], {
        title: alerts.length === 0 ? 'All quiet' : `${alerts.length} alerts in the last day`,
        text: this.#deps.isOverArchive ? await this.#runsOf(dueMs) : await this.#arrivalsOf(dueMs),
        severity: 'informational',
      });
    }
    await store.watching.set(QUIET, String(dueMs ?? now));
  }

  /** The day before, by what came. */
  async #arrivalsOf(dueMs: number): Promise<string> {
    const { store, sources } = this.#deps;
    const arrivals = await store.watching.arrivals('', dueMs - DAY_MS);
    const silent = (await store.watching.sources()).filter(({ silentSinceMs }) => silentSinceMs !== null);
    return `${arrivals.files} log files in 24 h from ${sources.length} sources${silent.length > 0 ? `, ${silent.length} of them silent: ${silent.map(({ source }) => source).join(', ')}` : ''}.`;
  }

  /** The day before, by what was asked of the archive. */
  async #runsOf(dueMs: number): Promise<string> {
    const runs = (await this.#deps.store.watching.runs({ limit: RUNS_MAX })).filter(
      ({ startedAtMs }) => startedAtMs >= dueMs - DAY_MS && startedAtMs < dueMs,
    );
    const failed = runs.filter(({ state }) => state === 'failed').length;
    const scanned = runs.reduce((sum, { scannedBytes }) => sum + (scannedBytes ?? 0), 0);
    return `${runs.length} runs of hunts in 24 h${failed > 0 ? `, ${failed} of them failed` : ''}; ${formatBytes(scanned)} scanned on Athena.`;
  }

  async #tell(identity: readonly unknown[], notice: Parameters<typeof noticeMessage>[1]): Promise<void> {
    this.#deps.log('info', notice.title, { text: notice.text });
    await this.#deps.tell(noticeMessage(identity, notice, this.#deps.clock.nowMs()));
  }
}

/** A beat by HTTP: any answer below 400 is one. */
export async function beatTo(url: string, signal: AbortSignal, timeoutMs: number): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const response = await fetch(url, { redirect: 'error', signal: limit });
  await response.arrayBuffer();
  if (!response.ok) throw new AppError('delivery-failed', `the heartbeat was answered with status ${response.status}`);
}
