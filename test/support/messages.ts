/** Messages as the pipeline hands them to a sink. */
import type { Alert } from '../../src/alert.ts';
import type { Message } from '../../src/sink.ts';

export const ALERT: Alert = {
  schema: 1,
  id: '0123456789abcdef0123456789abcdef',
  detector: 'trail-logging-stopped',
  detector_version: 1,
  title: 'CloudTrail logging was stopped',
  severity: 'critical',
  status: 'open',
  subject: { principal: 'arn:aws:iam::111122223333:user/dora' },
  summary: 'dora called StopLogging on management-events in eu-central-1',
  count: 3,
  peak: null,
  first_seen: '2026-03-02T10:00:00Z',
  last_seen: '2026-03-02T10:05:00.250Z',
  window: { from: '2026-03-02T10:00:00Z', to: '2026-03-02T11:00:00Z' },
  account_id: '111122223333',
  region: 'eu-central-1',
  accounts: ['111122223333'],
  regions: ['eu-central-1'],
  source_ips: ['198.51.100.7', '2001:db8::1'],
  principal_arn: 'arn:aws:iam::111122223333:user/dora',
  context: null,
  attack: [{ technique: 'T1562.008', version: 16 }],
  event_ids: ['0a1b2c3d-0000-4000-8000-000000000001'],
  event_ids_total: 3,
  parameters: { at_least: 1 },
  suppressed_by: null,
  new: true,
  coverage: null,
};

export function alertMessage(alert: Partial<Alert> = {}, message: Partial<Message> = {}): Message {
  const whole = { ...ALERT, ...alert };
  return {
    key: `${whole.id}-1`,
    kind: 'alert',
    title: whole.title,
    text: whole.summary,
    severity: whole.severity,
    at: '2026-03-02T10:10:00Z',
    change: 'new',
    alerts: [whole],
    alertsTotal: 1,
    table: null,
    reference: null,
    ...message,
  };
}

/** One of a kind that is about no alert. */
export function plainMessage(kind: 'report' | 'notice' | 'test', message: Partial<Message> = {}): Message {
  return {
    key: `${kind}-1`,
    kind,
    title: `a ${kind}`,
    text: `what the ${kind} says`,
    severity: 'informational',
    at: '2026-03-02T10:10:00Z',
    change: null,
    alerts: [],
    alertsTotal: 0,
    table: null,
    reference: null,
    ...message,
  };
}

export const REPORT = plainMessage('report', {
  table: {
    columns: [
      { name: 'principal', type: 'VARCHAR' },
      { name: 'calls', type: 'BIGINT' },
    ],
    rows: [
      ['dora', 12],
      ['=HYPERLINK("http://evil.example")', -3],
    ],
    total: 5,
  },
});
