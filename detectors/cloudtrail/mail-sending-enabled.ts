/** Somebody prepares to send mail in your name. */
import { defineDetector } from '../../src/detector.ts';

const details = {
  eventSource: 'ses.amazonaws.com',
  eventName: 'PutAccountDetails',
  requestParameters: { mailType: 'MARKETING', productionAccessEnabled: true },
};
const sending = (enabled: boolean) => ({
  ...details,
  eventName: 'UpdateAccountSendingEnabled',
  requestParameters: { enabled },
});
const attributes = (sendingEnabled: boolean) => ({
  ...details,
  eventName: 'PutAccountSendingAttributes',
  requestParameters: { sendingEnabled },
});

export const detector = defineDetector({
  id: 'mail-sending-enabled',
  title: 'Sending of mail was enabled for the account',
  description:
    'SES was switched on for sending, or its limits for testing were asked to be lifted. Stolen accounts are used to send phishing and spam from a domain that people trust.',
  severity: 'medium',
  severityReason: 'Hardly ever done twice in an account; the first time may be your own.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.004', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      { event_source: 'ses.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'PutAccountDetails' },
          { event_name: 'UpdateAccountSendingEnabled', 'request_parameters.enabled': true },
          { event_name: 'PutAccountSendingAttributes', 'request_parameters.sendingEnabled': true },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on SES in {aws_region} from {source_address}',

  falsePositives: ['An account that begins to send mail.'],
  blindSpots: [
    'Mail that is sent (SendEmail), which is a data event.',
    'Accounts in which sending was enabled before: mail-service-probed.',
  ],

  response: [
    'Switch sending off (UpdateAccountSendingEnabled); run the saved question principal-timeline for identities that were added.',
  ],
  examples: [
    {
      name: 'each way',
      records: [details, sending(true), attributes(true)],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    {
      name: 'switched off, or read',
      records: [
        sending(false),
        attributes(false),
        { ...sending(true), eventName: 'GetAccountSendingEnabled' },
        { ...attributes(true), eventName: 'GetAccount' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...details, errorCode: 'AccessDenied' },
        { ...details, eventName: 'GetAccount' },
        { ...details, eventSource: 'example.amazonaws.com' },
        { ...details, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
