/** The two accounts of the sample week: their people, roles, machines and data. Names and addresses are those of documentations. */
import { HEX, Random } from '../support/random.ts';
import { accessKey, type Caller, roleIdentity, uniqueId, userIdentity } from '../support/records.ts';

export const PRODUCTION = '111122223333';
export const DEVELOPMENT = '444455556666';
export const ORGANISATION = 'o-exampleorgid';
/** An account that nobody here owns. */
export const STRANGER = '999988887777';

export const HOME_REGION = 'us-east-1';
export const SECOND_REGION = 'eu-west-1';

/** Monday. */
export const WEEK_START = Date.UTC(2026, 2, 2);
export const DAYS = 7;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const BROWSER =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36';
export const CLI = 'aws-cli/2.33.2 md/awscrt#0.29.1 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.11';
const BOTO = 'Boto3/1.42.30 md/Botocore#1.42.30 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.11';
const GO_SDK = 'aws-sdk-go-v2/1.41.1 os/linux lang/go#1.25.5 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.279.1';
const TERRAFORM = 'APN/1.0 HashiCorp/1.0 Terraform/1.14.3 (+https://www.terraform.io) terraform-provider-aws/6.28.0';

const random = new Random('world');
const machine = (): string => `i-0${random.text(HEX, 16)}`;
const list = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));

export interface User {
  readonly account: string;
  readonly name: string;
  readonly id: string;
  readonly key: string;
  readonly address: string;
}
const user = (account: string, name: string, address: string): User => ({
  account,
  name,
  id: uniqueId('AIDA', random),
  key: accessKey('AKIA', random),
  address,
});

export interface Role {
  readonly account: string;
  readonly name: string;
  readonly id: string;
  readonly path?: string;
}
const role = (account: string, name: string, path?: string): Role => ({
  account,
  name,
  id: uniqueId('AROA', random),
  ...(path === undefined ? {} : { path }),
});

/** People of production sign in as IAM users, with MFA. */
export const people = {
  mary: user(PRODUCTION, 'mary_major', '198.51.100.21'),
  mateo: user(PRODUCTION, 'mateo_jackson', '198.51.100.22'),
  nikki: user(PRODUCTION, 'nikki_wolf', '198.51.100.23'),
  richard: user(PRODUCTION, 'richard_roe', '198.51.100.24'),
} as const;

/** Programs with long-lived keys. */
export const machines = {
  release: user(PRODUCTION, 'ci-release', '198.51.100.80'),
  backup: user(PRODUCTION, 'backup-job', '198.51.100.81'),
} as const;

/** People of development come through IAM Identity Center. */
export const developers: readonly { readonly name: string; readonly address: string }[] = [
  { name: 'arnav_desai@example.com', address: '198.51.100.31' },
  { name: 'saanvi_sarkar@example.com', address: '198.51.100.32' },
  { name: 'akua_mansa@example.com', address: '198.51.100.33' },
];

export const roles = {
  node: role(PRODUCTION, 'eks-node-group'),
  web: role(PRODUCTION, 'web-app-instance'),
  orders: role(PRODUCTION, 'order-processor', 'service-role/'),
  deploy: role(PRODUCTION, 'ci-deploy'),
  config: role(PRODUCTION, 'AWSServiceRoleForConfig', 'aws-service-role/config.amazonaws.com/'),
  scaling: role(PRODUCTION, 'AWSServiceRoleForAutoScaling', 'aws-service-role/autoscaling.amazonaws.com/'),
  developer: role(DEVELOPMENT, 'AWSReservedSSO_Developer_0123456789abcdef', 'aws-reserved/sso.amazonaws.com/'),
  terraform: role(DEVELOPMENT, 'terraform-plan'),
  sandbox: role(DEVELOPMENT, 'sandbox-function', 'service-role/'),
} as const;

export const nodes = list(4, () => ({ id: machine(), address: '192.0.2.11' }));
export const webServers = list(3, (index) => ({ id: machine(), address: `192.0.2.${21 + index}` }));
export const developmentServers = list(4, machine);
/** The fleet that a mass termination takes down. */
export const fleet = list(14, machine);

export const buckets = {
  uploads: 'example-corp-uploads',
  exports: 'example-corp-customer-exports',
  backups: 'example-corp-backups',
  artifacts: 'example-corp-artifacts',
  sandbox: 'example-corp-dev-sandbox',
  trail: 'example-corp-cloudtrail-logs',
} as const;

export const kmsKey = (account: string, region: string): string =>
  `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

export const secrets: readonly string[] = list(30, (index) => `prod/service-${String(index + 1).padStart(2, '0')}/db`);

/** A person at the console. */
export const atConsole = (person: User, created: number, mfa = true): Caller => ({
  identity: userIdentity(
    { ...person, key: accessKey('ASIA', new Random(`console/${person.name}/${created}`)) },
    { created, mfa },
  ),
  address: person.address,
  agent: BROWSER,
  account: person.account,
  console: true,
});

/** A long-lived key, wherever it is used. */
export const withKey = (owner: User, address = owner.address, agent = BOTO): Caller => ({
  identity: userIdentity(owner),
  address,
  agent,
  account: owner.account,
});

/** A session of a role; AWS renews its credentials, and so its key, every six hours. */
export function inRole(
  assumed: Role,
  session: string,
  at: number,
  options: { address: string; agent?: string; ec2?: boolean; invokedBy?: string; console?: boolean; mfa?: boolean },
): Caller {
  const created = at - (at % (6 * HOUR));
  return {
    identity: roleIdentity(assumed, {
      name: session,
      key: accessKey('ASIA', new Random(`${assumed.name}/${session}/${created}`)),
      created,
      mfa: options.mfa ?? false,
      ...(options.ec2 === undefined ? {} : { ec2: options.ec2 }),
      ...(options.invokedBy === undefined ? {} : { invokedBy: options.invokedBy }),
    }),
    address: options.address,
    agent: options.agent ?? GO_SDK,
    account: assumed.account,
    ...(options.console === undefined ? {} : { console: options.console }),
  };
}

export const asTerraform = (at: number): Caller =>
  inRole(roles.terraform, 'terraform-nightly', at, { address: '198.51.100.82', agent: TERRAFORM });
