/** WAF log files of the benchmark: three web ACLs before ordinary sites, their visitors, the background noise of the internet, and planted incidents. */
import { HEX, LETTERS_AND_DIGITS, Random } from '../scripts/support/random.ts';
import { iso } from '../scripts/support/records.ts';
import type { FileJob } from './corpus.ts';
import type { Where } from './world.ts';

const SPAN_MS = 300_000;
/** Web ACLs by where they stand: before CloudFront, a load balancer and an API. */
const ACLS = [
  {
    name: 'edge',
    region: 'us-east-1',
    scope: 'global',
    source: 'CF',
    sourceId: 'E2EXAMPLE7PFRG',
    host: 'www.example.com',
  },
  {
    name: 'shop',
    region: 'eu-west-1',
    scope: 'regional',
    source: 'ALB',
    sourceId: 'app/shop/0123456789abcdef',
    host: 'shop.example.com',
  },
  {
    name: 'api',
    region: 'eu-west-1',
    scope: 'regional',
    source: 'APIGW',
    sourceId: 'a1b2c3d4e5:prod',
    host: 'api.example.com',
  },
] as const;

/** Attacks, each over its file: one address asks for what is not there and is refused; or a managed rule in COUNT mode matches, and the request goes through. */
export const INCIDENTS = [
  { name: 'waf-scan', share: 0.4, action: 'BLOCK' },
  { name: 'waf-count-passthrough', share: 0.02, action: 'ALLOW' },
] as const;

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:148.0) Gecko/20100101 Firefox/148.0',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'okhttp/4.12.0',
] as const;
const PATHS = [
  '/',
  '/index.html',
  '/assets/app.js',
  '/assets/app.css',
  '/search',
  '/cart',
  '/v1/items',
  '/v1/orders',
  '/login',
];
const PROBES = [
  '/.env',
  '/wp-login.php',
  '/.git/config',
  '/admin/config.php',
  '/actuator/env',
  '/phpinfo.php',
  '/backup.zip',
];
const COUNTRIES = ['DE', 'DE', 'FR', 'GB', 'US', 'US', 'NL', 'PL', 'IN', 'BR'];
const GROUPS = [
  'AWS#AWSManagedRulesCommonRuleSet',
  'AWS#AWSManagedRulesAmazonIpReputationList',
  'AWS#AWSManagedRulesSQLiRuleSet',
];
/** Of ordinary traffic so much is refused: the reputation list, and rates. */
const BLOCKED_SHARE = 0.02;

type Acl = (typeof ACLS)[number];

const arnOf = (acl: Acl, account: string): string =>
  `arn:aws:wafv2:${acl.region}:${account}:${acl.scope}/webacl/${acl.name}/47634e95-3f60-4b4a-9a4d-24965e1b8060`;

/** The ACL whose log file this is: its name stands in the key. */
const aclOf = (path: string): Acl => ACLS.find(({ name }) => path.includes(`/${name}/`)) ?? ACLS[0];

/** https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html */
export function wafKey({ account, at }: Where, random: Random): string {
  const acl = random.pick(ACLS);
  const minutes = iso(at).slice(0, 16);
  const place = acl.source === 'CF' ? 'cloudfront' : acl.region;
  return `AWSLogs/${account}/WAFLogs/${place}/${acl.name}/${minutes.replace(/[-:T]/g, '/')}/${account}_waflogs_${place}_${acl.name}_${minutes.replace(/[-:]/g, '')}Z_${random.text(HEX, 8)}.log.gz`;
}

interface Visitor {
  readonly ip: string;
  readonly agent: string;
  readonly country: string;
  readonly ja4: string;
}

/** The NDJSON of one log file. */
export function wafText(job: FileJob): { readonly text: string; readonly records: number } {
  const random = new Random(job.seed);
  const address = (): string => `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${1 + random.below(254)}`;
  const visitors = Array.from({ length: 40 }, (): Visitor => {
    const ja4 = `t13d${1500 + random.below(30)}h2_${random.text(HEX, 12)}_${random.text(HEX, 12)}`;
    return { ip: address(), agent: random.pick(AGENTS), country: random.pick(COUNTRIES), ja4 };
  });
  const attacker: Visitor = {
    ip: address(),
    agent: 'python-requests/2.32.3',
    country: 'RU',
    ja4: 't13d1812h1_85036bcba153_d41ae481755e',
  };
  const incident = INCIDENTS.find(({ name }) => name === job.incident) ?? null;
  const lines: string[] = [];
  for (let at = 0; at < job.records; at++) {
    const timeMs = job.delivered - SPAN_MS + Math.floor((at * SPAN_MS) / job.records);
    const isPlanted = incident !== null && random.chance(incident.share);
    const isBlocked = isPlanted ? incident.action === 'BLOCK' : random.chance(BLOCKED_SHARE);
    lines.push(line(job, random, timeMs, isPlanted ? attacker : random.pick(visitors), isPlanted, isBlocked));
  }
  return { text: `${lines.join('\n')}\n`, records: lines.length };
}

function line(
  job: FileJob,
  random: Random,
  timeMs: number,
  { ip, agent, country, ja4 }: Visitor,
  isPlanted: boolean,
  isBlocked: boolean,
): string {
  const acl = aclOf(job.path);
  const counted = isPlanted && !isBlocked;
  const uri = isPlanted ? random.pick(PROBES) : random.pick(PATHS);
  const args = counted
    ? 'id=1%27%20OR%20%271%27=%271'
    : random.chance(0.3)
      ? `page=${random.below(50)}&session=${random.text(HEX, 8)}`
      : '';
  const id =
    acl.source === 'CF'
      ? `${random.text(LETTERS_AND_DIGITS, 54)}==`
      : `1-${random.text(HEX, 8)}-${random.text(HEX, 24)}`;
  return JSON.stringify({
    timestamp: timeMs,
    formatVersion: 1,
    webaclId: arnOf(acl, job.account),
    terminatingRuleId: isBlocked ? 'AWS-AWSManagedRulesAmazonIpReputationList' : 'Default_Action',
    terminatingRuleType: isBlocked ? 'MANAGED_RULE_GROUP' : 'REGULAR',
    action: isBlocked ? 'BLOCK' : 'ALLOW',
    terminatingRuleMatchDetails: [],
    httpSourceName: acl.source,
    httpSourceId:
      acl.source === 'CF' ? acl.sourceId : `${job.account}${acl.source === 'ALB' ? '-' : ':'}${acl.sourceId}`,
    ruleGroupList: GROUPS.map((ruleGroupId, index) => ({
      ruleGroupId,
      terminatingRule:
        isBlocked && index === 1
          ? { ruleId: 'AWSManagedIPReputationList', action: 'BLOCK', ruleMatchDetails: null }
          : null,
      nonTerminatingMatchingRules:
        counted && index === 2 ? [{ ruleId: 'SQLi_QUERYARGUMENTS', action: 'COUNT', overriddenAction: 'BLOCK' }] : [],
      excludedRules: null,
      customerConfig: null,
    })),
    rateBasedRuleList: [],
    nonTerminatingMatchingRules: [],
    requestHeadersInserted: null,
    responseCodeSent: null,
    httpRequest: {
      clientIp: ip,
      country,
      headers: [
        { name: 'Host', value: acl.host },
        { name: 'User-Agent', value: agent },
        { name: 'Accept', value: '*/*' },
        { name: 'Accept-Encoding', value: 'gzip, deflate, br' },
        { name: 'Accept-Language', value: 'en-US,en;q=0.9' },
      ],
      uri,
      args,
      httpVersion: 'HTTP/2.0',
      httpMethod: uri === '/login' ? 'POST' : 'GET',
      requestId: id,
      fragment: '',
      scheme: 'https',
      host: acl.host,
    },
    ...(counted && { labels: [{ name: 'awswaf:managed:aws:sql-database:SQLi_QueryArguments' }] }),
    ja3Fingerprint: ja4.slice(-12).padStart(32, '0'),
    ja4Fingerprint: ja4,
    clientAsn: 64_496 + (ip.length % 16),
  });
}
