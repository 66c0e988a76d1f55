/** Incidents: which alerts are one story, under which id, and what is told of it. */
import { describe, expect, test } from 'vitest';
import type { Alert } from '../src/alert.ts';
import { type Incident, incidentsOf } from '../src/incident.ts';
import { formatTime, HOUR_MS, MINUTE_MS } from '../src/time.ts';

const START = Date.parse('2026-03-06T20:00:00Z');
const ALICE = 'arn:aws:iam::111122223333:user/alice';

let made = 0;
/** An alert of these minutes after START. */
function alert(from: number, to: number, change: Partial<Alert> = {}): Alert {
  made += 1;
  const first_seen = formatTime(START + from * MINUTE_MS);
  const last_seen = formatTime(START + to * MINUTE_MS);
  return {
    schema: 1,
    id: made.toString(16).padStart(32, '0'),
    detector: 'trail-logging-stopped',
    detector_version: 1,
    title: 'CloudTrail logging was stopped',
    severity: 'medium',
    status: 'open',
    subject: { account_id: '111122223333', principal: ALICE },
    summary: '',
    count: 1,
    peak: null,
    first_seen,
    last_seen,
    window: { from: first_seen, to: last_seen },
    account_id: '111122223333',
    region: 'us-east-1',
    accounts: ['111122223333'],
    regions: ['us-east-1'],
    source_ips: ['198.51.100.7'],
    principal_arn: ALICE,
    context: null,
    attack: [],
    event_ids: [],
    event_ids_total: 1,
    parameters: {},
    suppressed_by: null,
    new: false,
    coverage: null,
    ...change,
  };
}

const about = (principal: string | null): Partial<Alert> => ({ subject: { principal }, principal_arn: principal });
const of = (technique: string): Partial<Alert> => ({ attack: [{ technique, version: 16 }] });
const only = (alerts: readonly Alert[]): Incident => {
  const incidents = incidentsOf(alerts);
  expect(incidents).toHaveLength(1);
  return incidents[0] as Incident;
};

test('an incident tells who, from where, what in order of time, and how long', () => {
  const alerts = [
    alert(14, 14, { severity: 'high', status: 'acknowledged', source_ips: ['198.51.100.9'], regions: ['eu-west-1'] }),
    alert(5, 6, { title: 'An access key was made for another user', status: 'closed', account_id: null }),
    alert(0, 0, { title: 'An IAM user signed in to the console without MFA', status: 'closed' }),
    alert(7, 7, { title: 'An access key was made for another user', status: 'closed' }),
  ];
  expect(incidentsOf(alerts)).toEqual([
    {
      schema: 1,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      principal: ALICE,
      severity: 'high',
      status: 'acknowledged',
      story:
        'user/alice 111122223333 from 198.51.100.7 +1: An IAM user signed in to the console without MFA → An access key was made for another user ×2 → CloudTrail logging was stopped (14 min, 4 alerts)',
      alerts: 4,
      first_seen: '2026-03-06T20:00:00Z',
      last_seen: '2026-03-06T20:14:00Z',
      accounts: ['111122223333'],
      regions: ['eu-west-1', 'us-east-1'],
      source_ips: ['198.51.100.7', '198.51.100.9'],
      tactics: [],
      alert_ids: [2, 1, 3, 0].map((at) => alerts[at]?.id),
    },
  ]);
});

describe('alerts are of one incident', () => {
  test.each([
    ['with six hours between them', [alert(0, 10), alert(370, 370)], 1],
    ['not with more', [alert(0, 10), alert(370.001, 371)], 0],
    ['when one of them spans the pause', [alert(0, 1000), alert(5, 6), alert(1300, 1300)], 1],
    ['not of another principal', [alert(0, 0), alert(1, 1, about('arn:aws:iam::111122223333:user/bob'))], 0],
    ['by the ARN where the subject names no principal', [alert(0, 0), alert(1, 1, { subject: { bucket: 'b' } })], 1],
    ['not when one is alone', [alert(0, 0)], 0],
    ['not when one was withdrawn', [alert(0, 0), alert(1, 1, { status: 'withdrawn' })], 0],
    ['not when one is suppressed', [alert(0, 0), alert(1, 1, { status: 'suppressed' })], 0],
  ])('%s', (_, alerts, expected) => {
    expect(incidentsOf(alerts)).toHaveLength(expected);
  });

  test.each([
    null,
    '',
    'anonymous',
    'unknown',
    'config.amazonaws.com',
    'ec2.amazonaws.com.cn',
    'arn:aws:iam::111122223333:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport',
  ])('never of %j, who is nobody', (principal) => {
    expect(incidentsOf([alert(0, 0, about(principal)), alert(1, 1, about(principal))])).toEqual([]);
  });
});

describe('the id', () => {
  const [first, second, third] = [alert(0, 0), alert(5, 5), alert(500, 500)];
  const { id } = only([first, second]);

  test('stays when alerts come late, before the first one in its slot or after the last', () => {
    expect(only([alert(-115, -110), first, second, alert(60, 60)]).id).toBe(id);
  });

  test('of the earlier one stays when an alert joins two', () => {
    const fourth = alert(505, 505);
    const [later, earlier] = incidentsOf([first, second, third, fourth]);
    expect(earlier?.id).toBe(id);
    expect(only([first, second, alert(300, 300), third, fourth]).id).toBe(id);
    expect(later?.id).not.toBe(id);
  });

  test('differs between principals', () => {
    const bob = about('arn:aws:iam::111122223333:user/bob');
    expect(only([alert(0, 0, bob), alert(5, 5, bob)]).id).not.toBe(id);
  });
});

describe('the severity', () => {
  test.each([
    ['is the highest', [alert(0, 0, { severity: 'low' }), alert(1, 1)], 'medium'],
    ['stays with two tactics', [alert(0, 0, of('T1580')), alert(1, 1, of('T1098.001'))], 'medium'],
    [
      'is raised by three tactics',
      [alert(0, 0, of('T1580')), alert(1, 1, of('T1098.001')), alert(2, 2, of('T1562.008'))],
      'high',
    ],
    [
      'is not raised by the many techniques of one alert',
      [
        alert(0, 0, { attack: ['T1580', 'T1098', 'T1485'].map((technique) => ({ technique, version: 16 })) }),
        alert(1, 1),
      ],
      'medium',
    ],
    [
      'cannot be more than critical',
      [
        alert(0, 0, { ...of('T1580'), severity: 'critical' }),
        alert(1, 1, of('T1098.001')),
        alert(2, 2, { attack: [{ technique: 'T1685.002', version: 19 }] }),
      ],
      'critical',
    ],
  ])('%s', (_, alerts, expected) => {
    expect(only(alerts).severity).toBe(expected);
  });
});

describe('the story', () => {
  test('is one line that no terminal obeys', () => {
    const hostile = { ...about('evil\u001b[2J\u202e\n'), title: 'own\u0007\r\ntitle', source_ips: [] };
    expect(only([alert(0, 0, hostile), alert(0.5, 0.5, hostile)]).story).toBe(
      'evil\\x1b[2J\\u{202e}\\n: own\\x07\\r\\ntitle ×2 (30 s, 2 alerts)',
    );
  });

  test('of many steps tells the most severe, in order of time', () => {
    const steps = Array.from({ length: 12 }, (_, at) =>
      alert(at * 300, at * 300, { title: `step ${at}`, severity: at % 3 === 0 ? 'high' : 'low' }),
    );
    expect(only(steps).story).toBe(
      'user/alice 111122223333 from 198.51.100.7: step 0 → step 1 → step 2 → step 3 → step 4 → step 5 → step 6 → step 9, and 4 more (2 d 7 h, 12 alerts)',
    );
  });
});

test('neither the order in which alerts were found nor what others did changes an incident, and no two have one id', () => {
  // A linear congruential generator: the same alerts in every run.
  let state = 7;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % below;
  };
  const names = ['a', 'b', 'c'].map((name) => `arn:aws:iam::111122223333:user/${name}`);
  const alerts = Array.from({ length: 300 }, () => {
    const from = random(60 * 24 * 20);
    return alert(from, from + random(200), about(names[random(3)] ?? null));
  });
  const incidents = incidentsOf(alerts);
  expect(incidents.length).toBeGreaterThan(20);
  expect(new Set(incidents.map(({ id }) => id)).size).toBe(incidents.length);
  for (let round = 0; round < 5; round += 1) {
    const order = new Map(alerts.map(({ id }) => [id, random(2 ** 20)]));
    expect(incidentsOf(alerts.toSorted((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0)))).toEqual(incidents);
  }
  const alone = names.flatMap((name) => incidentsOf(alerts.filter(({ principal_arn }) => principal_arn === name)));
  expect(alone.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
    incidents.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  );
  const spans = incidents.map((one) => Date.parse(one.last_seen) - Date.parse(one.first_seen));
  expect(Math.max(...spans)).toBeGreaterThan(6 * HOUR_MS);
});
