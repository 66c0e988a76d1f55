/** Somebody runs commands on instances who has not done so before. */
import { defineDetector } from '../../src/detector.ts';

const by = (userName: string) => ({
  type: 'IAMUser',
  principalId: `AIDA${userName.toUpperCase()}EXAMPLE`,
  arn: `arn:aws:iam::111122223333:user/${userName}`,
  accountId: '111122223333',
  userName,
});
const command = {
  eventSource: 'ssm.amazonaws.com',
  eventName: 'SendCommand',
  requestParameters: { documentName: 'AWS-RunShellScript', instanceIds: ['i-1234567890abcdef0'] },
  userIdentity: by('Alice'),
};
const newcomer = { ...command, eventTime: '2025-03-11T09:00:00Z', userIdentity: by('Mateo_Jackson') };
/** Ten days in which Alice runs a command each morning. */
const usual = { repeat: 10, every: '1d', record: { ...command, eventTime: '2025-03-01T08:00:00Z' } } as const;

export const detector = defineDetector({
  id: 'ssm-command-first-time-caller',
  title: 'Somebody ran commands on instances for the first time',
  description:
    'SendCommand and StartSession make the caller administrator of a machine. The principal has not done either in that account during the last 30 days.',
  severity: 'medium',
  severityReason: 'Full control of machines, out of character for the caller; but every colleague has a first time.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1651', version: 16 }],
  tags: ['execution', 'baseline'],
  when: {
    all: [
      { event_source: 'ssm.amazonaws.com', event_name: ['SendCommand', 'StartSession'], outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} for the first time in 30 days, in {aws_region} from {source_address}',
  falsePositives: ['A new colleague or a new pipeline.'],
  blindSpots: [
    'Silent until the account has the history that a first time needs.',
    'Somebody who takes over a principal that does this daily.',
  ],
  response: ['Ask the person; read the invocation (GetCommandInvocation) while AWS still keeps it.'],
  examples: [
    {
      name: 'a session instead of a command',
      records: [usual, { ...newcomer, eventName: 'StartSession' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' }, count: 1 }],
    },
    {
      name: 'a newcomer after ten days of another',
      records: [usual, newcomer],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 1,
        },
      ],
    },
    { name: 'there is no history yet', records: [newcomer], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        usual,
        { ...newcomer, errorCode: 'AccessDeniedException' },
        { ...newcomer, eventName: 'ListCommands' },
        { ...newcomer, eventSource: 'example.amazonaws.com' },
        { ...newcomer, userIdentity: { type: 'AWSService', invokedBy: 'ssm.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
