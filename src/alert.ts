/** An alert: a finding after suppression and de-duplication, as it is stored, printed and delivered. */
import type { Value } from './backend.ts';
import type { AccountContext, AddressContext } from './enrichment.ts';

export const SEVERITIES = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const ALERT_STATUSES = ['open', 'acknowledged', 'closed', 'suppressed', 'withdrawn'] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];

/** How many event ids and addresses an alert names; the totals are told beside them. */
export const EVIDENCE_MAX = 20;

/** The published JSON (docs/reference/alert.schema.json); property order is the order of printing. */
export interface Alert {
  readonly schema: 1;
  /** First 32 hex digits of a SHA-256: see alertId in detection/identity.ts. */
  readonly id: string;
  readonly detector: string;
  readonly detector_version: number;
  readonly title: string;
  readonly severity: Severity;
  readonly status: AlertStatus;
  /** The subject's columns and values, in the order of the detector. */
  readonly subject: Readonly<Record<string, Value>>;
  /** One sentence: who did what, from where. */
  readonly summary: string;
  /** Events of the finding. */
  readonly count: number;
  /** For a threshold the highest live count; else null. */
  readonly peak: number | null;
  readonly first_seen: string;
  readonly last_seen: string;
  /** The slot, half-open; for slot `event` the event's own time at both ends. */
  readonly window: { readonly from: string; readonly to: string };
  /** Null if several. */
  readonly account_id: string | null;
  /** Null if several. */
  readonly region: string | null;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** At most EVIDENCE_MAX. */
  readonly source_ips: readonly string[];
  readonly principal_arn: string | null;
  /** What was known of its addresses and accounts when it was found; null for nothing. */
  readonly context: KnownContext | null;
  readonly attack: readonly { readonly technique: string; readonly version: number }[];
  /** The first EVIDENCE_MAX by (event_time, event_id). */
  readonly event_ids: readonly string[];
  readonly event_ids_total: number;
  readonly parameters: Readonly<Record<string, Value>>;
  /** The suppression that covers it: its number, or `config:` and a hash of what one of the config covers. */
  readonly suppressed_by: string | null;
  /** True when this run found it first. */
  readonly new: boolean;
  /** Null until it is measured. */
  readonly coverage: null;
}

/** What incidents and ranks follow from: a small part of an alert, since they follow from all of them. */
export type AlertOutline = Pick<
  Alert,
  | 'id'
  | 'detector'
  | 'title'
  | 'severity'
  | 'status'
  | 'subject'
  | 'first_seen'
  | 'last_seen'
  | 'accounts'
  | 'regions'
  | 'source_ips'
  | 'principal_arn'
  | 'attack'
>;

/** By address and account id: those of which something is known, and what is known of them. */
export interface KnownContext {
  readonly addresses: Readonly<Record<string, Partial<AddressContext>>>;
  readonly accounts: Readonly<Record<string, Partial<AccountContext>>>;
}

/** `grown`: it has at least twice the events that were told of. One that no suppression covers any longer is `new`. */
export const ALERT_CHANGES = ['new', 'grown', 'reopened', 'acknowledged', 'closed', 'suppressed', 'withdrawn'] as const;

/** Something that happened to an alert and that people are told of. */
export interface AlertChange {
  /** Grows with every change of the store. */
  readonly seq: number;
  /** Of this alert, from 1. */
  readonly revision: number;
  readonly change: (typeof ALERT_CHANGES)[number];
  /** ISO 8601, our clock. */
  readonly at: string;
  /** Null for trailhound itself. */
  readonly by: string | null;
  readonly why: string | null;
  /** Its events then. */
  readonly count: number;
  /** As it is now. */
  readonly alert: Alert;
}
