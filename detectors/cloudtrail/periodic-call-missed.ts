/** A job that ran every day did not run. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const CALLS = [
  'CreateSnapshot',
  'CreateSnapshots',
  'CreateImage',
  'CopySnapshot',
  'CreateDBSnapshot',
  'CreateDBClusterSnapshot',
  'CopyDBSnapshot',
  'StartBackupJob',
  'StartCopyJob',
  'CreateBackup',
  'ExportTableToPointInTime',
  'StartExportTask',
  'RotateSecret',
];
const job = (eventTime: string, change: object = {}) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'CreateSnapshot',
  eventTime,
  ...change,
});
const daily = (days: number, eventName = 'CreateSnapshot', change: object = {}) =>
  ({ repeat: days, every: '1d', record: job('2025-03-01T02:00:00Z', { eventName, ...change }) }) as const;
/** The account goes on: services enter their roles each day. */
const pulse = (days: number, change: object = {}) =>
  ({
    repeat: days,
    every: '1d',
    record: {
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      eventTime: '2025-03-01T12:00:00Z',
      userIdentity: { type: 'AWSService', invokedBy: 'lambda.amazonaws.com' },
      ...change,
    },
  }) as const;
const SUBJECT = { principal: 'arn:aws:iam::111122223333:user/Alice', event_name: 'CreateSnapshot' };

export const detector = defineDetector({
  id: 'periodic-call-missed',
  title: 'A job that ran every day did not run',
  description:
    'A principal made a call of maintenance, such as a snapshot or a backup, on each of fourteen days, and did not make it on the next, while the account went on. Backups that stop are noticed when they are needed; intruders stop them first. Services count here as well, because they do most of this work. Told once, for the first day without.',
  severity: 'low',
  severityReason: 'Mostly a job that broke or was moved; it matters because nobody else notices.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1490', version: 16 }],
  tags: ['operations', 'baseline'],
  when: {
    any: [
      { event_name: parameter('calls'), outcome: 'success' },
      // What shows that the account's log goes on: there is no day without it.
      { event_source: 'sts.amazonaws.com', event_name: 'AssumeRole' },
    ],
  },
  sql: `-- One row per principal and call of maintenance that was made on each day and not on this one.
WITH daily AS (
  SELECT c.account_id, c.principal, c.event_name, date_trunc('day', c.event_time) AS day_start, count(*) AS calls, min(c.aws_region) AS aws_region,
    min(c.principal_arn) AS principal_arn, max(c.event_time) AS last_time
  FROM cloudtrail AS c
  GROUP BY 1, 2, 3, 4
), steps AS (
  SELECT d.account_id, d.principal, d.event_name, d.day_start, d.principal_arn, d.aws_region, d.last_time,
    lead(d.day_start) OVER (PARTITION BY d.account_id, d.principal, d.event_name ORDER BY d.day_start) AS next_day
  FROM daily AS d
  WHERE d.event_name <> 'AssumeRole'
), ends AS (
  SELECT s.account_id, s.principal, s.event_name, s.day_start + INTERVAL '1' DAY AS slot, s.principal_arn, s.aws_region, s.last_time
  FROM steps AS s
  WHERE s.next_day IS NULL OR s.next_day > s.day_start + INTERVAL '1' DAY
), habits AS (
  SELECT e.account_id, e.principal, e.event_name, e.slot, min(e.principal_arn) AS principal_arn, min(e.aws_region) AS aws_region, min(e.last_time) AS last_time,
    count(*) AS days, CAST(sum(d.calls) AS BIGINT) AS calls
  FROM ends AS e
  JOIN daily AS d ON d.account_id = e.account_id AND d.principal = e.principal AND d.event_name = e.event_name AND d.day_start < e.slot
    AND d.day_start >= e.slot - INTERVAL '14' DAY
  GROUP BY 1, 2, 3, 4
), alive AS (
  SELECT d.account_id, d.day_start
  FROM daily AS d
  GROUP BY 1, 2
)
SELECT h.slot, h.account_id, h.principal, h.event_name, h.principal_arn, h.aws_region, h.calls / h.days AS usual, h.slot AS first_seen, h.slot AS last_seen,
  0 AS count
FROM habits AS h
JOIN alive AS a ON a.account_id = h.account_id AND a.day_start = h.slot
WHERE h.days >= :days
ORDER BY 1, 2, 3, 4`,
  lookback: '15d',
  slot: '1d',
  subject: ['account_id', 'principal', 'event_name'],
  summary: '{principal} did not call {event_name} in account {account_id} that day, usual are {usual} times a day',
  parameters: {
    calls: z
      .array(z.string())
      .default(CALLS)
      .describe('names of API calls that jobs make; compared regardless of case'),
    days: z
      .int()
      .min(2)
      .max(14)
      .default(14)
      .describe('days of the 14 before on which it was made; a job that rests on Sundays has 12'),
  },
  falsePositives: [
    'A job that was moved to another role, or ended on purpose.',
    'A job that ran a little before or after midnight UTC.',
  ],
  blindSpots: [
    'Jobs that run each week or month, and calls that are not on the list.',
    'A job that ran and failed inside of a service; a job that makes fewer copies than usual.',
    'Accounts in whose log nobody assumes a role.',
  ],
  response: [
    'Find the last run and what changed after it: saved question principal-timeline for the principal.',
    'Look for DeleteRule, DisableRule, DeleteBackupPlan and DeleteLifecyclePolicy: saved question recent-changes.',
  ],
  examples: [
    {
      name: 'fourteen days of snapshots, then none',
      records: [daily(14), pulse(15)],
      alerts: [{ subject: SUBJECT, count: 0 }],
    },
    {
      name: 'it runs again two days later',
      records: [daily(14), pulse(17), job('2025-03-16T02:00:00Z')],
      alerts: [{ subject: SUBJECT }],
    },
    {
      name: 'each kind of job, of a service too',
      records: [
        ...CALLS.map((name) => daily(14, name)),
        daily(14, 'StartBackupJob', { userIdentity: { type: 'AWSService', invokedBy: 'backup.amazonaws.com' } }),
        pulse(15),
      ],
      alerts: [
        ...CALLS.map((name) => ({ subject: { ...SUBJECT, event_name: name } })),
        { subject: { principal: 'backup.amazonaws.com', event_name: 'StartBackupJob' } },
      ],
    },
    { name: 'it ran', records: [daily(15), pulse(15)], alerts: [] },
    { name: 'thirteen days', records: [{ ...daily(13), record: job('2025-03-02T02:00:00Z') }, pulse(15)], alerts: [] },
    {
      name: 'the whole log stops, or only another account goes on',
      records: [daily(14), pulse(14), pulse(15, { recipientAccountId: '222233334444' })],
      alerts: [],
    },
    {
      name: 'a pulse of another kind does not show that the log goes on',
      records: [
        daily(14),
        pulse(15, { eventName: 'GetCallerIdentity' }),
        pulse(15, { eventSource: 'example.amazonaws.com' }),
      ],
      alerts: [],
    },
    {
      name: 'calls that are no job, and a job that fails each day and then stops',
      records: [
        daily(14, 'DescribeSnapshots'),
        daily(14, 'CreateSnapshot', { errorCode: 'Client.SnapshotLimitExceeded' }),
        pulse(15),
      ],
      alerts: [],
    },
    {
      name: 'who assumed a role each day stops to',
      records: [pulse(14), pulse(15, { userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' } })],
      alerts: [],
    },
  ],
});
