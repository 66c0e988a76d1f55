/** An inline policy was written that allows everything on everything. */
import { defineDetector } from '../../src/detector.ts';

const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
const put = (policyDocument: string) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: 'PutUserPolicy',
  requestParameters: { userName: 'Nikki_Wolf', policyName: 'inline', policyDocument },
});
const everything = put(policy({ Effect: 'Allow', Action: '*', Resource: '*' }));

// A policy document is JSON inside a string, in some records URL-encoded: a quote, a colon or a bracket may stand as %22, %3A, %5B.
const QUOTE = '(?:"|%22)';
const SPACE = '(?:\\s|%20|%0A|%0D|%09|\\+)*';
const IS = `${SPACE}(?::|%3A)${SPACE}`;
const LIST = '(?:\\[|%5B)[^\\]]*';
const STAR = `${QUOTE}(?:\\*|%2A)(?:(?::|%3A)(?:\\*|%2A))?${QUOTE}`;
const key = (name: string) => `${QUOTE}${name}${QUOTE}${IS}`;
const ANY_ACTION = `${key('Action')}(?:${LIST})?${STAR}`;
const ALLOW = `${key('Effect')}${QUOTE}Allow${QUOTE}`;
/** Allow and the action stand in one statement when no brace closes between them. */
const ALLOWS_ANY_ACTION = `(?i)(?:${ALLOW}[^}]*${ANY_ACTION}|${ANY_ACTION}[^}]*${ALLOW})`;
const ANY_RESOURCE = `(?i)${key('Resource')}(?:${LIST})?${STAR}`;

export const detector = defineDetector({
  id: 'admin-inline-policy',
  title: 'An inline policy that allows everything was written',
  description:
    'An inline policy hides from the lists of attached policies. This one allows every action on every resource. The text of the document is read, plain or URL-encoded, a star alone or in a list.',
  severity: 'high',
  severityReason: 'Administrator rights in a place where few look.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.003', version: 16 }],
  tags: ['privilege-escalation', 'persistence'],
  when: {
    all: [
      {
        event_source: 'iam.amazonaws.com',
        event_name: ['PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy'],
        outcome: 'success',
      },
      { 'request_parameters.policyDocument': { re: ALLOWS_ANY_ACTION } },
      { 'request_parameters.policyDocument': { re: ANY_RESOURCE } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} wrote the inline policy {request_parameters.policyName} for {request_parameters.userName}{request_parameters.roleName}{request_parameters.groupName} that allows everything, from {source_address}',
  falsePositives: [
    'Break-glass roles set up on purpose.',
    'A condition in the statement may narrow it: it is not judged.',
  ],
  blindSpots: [
    'Nearly everything: NotAction, iam:* or a list of services.',
    'A document so long that CloudTrail leaves it out (requestParameters too large).',
  ],
  response: [
    'Read request_parameters.policyDocument, delete the policy, list what the holder did since.',
    'Run the saved question iam-changes for request_parameters.policyName.',
  ],
  examples: [
    {
      name: 'a user and a group are allowed everything',
      records: [everything, { ...everything, eventName: 'PutGroupPolicy' }],
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
    },
    {
      name: 'the document is URL-encoded',
      records: [put(encodeURIComponent(policy({ Action: ['s3:*', '*'], Resource: ['*'], Effect: 'Allow' })))],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'for a role, with spaces and lines in the document',
      records: [
        {
          ...everything,
          eventName: 'PutRolePolicy',
          requestParameters: {
            roleName: 'Builder',
            policyDocument: '{\n  "Statement": {\n "Effect" : "Allow",\n "Action" : [ "*" ],\n "Resource" : "*"\n }\n}',
          },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'everything, but on one bucket',
      records: [put(policy({ Effect: 'Allow', Action: '*', Resource: 'arn:aws:s3:::amzn-s3-demo-bucket' }))],
      alerts: [],
    },
    {
      name: 'one service on everything',
      records: [put(policy({ Effect: 'Allow', Action: ['ec2:Describe*'], Resource: '*' }))],
      alerts: [],
    },
    {
      name: 'everything is denied, as when sessions are revoked',
      records: [put(policy({ Effect: 'Deny', Action: ['*'], Resource: ['*'] }))],
      alerts: [],
    },
    {
      name: 'refused, deleted, another service, or by an AWS service',
      records: [
        { ...everything, errorCode: 'AccessDenied' },
        { ...everything, eventName: 'DeleteUserPolicy' },
        { ...everything, eventSource: 'example.amazonaws.com' },
        { ...everything, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
