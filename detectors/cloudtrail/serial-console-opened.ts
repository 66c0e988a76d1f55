/** The serial console of EC2 was enabled or used. */
import { defineDetector } from '../../src/detector.ts';

const enabling = { eventSource: 'ec2.amazonaws.com', eventName: 'EnableSerialConsoleAccess', requestParameters: {} };

export const detector = defineDetector({
  id: 'serial-console-opened',
  title: 'The EC2 serial console was enabled or used',
  description:
    'The serial console reaches a machine past every security group and without a network. It is off unless somebody enables it for the account.',
  severity: 'medium',
  severityReason: 'A way around the network that is seldom needed, and then by few.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1021.008', version: 16 }],
  tags: ['lateral-movement'],
  when: {
    any: [
      { event_source: 'ec2.amazonaws.com', event_name: 'EnableSerialConsoleAccess', outcome: 'success' },
      {
        event_source: 'ec2-instance-connect.amazonaws.com',
        event_name: 'SendSerialConsoleSSHPublicKey',
        outcome: 'success',
      },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address}',
  falsePositives: ['Repair of a machine that no longer boots.'],
  blindSpots: ['What is typed in the console.'],
  response: ['Ask the person; disable the access again (DisableSerialConsoleAccess).'],
  examples: [
    {
      name: 'enabled, then used',
      records: [
        enabling,
        {
          eventSource: 'ec2-instance-connect.amazonaws.com',
          eventName: 'SendSerialConsoleSSHPublicKey',
          requestParameters: { instanceId: 'i-1234567890abcdef0', serialPort: 0 },
        },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'refused, looked at, or other services',
      records: [
        { ...enabling, errorCode: 'Client.UnauthorizedOperation' },
        { ...enabling, eventName: 'GetSerialConsoleAccessStatus' },
        { ...enabling, eventSource: 'example.amazonaws.com' },
        { ...enabling, eventName: 'SendSerialConsoleSSHPublicKey' },
        { eventSource: 'ec2-instance-connect.amazonaws.com', eventName: 'SendSSHPublicKey' },
        {
          eventSource: 'ec2-instance-connect.amazonaws.com',
          eventName: 'SendSerialConsoleSSHPublicKey',
          errorCode: 'AccessDeniedException',
        },
      ],
      alerts: [],
    },
  ],
});
