/** A new access key was used from another network than the one in which it was made, within the hour. */
import { defineDetector } from '../../src/detector.ts';

const KEY = 'AKIAI44QH8DHBEXAMPLE';
const made = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateAccessKey',
  eventTime: '2025-03-03T10:00:00Z',
  sourceIPAddress: '192.0.2.44',
  requestParameters: { userName: 'Nikki_Wolf' },
  responseElements: { accessKey: { accessKeyId: KEY, userName: 'Nikki_Wolf', status: 'Active' } },
};
const used = {
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetCallerIdentity',
  eventTime: '2025-03-03T10:20:00Z',
  sourceIPAddress: '203.0.113.99',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDAI44QH8DHBEXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Nikki_Wolf',
    accountId: '111122223333',
    accessKeyId: KEY,
    userName: 'Nikki_Wolf',
  },
};
const ALERT = { subject: { access_key_id: KEY }, count: 1 };

export const detector = defineDetector({
  id: 'key-used-away-from-its-maker',
  title: 'A new access key was used from another network at once',
  description:
    'A key was made in one network and used from another (the first half of an IPv4 address, the first two groups of an IPv6 one) within the hour. An intruder who makes a key tries it at once on a machine of their own; a key for a program is mostly tried where it was made, or put to work days later. The key that was made and the key that calls are joined by its id.',
  severity: 'medium',
  severityReason: 'The fresh key is already elsewhere; a key that is made for a server shows the same once.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.001', version: 16 }],
  tags: ['persistence'],
  when: { any: [{ event_name: 'CreateAccessKey' }, { access_key_id: { startswith: 'AKIA' } }] },
  sql: `-- One row per access key and hour in which it was used away from the network where it had just been made.
WITH made AS (
  SELECT json_extract_scalar(c.response_elements, '$.accessKey.accessKeyId') AS made_key, c.principal AS maker, c.source_ip AS made_from,
    c.event_time AS made_at
  FROM cloudtrail AS c
  WHERE c.event_source = 'iam.amazonaws.com' AND c.event_name = 'CreateAccessKey' AND c.outcome = 'success'
), used AS (
  SELECT u.account_id, u.principal, u.access_key_id, u.principal_arn, u.aws_region, u.source_ip, u.user_agent, u.event_time, u.event_id, m.maker, m.made_from,
    regexp_extract(u.source_ip, '^([0-9]+[.][0-9]+|[0-9a-fA-F]*:[0-9a-fA-F]*)') AS network, regexp_extract(m.made_from, '^([0-9]+[.][0-9]+|[0-9a-fA-F]*:[0-9a-fA-F]*)') AS made_in
  FROM made AS m
  JOIN cloudtrail AS u ON u.access_key_id = m.made_key
  WHERE u.event_time >= m.made_at AND u.event_time < m.made_at + INTERVAL '1' HOUR
)
SELECT date_trunc('hour', u.event_time) AS slot, u.account_id, u.principal, u.access_key_id, min(u.principal_arn) AS principal_arn,
  min(u.aws_region) AS aws_region, min(u.source_ip) AS source_ip, min(u.user_agent) AS user_agent, min(u.maker) AS maker, min(u.made_from) AS made_from,
  min(u.event_time) AS first_seen, max(u.event_time) AS last_seen, count(*) AS count,
  array_agg(u.event_id ORDER BY u.event_time, u.event_id) AS event_ids
FROM used AS u
WHERE u.network <> u.made_in
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  lookback: '1h',
  slot: '1h',
  subject: ['account_id', 'principal', 'access_key_id'],
  summary:
    '{access_key_id} of {principal}, made by {maker} from {made_from}, was used from {source_ip} with {user_agent} within the hour',
  falsePositives: ['A key that is made at a desk and put on a server at once.', 'A desk behind two ways out.'],
  blindSpots: [
    'A thief who waits an hour, or works in the network of the maker.',
    'Whether two networks belong to one house or country is not looked up.',
    'Keys that CloudFormation makes, whose maker has no address.',
  ],
  response: [
    'Deactivate access_key_id, then read what it did: saved question access-key-activity.',
    'Look at the maker as well: saved question principal-timeline.',
  ],
  examples: [
    { name: 'twenty minutes later, from elsewhere', records: [made, used], alerts: [ALERT] },
    {
      name: 'by IPv6, at the very second',
      records: [
        { ...made, sourceIPAddress: '2001:db8::1' },
        { ...used, sourceIPAddress: '2001:db9::1', eventTime: '2025-03-03T10:00:00Z' },
      ],
      alerts: [ALERT],
    },
    {
      name: 'in the same network, by IPv4 and by IPv6',
      records: [
        made,
        { ...used, sourceIPAddress: '192.0.9.9' },
        {
          ...made,
          sourceIPAddress: '2001:db8:1::1',
          responseElements: { accessKey: { accessKeyId: 'AKIAIIIIIIIIIEXAMPLE' } },
        },
        {
          ...used,
          sourceIPAddress: '2001:db8:2::1',
          userIdentity: { ...used.userIdentity, accessKeyId: 'AKIAIIIIIIIIIEXAMPLE' },
        },
      ],
      alerts: [],
    },
    {
      name: 'made by the session of a role',
      records: [
        {
          ...made,
          userIdentity: {
            type: 'AssumedRole',
            arn: 'arn:aws:sts::111122223333:assumed-role/Operators/Alice',
            accountId: '111122223333',
            accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
          },
        },
        used,
      ],
      alerts: [ALERT],
    },
    { name: 'an hour later', records: [made, { ...used, eventTime: '2025-03-03T11:00:00Z' }], alerts: [] },
    {
      name: 'before it was made, as a clock may have it',
      records: [made, { ...used, eventTime: '2025-03-03T09:59:59Z' }],
      alerts: [],
    },
    {
      name: 'another key, and one that was asked for but not given',
      records: [
        made,
        { ...used, userIdentity: { ...used.userIdentity, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' } },
        { ...made, errorCode: 'LimitExceededException', responseElements: null },
      ],
      alerts: [],
    },
    {
      name: 'a call of another name, of another service, or one that failed, with such a key in the answer',
      records: [
        { ...made, eventName: 'UpdateAccessKey' },
        { ...made, eventSource: 'lightsail.amazonaws.com' },
        { ...made, errorCode: 'ServiceFailure' },
        used,
      ],
      alerts: [],
    },
    {
      name: 'made by a stack, or used by a service for it',
      records: [
        { ...made, sourceIPAddress: 'cloudformation.amazonaws.com' },
        used,
        { ...made, eventTime: '2025-03-03T12:00:00Z' },
        { ...used, sourceIPAddress: 'athena.amazonaws.com', eventTime: '2025-03-03T12:01:00Z' },
      ],
      alerts: [],
    },
    {
      name: 'temporary credentials with the id of the answer',
      records: [
        { ...made, responseElements: { accessKey: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE' } } },
        { ...used, userIdentity: { ...used.userIdentity, accessKeyId: 'ASIAIOSFODNN7EXAMPLE' } },
      ],
      alerts: [],
    },
  ],
});
