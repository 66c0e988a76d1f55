/** A copy of the traffic of a machine is sent elsewhere. */
import { defineDetector } from '../../src/detector.ts';

const session = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'CreateTrafficMirrorSession',
  requestParameters: {
    CreateTrafficMirrorSessionRequest: { NetworkInterfaceId: 'eni-1234567890abcdef0', SessionNumber: 1 },
  },
};

export const detector = defineDetector({
  id: 'traffic-mirroring-started',
  version: 2,
  title: 'Network traffic of an instance was mirrored',
  description:
    'A mirror session copies every packet of a network interface to a target. Inside a network much is still unencrypted.',
  severity: 'medium',
  severityReason: 'Reads along unnoticed; network teams use it openly and seldom.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1040', version: 16 }],
  tags: ['collection'],
  when: {
    event_source: 'ec2.amazonaws.com',
    event_name: [
      'CreateTrafficMirrorSession',
      'CreateTrafficMirrorTarget',
      'ModifyTrafficMirrorSession',
      'CreateTrafficMirrorFilter',
      'CreateTrafficMirrorFilterRule',
    ],
    outcome: 'success',
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address}',
  falsePositives: ['A sensor of the network team is set up.'],
  blindSpots: ['What is captured on the machine itself.'],
  response: ['See to whom the target belongs and delete the session.'],
  examples: [
    {
      name: 'each of the steps',
      records: [
        'CreateTrafficMirrorSession',
        'CreateTrafficMirrorTarget',
        'ModifyTrafficMirrorSession',
        'CreateTrafficMirrorFilter',
        'CreateTrafficMirrorFilterRule',
      ].map((eventName) => ({ ...session, eventName })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    {
      name: 'a session is started',
      records: [session],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'not possible, read, or another service',
      records: [
        { ...session, errorCode: 'Client.NetworkInterfaceNotSupported' },
        { ...session, eventName: 'DescribeTrafficMirrorSessions' },
        { ...session, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
