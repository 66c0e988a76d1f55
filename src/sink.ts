/** What a sink does: it delivers one alert once. Retry, order and the outbox belong to the pipeline. */
import type { Alert } from './alert.ts';

export interface Sink {
  readonly name: string;
  /** Resolves when the destination has taken the alert. May be called again for the same id after a crash. */
  deliver(alert: Alert): Promise<void>;
  close(): Promise<void>;
}
