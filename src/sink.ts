/** What a sink does: it hands one message to its destination. Order, retry, grouping and the outbox belong to the pipeline. */
import type { Alert, AlertChange, Severity } from './alert.ts';
import type { Value } from './backend.ts';

/** What is told of: one alert, many at once, the past as a whole, the result of a saved question, a word on trailhound itself, or a trial. */
export type MessageKind = 'alert' | 'alerts' | 'past' | 'report' | 'notice' | 'test';

export interface ReportTable {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly Value[])[];
  /** Rows that there are; `rows` may hold fewer. */
  readonly total: number;
}

export interface Message {
  /** Idempotency key: the same at every attempt, and of no other message. Letters, digits and `-`, 128 at most. */
  readonly key: string;
  readonly kind: MessageKind;
  /** One line. Printable, and hostile all the same: names and values in it come from logs. */
  readonly title: string;
  /** Plain text of a few lines, as hostile. */
  readonly text: string;
  readonly severity: Severity;
  /** ISO 8601: when it was written. */
  readonly at: string;
  /** What happened to the alert; null for all other kinds. */
  readonly change: AlertChange['change'] | null;
  /** The alert; of many the first EVIDENCE_MAX by severity; else none. */
  readonly alerts: readonly Alert[];
  /** How many there are. */
  readonly alertsTotal: number;
  /** The result of a saved question, else null. */
  readonly table: ReportTable | null;
  /** What deliver() gave back for the first message about this alert, such as the thread that it began; null for a first one. */
  readonly reference: string | null;
}

/** Why a destination did not take a message. Neither its text nor its cause may hold a secret of the config. */
export class DeliveryError extends Error {
  /** `message`: this one will never be taken. `sink`: nothing is taken now (unreachable, refused credentials, too fast): all of the destination waits. */
  readonly about: 'message' | 'sink';
  /** 0 where the destination asks for no pause. */
  readonly retryAfterMs: number;

  constructor(about: 'message' | 'sink', text: string, options: { readonly retryAfterMs?: number } = {}) {
    super(text);
    this.name = 'DeliveryError';
    this.about = about;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

export interface Sink {
  /**
   * Resolves when the destination has taken the message; with a reference for later messages about the same alert, or null. May be called again with
   * the same key after a crash. Messages come one after the other. Throws DeliveryError, or what is a bug.
   */
  deliver(message: Message, signal: AbortSignal): Promise<string | null>;
  /** What deliver() would send, as text for a person; without secrets. */
  render(message: Message): string;
  close(): Promise<void>;
}
