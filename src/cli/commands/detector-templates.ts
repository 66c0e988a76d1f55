/** The file that `detectors new` writes, one per language. It loads as it stands, and its example fails until the condition is written. */

export type TemplateKind = 'js' | 'ts' | 'sql' | 'yaml';

const title = (id: string): string => {
  const words = id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function moduleTemplate(id: string, specifier: string): string {
  return `/** ${title(id)}: why somebody wants to know of it. */
import { defineDetector } from '${specifier}';

export const detector = defineDetector({
  id: '${id}',
  title: '${title(id)}',
  description: 'What it sees, why that matters, and what it rests on.',
  severity: 'medium',
  severityReason: 'One line that argues for the severity.',
  table: 'cloudtrail',
  attack: [],
  when: { event_source: 'example.amazonaws.com', event_name: 'ReplaceMe', outcome: 'success' },
  slot: 'event',
  subject: ['principal'],
  summary: '{principal} called {event_name} in {aws_region}',
  falsePositives: ['Who does this rightly, and how to tell.'],
  blindSpots: ['What it cannot see, and which logging it needs.'],
  examples: [
    {
      name: 'what must raise an alert',
      records: [{ eventSource: 'iam.amazonaws.com', eventName: 'CreateUser', requestParameters: { userName: 'mallory' } }],
      alerts: [{ subject: {} }],
    },
    {
      name: 'the call was refused',
      records: [{ eventSource: 'iam.amazonaws.com', eventName: 'CreateUser', errorCode: 'AccessDenied' }],
      alerts: [],
    },
  ],
});
`;
}

const YAML = (id: string): string => `id: ${id}
title: ${title(id)}
description: What it sees, why that matters, and what it rests on.
severity: medium
severityReason: One line that argues for the severity.
table: cloudtrail
attack: []
when: { event_source: example.amazonaws.com, event_name: ReplaceMe, outcome: success }
slot: event
subject: [principal]
summary: '{principal} called {event_name} in {aws_region}'
falsePositives: [Who does this rightly and how to tell.]
blindSpots: [What it cannot see and which logging it needs.]
examples:
  - name: what must raise an alert
    records: [{ eventSource: iam.amazonaws.com, eventName: CreateUser, requestParameters: { userName: mallory } }]
    alerts: [{ subject: {} }]
  - name: the call was refused
    records: [{ eventSource: iam.amazonaws.com, eventName: CreateUser, errorCode: AccessDenied }]
    alerts: []
`;

const SQL = (id: string): string => `-- id: ${id}
-- title: ${title(id)}
-- description: What it sees, why that matters, and what it rests on.
-- severity: medium
-- severityReason: One line that argues for the severity.
-- table: cloudtrail
-- attack: []
-- slot: 1h
-- subject: [account_id, principal]
-- summary: '{principal} made {count} calls that changed something within an hour'
-- parameters:
--   calls: { default: 100, doc: Calls within an hour; so many are rare by hand. }
-- falsePositives: [Who does this rightly and how to tell.]
-- blindSpots: [What it cannot see and which logging it needs.]
-- examples:
--   - name: what must raise an alert
--     records: [{ eventSource: iam.amazonaws.com, eventName: CreateUser, requestParameters: { userName: mallory } }]
--     alerts: [{ subject: {} }]
SELECT date_trunc('hour', event_time) AS slot, account_id, principal, min(event_time) AS first_seen, max(event_time) AS last_seen,
  count(*) AS count, array_agg(event_id ORDER BY event_time, event_id) AS event_ids
FROM cloudtrail
WHERE outcome = 'success' AND coalesce(read_only, false) = false
GROUP BY 1, 2, 3
HAVING count(*) >= :calls
ORDER BY slot, account_id, principal
`;

export const TEMPLATES: Readonly<Record<TemplateKind, (id: string, specifier: string) => string>> = {
  js: moduleTemplate,
  ts: moduleTemplate,
  yaml: YAML,
  sql: SQL,
};
