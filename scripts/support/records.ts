/** CloudTrail records as AWS writes them: who calls, and what a call leaves behind. */
import { LETTERS_AND_DIGITS, type Random, UPPER_AND_DIGITS } from './random.ts';

export type Json = Readonly<Record<string, unknown>>;

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
const EVENT_VERSION = '1.11';

/** Who calls, from where and with what. */
export interface Caller {
  readonly identity: Json;
  readonly address: string;
  readonly agent: string;
  /** The account in which the call counts. */
  readonly account: string;
  /** True when the credentials come from the console. */
  readonly console?: boolean;
}

export interface Call {
  /** `ec2:TerminateInstances`: the host name's first label, and the event name. */
  readonly action: string;
  readonly at: number;
  readonly region: string;
  readonly request?: Json | null;
  readonly response?: Json | null;
  readonly error?: { readonly code: string; readonly message: string };
  readonly additional?: Json;
  readonly resources?: readonly Json[];
  readonly eventType?: 'AwsApiCall' | 'AwsServiceEvent' | 'AwsConsoleSignIn' | 'AwsConsoleAction';
  /** What a record of this call has besides, under AWS's names. */
  readonly extra?: Json;
}

/** Calls that read although their names do not begin like reads. https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html */
const READS =
  /^(Get|List|Describe|Head|Lookup|Batch[A-Z]*Get|Search|Simulate|Query|Scan|AssumeRole|Decrypt|GenerateDataKey)/;
const DATA_EVENTS = /^(s3:(Get|Put|Copy|Delete|Head)Objects?|lambda:Invoke)$/;

export const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The record of one call. */
export function record(caller: Caller, call: Call, random: Random): Json {
  const [service = '', name = ''] = call.action.split(':');
  const { error } = call;
  const isService = caller.identity['type'] === 'AWSService';
  const isData = DATA_EVENTS.test(call.action);
  return {
    eventVersion: EVENT_VERSION,
    userIdentity: caller.identity,
    eventTime: iso(call.at),
    eventSource: `${service}.amazonaws.com`,
    eventName: name,
    awsRegion: call.region,
    sourceIPAddress: caller.address,
    userAgent: caller.agent,
    ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.message }),
    requestParameters: call.request ?? null,
    responseElements: error === undefined ? (call.response ?? null) : null,
    ...(call.additional === undefined ? {} : { additionalEventData: call.additional }),
    requestID: service === 's3' ? random.text(UPPER_AND_DIGITS, 16) : random.uuid(),
    eventID: random.uuid(),
    readOnly: READS.test(name),
    ...(call.resources === undefined ? {} : { resources: call.resources }),
    eventType: call.eventType ?? 'AwsApiCall',
    managementEvent: !isData,
    recipientAccountId: caller.account,
    ...call.extra,
    eventCategory: isData ? 'Data' : 'Management',
    ...(isService || call.eventType !== undefined
      ? {}
      : {
          tlsDetails: {
            tlsVersion: 'TLSv1.3',
            cipherSuite: 'TLS_AES_128_GCM_SHA256',
            clientProvidedHostHeader: `${service}.${call.region}.amazonaws.com`,
          },
        }),
    ...(caller.console === true ? { sessionCredentialFromConsole: 'true' } : {}),
  };
}

/** The second of S3's ids of a request. */
export const hostId = (random: Random): string =>
  `${random.text(LETTERS_AND_DIGITS, 44)}/${random.text(LETTERS_AND_DIGITS, 20)}=`;

/** What S3 adds to each of its records. https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html */
export const s3Additional = (random: Random, bytesIn: number, bytesOut: number, encryption?: string): Json => ({
  SignatureVersion: 'SigV4',
  CipherSuite: 'TLS_AES_128_GCM_SHA256',
  bytesTransferredIn: bytesIn,
  ...(encryption === undefined ? {} : { SSEApplied: encryption }),
  AuthenticationMethod: 'AuthHeader',
  'x-amz-id-2': hostId(random),
  bytesTransferredOut: bytesOut,
});

export const s3Resources = (account: string, bucket: string, key: string): readonly Json[] => [
  { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${bucket}/${key}` },
  { accountId: account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucket}` },
];

/** Access keys, made up, that end as those of AWS's documentation do. */
export const accessKey = (kind: 'AKIA' | 'ASIA', random: Random): string =>
  `${kind}${random.text(UPPER_AND_DIGITS, 9)}EXAMPLE`;

/** Unique ids of users (`AIDA`) and roles (`AROA`), made up. */
export const uniqueId = (kind: 'AIDA' | 'AROA', random: Random): string =>
  `${kind}${random.text(UPPER_AND_DIGITS, 10)}EXAMPLE`;

interface Session {
  /** Event time at which the session began. */
  readonly created: number;
  readonly mfa: boolean;
}

export const userIdentity = (
  user: { account: string; name: string; id: string; key: string },
  session?: Session,
): Json => ({
  type: 'IAMUser',
  principalId: user.id,
  arn: `arn:aws:iam::${user.account}:user/${user.name}`,
  accountId: user.account,
  accessKeyId: user.key,
  userName: user.name,
  ...(session === undefined
    ? {}
    : {
        sessionContext: { attributes: { creationDate: iso(session.created), mfaAuthenticated: String(session.mfa) } },
      }),
});

export const roleIdentity = (
  role: { account: string; name: string; id: string; path?: string },
  session: Session & { name: string; key: string; ec2?: boolean; invokedBy?: string },
): Json => ({
  type: 'AssumedRole',
  principalId: `${role.id}:${session.name}`,
  arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${session.name}`,
  accountId: role.account,
  accessKeyId: session.key,
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: role.id,
      arn: `arn:aws:iam::${role.account}:role/${role.path ?? ''}${role.name}`,
      accountId: role.account,
      userName: role.name,
    },
    attributes: { creationDate: iso(session.created), mfaAuthenticated: String(session.mfa) },
    ...(session.ec2 === true ? { ec2RoleDelivery: '2.0' } : {}),
  },
  ...(session.invokedBy === undefined ? {} : { invokedBy: session.invokedBy }),
});

export const rootIdentity = (account: string, key: string, session?: Session): Json => ({
  type: 'Root',
  principalId: account,
  arn: `arn:aws:iam::${account}:root`,
  accountId: account,
  accessKeyId: key,
  ...(session === undefined
    ? {}
    : {
        sessionContext: { attributes: { creationDate: iso(session.created), mfaAuthenticated: String(session.mfa) } },
      }),
});

export const serviceCaller = (account: string, service: string): Caller => ({
  identity: { type: 'AWSService', invokedBy: service },
  address: service,
  agent: service,
  account,
});
