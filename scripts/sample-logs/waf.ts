/** What AWS WAF logs: of the web ACL before the shop, delivered to the bucket, and of the one before the site, exported from CloudWatch Logs. */
import { HEX, Random } from '../support/random.ts';
import { iso, type Json } from '../support/records.ts';
import { type Files, gzip } from './files.ts';
import { BROWSER, DAYS, HOME_REGION, HOUR, MINUTE, PRODUCTION, WEEK_START } from './world.ts';

export interface Visit {
  readonly at: number;
  readonly address: string;
  readonly country: string;
  readonly method: 'GET' | 'POST';
  readonly uri: string;
  readonly args?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent: string;
  /** JA4 of the client's greeting. */
  readonly fingerprint: string;
  /** Rule of the web ACL that blocked it. */
  readonly blockedBy?: string;
  /** Label of a managed rule that only counts here. */
  readonly counted?: { readonly group: string; readonly rule: string; readonly label: string };
}

/** https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html */
const DELIVERED_EVERY = 5 * MINUTE;
const SHOP = `arn:aws:wafv2:${HOME_REGION}:${PRODUCTION}:regional/webacl/shop/11111111-2222-4333-8444-555555555555`;
const SITE = `arn:aws:wafv2:us-east-1:${PRODUCTION}:global/webacl/site/66666666-7777-4888-9999-aaaaaaaaaaaa`;
const BROWSERS_GREETING = 't13d1516h2_8daaf6152771_02713d6af862';

/** https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html */
function logOf(visit: Visit, acl: 'shop' | 'site', random: Random): Json {
  const { blockedBy, counted } = visit;
  const headers = {
    host: `${acl === 'shop' ? 'shop' : 'www'}.example.com`,
    'user-agent': visit.agent,
    accept: '*/*',
    ...visit.headers,
  };
  return {
    timestamp: visit.at,
    formatVersion: 1,
    webaclId: acl === 'shop' ? SHOP : SITE,
    terminatingRuleId: blockedBy ?? 'Default_Action',
    terminatingRuleType: blockedBy === undefined ? 'REGULAR' : 'MANAGED_RULE_GROUP',
    action: blockedBy === undefined ? 'ALLOW' : 'BLOCK',
    terminatingRuleMatchDetails: [],
    httpSourceName: acl === 'shop' ? 'ALB' : 'CF',
    httpSourceId: acl === 'shop' ? `${PRODUCTION}-app/shop/0123456789abcdef` : 'E2EXAMPLE7PFRG',
    ruleGroupList:
      counted === undefined
        ? []
        : [
            {
              ruleGroupId: `AWS#${counted.group}`,
              terminatingRule: null,
              nonTerminatingMatchingRules: [
                { ruleId: counted.rule, action: 'COUNT', overriddenAction: 'BLOCK', ruleMatchDetails: [] },
              ],
              excludedRules: null,
              customerConfig: null,
            },
          ],
    rateBasedRuleList: [],
    nonTerminatingMatchingRules: [],
    requestHeadersInserted: null,
    responseCodeSent: null,
    httpRequest: {
      clientIp: visit.address,
      country: visit.country,
      headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
      uri: visit.uri,
      args: visit.args ?? '',
      httpVersion: 'HTTP/2.0',
      httpMethod: visit.method,
      requestId: `1-${Math.floor(visit.at / 1000).toString(16)}-${random.text(HEX, 24)}`,
      fragment: '',
      scheme: 'https',
      host: headers.host,
    },
    ...(counted !== undefined && { labels: [{ name: counted.label }] }),
    ja4Fingerprint: visit.fingerprint,
    requestBodySize: visit.method === 'POST' ? 180 : 0,
    requestBodySizeInspectedByWAF: visit.method === 'POST' ? 180 : 0,
  };
}

const PAGES = ['/', '/search', '/cart', '/items/1042', '/items/2310', '/assets/app.js', '/assets/app.css'] as const;

/** People look at the shop and the site, a few every two hours. */
function visitors(label: string): Visit[] {
  const random = new Random(`visitors/${label}`);
  const visits: Visit[] = [];
  for (let hour = 0; hour < DAYS * 24; hour += 2) {
    const begin = WEEK_START + hour * HOUR + random.below(100) * MINUTE;
    const address = `198.51.100.${100 + random.below(100)}`;
    const pages = 3 + random.below(4);
    for (let page = 0; page < pages; page++) {
      const uri = random.pick(PAGES);
      visits.push({
        at: begin + page * 9000 + random.below(4000),
        address,
        country: random.pick(['US', 'DE', 'IN', 'BR']),
        method: 'GET',
        uri,
        ...(uri === '/search' && { args: `q=${random.pick(['lamp', 'desk', 'chair', 'o%27brien'])}` }),
        agent: BROWSER,
        fingerprint: BROWSERS_GREETING,
      });
    }
  }
  return visits;
}

/** `AWSLogs/<account>/WAFLogs/<region>/<acl>/YYYY/MM/DD/HH/mm/…`, a file for five minutes. */
function delivered(visits: readonly Visit[]): Files {
  const random = new Random('waf delivery');
  const files = new Map<number, Visit[]>();
  for (const visit of visits.toSorted((a, b) => a.at - b.at)) {
    const slot = Math.floor(visit.at / DELIVERED_EVERY) * DELIVERED_EVERY;
    files.set(slot, [...(files.get(slot) ?? []), visit]);
  }
  return new Map(
    [...files].map(([slot, own]) => {
      const [day = '', time = ''] = iso(slot).split('T');
      const [hour = '', minute = ''] = time.split(':');
      const stamp = `${day.replaceAll('-', '')}T${hour}${minute}Z`;
      const folder = `AWSLogs/${PRODUCTION}/WAFLogs/${HOME_REGION}/shop/${day.replaceAll('-', '/')}/${hour}/${minute}`;
      const name = `${PRODUCTION}_waflogs_${HOME_REGION}_shop_${stamp}_${random.text(HEX, 8)}.log.gz`;
      return [
        `${folder}/${name}`,
        gzip(own.map((visit) => `${JSON.stringify(logOf(visit, 'shop', random))}\n`).join('')),
      ];
    }),
  );
}

/** An export task of CloudWatch Logs: a time before each message. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html */
function exported(visits: readonly Visit[]): Files {
  const random = new Random('waf export');
  const task = random.uuid();
  const text = visits
    .toSorted((a, b) => a.at - b.at)
    .map((visit) => `${new Date(visit.at).toISOString()} ${JSON.stringify(logOf(visit, 'site', random))}\n`)
    .join('');
  return new Map([[`exportedlogs/${task}/cloudfront_site_${random.below(10)}/000000.gz`, gzip(text)]]);
}

export const wafLogs = (attacks: readonly Visit[]): Files =>
  new Map([...delivered([...visitors('shop'), ...attacks]), ...exported(visitors('site'))]);

/** A client that is no browser. */
export const toolGreeting = (label: string): string =>
  `t13d1812h1_${new Random(label).text(HEX, 12)}_${new Random(`${label}/extensions`).text(HEX, 12)}`;
