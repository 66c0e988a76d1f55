/** Delivery: each destination has a loop of its own, which sends what is due in order, waits where nothing is taken, and gives up in the end. */
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Delivery, Outbox, Outcome } from '../outbox.ts';
import { DeliveryError, type Sink } from '../sink.ts';
import { MINUTE_MS, SECOND_MS } from '../time.ts';
import { groupMessage } from './messages.ts';
import type { SinkRules } from './route.ts';

/** A destination that is open for delivery. */
export interface OpenSink {
  readonly rules: SinkRules;
  readonly sink: Sink;
}

export interface DispatchDeps {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, so that destinations do not march in step. */
  readonly random: () => number;
}

/** One message at most: a destination that says nothing for so long takes nothing. */
const DELIVERY_MS = 60 * SECOND_MS;
/** Of a run that is to end, for the message that is on its way: cut off, it would be sent twice. */
const GRACE_MS = 5 * SECOND_MS;
const BACKOFF_MIN_MS = SECOND_MS;
const BACKOFF_MAX_MS = 10 * MINUTE_MS;
/** Of what is due, looked at together: a flood is seen as a whole. */
const DUE_MAX = 1000;
/** A message that makes trailhound itself fail is not tried for ever. */
const FAULTS_MAX = 8;

const backoffMs = (attempts: number, random: number): number =>
  Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(attempts, 20)) * (0.5 + random / 2);

export class Dispatcher {
  readonly #open: OpenSink;
  readonly #deps: DispatchDeps;
  /** When messages were sent, within the span that the rate is about. */
  #sentAtMs: number[] = [];
  #failures = 0;
  #pausedUntilMs = 0;
  #wake = new AbortController();

  constructor(open: OpenSink, deps: DispatchDeps) {
    this.#open = open;
    this.#deps = deps;
  }

  /** Something was queued. */
  poke(): void {
    this.#wake.abort();
  }

  /** True while the destination takes nothing. */
  get isPaused(): boolean {
    return this.#pausedUntilMs > this.#deps.clock.nowMs();
  }

  /** Delivers until the signal is raised; a message that is on its way is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, outbox, log } = this.#deps;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      let waitMs: number;
      try {
        await this.drain(signal);
        const next = await outbox.nextDueMs(this.#open.rules.id);
        waitMs = next === null ? MINUTE_MS : Math.max(next, this.#waitUntilMs()) - clock.nowMs();
      } catch (error) {
        log('error', 'deliveries could not be read or noted down', { sink: this.#open.rules.id, error: textOf(error) });
        waitMs = BACKOFF_MAX_MS / 60;
      }
      if (!signal.aborted)
        await clock.sleep(Math.min(Math.max(waitMs, 50), MINUTE_MS), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** Sends all that is due now, until the destination takes no more. Returns how many were taken. */
  async drain(signal: AbortSignal): Promise<number> {
    const { clock, outbox } = this.#deps;
    const { rules } = this.#open;
    let taken = 0;
    while (!signal.aborted && clock.nowMs() >= this.#waitUntilMs()) {
      const due = await outbox.due(rules.id, clock.nowMs(), DUE_MAX);
      if (due.length === 0) break;
      if (await this.#group(due)) continue;
      for (const delivery of due) {
        if (signal.aborted || clock.nowMs() < this.#waitUntilMs()) break;
        if (await this.#deliver(delivery, signal)) taken++;
      }
    }
    return taken;
  }

  /** When the next message may be sent at all. */
  #waitUntilMs(): number {
    const { rate } = this.#open.rules;
    if (rate === null) return this.#pausedUntilMs;
    const { messages, perMs } = rate;
    const now = this.#deps.clock.nowMs();
    this.#sentAtMs = this.#sentAtMs.filter((at) => at > now - perMs);
    const oldest = this.#sentAtMs.at(-messages);
    return Math.max(this.#pausedUntilMs, oldest === undefined ? 0 : oldest + perMs);
  }

  /** Makes one message of alerts that belong together, and of all of them where they are more than the rate allows. True when it did. */
  async #group(due: readonly Delivery[]): Promise<boolean> {
    const { rules } = this.#open;
    // One that was tried may have been taken: under another key it would come twice.
    const alerts = due.filter(({ message, attempts }) => message.kind === 'alert' && attempts === 0);
    const { rate } = rules;
    if (rate !== null && alerts.length > 1 && alerts.length > rate.messages - this.#sentAtMs.length) {
      const seconds = rate.perMs / SECOND_MS;
      await this.#join(alerts, `More than ${rate.messages} messages in ${seconds} s: these alerts come as one.`);
      return true;
    }
    if (rules.groupBy === 'none') return false;
    const groups = new Map<string, Delivery[]>();
    for (const delivery of alerts) {
      const [alert] = delivery.message.alerts;
      const of = rules.groupBy === 'detector' ? alert?.detector : (alert?.account_id ?? 'several accounts');
      groups.set(of ?? '', [...(groups.get(of ?? '') ?? []), delivery]);
    }
    const many = [...groups].filter(([, group]) => group.length > 1);
    for (const [of, group] of many) await this.#join(group, `Of the ${rules.groupBy} ${of}:`);
    return many.length > 0;
  }

  async #join(deliveries: readonly Delivery[], why: string): Promise<void> {
    const { outbox, clock } = this.#deps;
    await outbox.group(
      deliveries.map(({ id }) => id),
      {
        sink: this.#open.rules.id,
        alertId: null,
        message: groupMessage(
          deliveries.map(({ message }) => message),
          why,
          clock.nowMs(),
        ),
      },
    );
  }

  async #deliver(delivery: Delivery, signal: AbortSignal): Promise<boolean> {
    const { clock, outbox, log } = this.#deps;
    const { rules, sink } = this.#open;
    const message = { ...delivery.message, reference: delivery.reference };
    const attempts = delivery.attempts + 1;
    const fields = { sink: rules.id, key: message.key, attempts };
    const settled = (outcome: Omit<Outcome, 'id' | 'attempts'>): Promise<void> =>
      outbox.settle([{ id: delivery.id, attempts, ...outcome }], clock.nowMs());
    if (rules.dryRun) {
      log('info', 'would be delivered', { ...fields, message: sink.render(message) });
      await settled({ state: 'dry', nextAtMs: null, error: null, reference: null });
      return true;
    }
    try {
      const reference = await withLimit(signal, (limit) => sink.deliver(message, limit));
      if (rules.rate !== null) this.#sentAtMs.push(clock.nowMs());
      this.#failures = 0;
      await settled({ state: 'delivered', nextAtMs: null, error: null, reference });
      log('info', 'delivered', { ...fields, title: message.title });
      return true;
    } catch (error) {
      // Whoever ends the run ends this attempt: it is made again.
      if (signal.aborted) return false;
      await this.#failed(delivery, attempts, error, settled);
      return false;
    }
  }

  async #failed(
    { createdAtMs, message }: Delivery,
    attempts: number,
    error: unknown,
    settled: (outcome: Omit<Outcome, 'id' | 'attempts'>) => Promise<void>,
  ): Promise<void> {
    const { clock, log, random } = this.#deps;
    const { rules } = this.#open;
    const text = textOf(error);
    const fields = { sink: rules.id, key: message.key, attempts, error: text };
    const now = clock.nowMs();
    const isKnown = error instanceof DeliveryError;
    const isOfSink = isKnown ? error.about === 'sink' : isTimeout(error);
    const isOver = isOfSink ? now - createdAtMs >= rules.giveUpAfterMs : isKnown || attempts >= FAULTS_MAX;
    if (isOfSink) {
      const pause = backoffMs(this.#failures++, random());
      this.#pausedUntilMs = now + Math.max(pause, isKnown ? error.retryAfterMs : 0);
    }
    if (isOver) {
      log('error', 'given up: trailhound sink resend sends it again', fields);
      await settled({ state: 'dead', nextAtMs: null, error: text, reference: null });
      return;
    }
    const nextAtMs = isOfSink ? this.#pausedUntilMs : now + backoffMs(attempts, random());
    log('warn', 'not delivered yet', { ...fields, next_in_ms: Math.round(nextAtMs - now) });
    await settled({ state: 'pending', nextAtMs, error: text, reference: null });
  }
}

/** Raises its own signal after DELIVERY_MS, and GRACE_MS after the run is to end. */
async function withLimit<T>(signal: AbortSignal, work: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const endAfter = (ms: number): void => void timers.push(setTimeout(() => limit.abort(), ms));
  const hurry = (): void => endAfter(GRACE_MS);
  endAfter(DELIVERY_MS);
  signal.addEventListener('abort', hurry);
  try {
    return await work(limit.signal);
  } finally {
    signal.removeEventListener('abort', hurry);
    for (const timer of timers) clearTimeout(timer);
  }
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
