/** What is to be told to whom, and what became of it: the part of the store that makes each message reach each destination once. */
import type { AlertChange } from './alert.ts';
import type { Message } from './sink.ts';

/**
 * `pending`: to be delivered, now or when `nextAtMs` has come. `delivered`: the destination has taken it. `grouped`: another message tells of it.
 * `dead`: given up, until somebody sends it again. `dry`: rendered only, because the destination is on trial.
 */
export const DELIVERY_STATES = ['pending', 'delivered', 'grouped', 'dead', 'dry'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** A message for one destination. */
export interface NewDelivery {
  readonly sink: string;
  /** The alert that it is about; null for all other messages. */
  readonly alertId: string | null;
  readonly message: Omit<Message, 'reference'>;
}

export interface Delivery extends NewDelivery {
  /** Grows with every message. */
  readonly id: number;
  readonly attempts: number;
  readonly createdAtMs: number;
  /** What the destination gave back for its first message about this alert. */
  readonly reference: string | null;
}

/** What became of an attempt. */
export interface Outcome {
  readonly id: number;
  readonly state: Exclude<DeliveryState, 'grouped'>;
  readonly attempts: number;
  /** When to try again; only of a pending one. */
  readonly nextAtMs: number | null;
  readonly error: string | null;
  readonly reference: string | null;
}

/** A delivery as people see it: without its message, which is gone once it is delivered. */
export interface DeliveryRow {
  readonly id: number;
  readonly sink: string;
  readonly key: string;
  readonly kind: string;
  readonly title: string;
  readonly alert_id: string | null;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** ISO 8601. */
  readonly created_at: string;
  readonly next_at: string | null;
  readonly settled_at: string | null;
  readonly error: string | null;
}

export interface DeliveryCount {
  readonly sink: string;
  readonly state: DeliveryState;
  readonly count: number;
  /** ISO 8601 of the oldest. */
  readonly oldest: string;
}

export interface Outbox {
  /** Changes after `seq`, in order. */
  changes(afterSeq: number, limit: number): Promise<readonly AlertChange[]>;
  /** Which of these alerts each sink has been told of, or will be: `sink/alert id`. */
  told(alertIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** One transaction: queues the messages for when they were written, each key of a sink once, and notes down to which change alerts have been considered. */
  queue(deliveries: readonly NewDelivery[], routedSeq: number | null): Promise<void>;
  /** The change up to which alerts have been considered. */
  routedSeq(): Promise<number>;
  /** What may be sent to the sink now, oldest first: of the messages about one alert only the first that is not settled. */
  due(sink: string, nowMs: number, limit: number): Promise<readonly Delivery[]>;
  /** When the next message of the sink that waits may be sent; null when none does. */
  nextDueMs(sink: string): Promise<number | null>;
  settle(outcomes: readonly Outcome[], nowMs: number): Promise<void>;
  /** One message instead of many: these become `grouped`, in the same transaction. */
  group(ids: readonly number[], delivery: NewDelivery): Promise<void>;
  /** Newest first. */
  list(filter: {
    readonly sink?: string;
    readonly states?: readonly DeliveryState[];
    readonly alertId?: string;
    readonly limit: number;
  }): Promise<readonly DeliveryRow[]>;
  /** Dead messages are pending again: all of them, or those of one sink, or the ones named. How many. */
  resend(which: { readonly sink?: string; readonly ids?: readonly number[] }, nowMs: number): Promise<number>;
  counts(): Promise<readonly DeliveryCount[]>;
}
