/** An alert as an OCSF Detection Finding. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlertStatus } from '../src/alert.ts';
import { toOcsf } from '../src/ocsf.ts';
import { hostileAlert } from './support/hostile.ts';
import { ALERT } from './support/messages.ts';
import { detectionFinding } from './support/ocsf-schema.ts';

const AT = '2026-03-02T10:10:00Z';

test('what is in an alert is where OCSF has it', () => {
  const finding = toOcsf(ALERT, AT);
  expect(detectionFinding.parse(finding)).toEqual(finding);
  expect(finding).toMatchObject({
    type_uid: 200401,
    severity_id: 5,
    status: 'New',
    time: Date.parse(AT),
    start_time: Date.parse(ALERT.first_seen),
    finding_info: {
      uid: ALERT.id,
      title: ALERT.title,
      analytic: { uid: ALERT.detector, version: '1' },
      attacks: [
        {
          version: '16',
          technique: { uid: 'T1562', name: 'Impair Defenses' },
          sub_technique: { uid: 'T1562.008', name: 'Disable or Modify Cloud Logs' },
        },
      ],
    },
    cloud: { provider: 'AWS', account: { uid: '111122223333' }, region: 'eu-central-1' },
    evidences: [
      { actor: { user: { uid: ALERT.principal_arn } }, src_endpoint: { ip: '198.51.100.7' } },
      { actor: { user: { uid: ALERT.principal_arn } }, src_endpoint: { ip: '2001:db8::1' } },
    ],
  });
});

test.each<[AlertStatus, boolean, string, string, boolean]>([
  ['open', true, 'Create', 'New', true],
  ['open', false, 'Update', 'New', true],
  ['acknowledged', false, 'Update', 'In Progress', false],
  ['closed', false, 'Close', 'Resolved', false],
  ['suppressed', true, 'Close', 'Suppressed', false],
  ['withdrawn', false, 'Close', 'Archived', false],
])('%s (new: %s) is %s and %s', (status, isNew, activity, caption, isAlert) => {
  const finding = toOcsf({ ...ALERT, status, new: isNew }, AT);
  detectionFinding.parse(finding);
  expect([finding.activity_name, finding.status, finding.is_alert]).toEqual([activity, caption, isAlert]);
});

test('a technique that we have no name for, and one without a part', () => {
  const { finding_info: info } = toOcsf(
    {
      ...ALERT,
      attack: [
        { technique: 'T9999.001', version: 17 },
        { technique: 'T1040', version: 17 },
      ],
    },
    AT,
  );
  expect(info).toMatchObject({
    attacks: [
      { version: '17', technique: { uid: 'T9999' }, sub_technique: { uid: 'T9999.001' } },
      { version: '17', technique: { uid: 'T1040', name: 'Network Sniffing' } },
    ],
  });
});

test('whatever a log says, it is a valid finding', () => {
  fc.assert(
    fc.property(hostileAlert, (alert) => void detectionFinding.parse(toOcsf(alert, AT))),
    { numRuns: 300 },
  );
});
