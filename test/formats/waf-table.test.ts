import { describe, expect, it } from 'vitest';
import { wafTable } from '../../src/formats/waf-table.ts';
import { derivedColumns, rawColumns } from '../../src/table.ts';
import { type DerivationCase, derive } from './derive.ts';

const RAW = rawColumns(wafTable);
const ARN = 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555';
const list = (...items: readonly unknown[]): string => JSON.stringify(items);
const group = (members: object): string => list({ ruleGroupId: 'AWS#AWSManagedRulesCommonRuleSet', ...members });

const CASES: readonly DerivationCase[] = [
  {
    title: 'nothing',
    values: {},
    expected: {
      account_id: null,
      region: null,
      web_acl_name: null,
      user_agent: null,
      labels: null,
      oversize_fields: null,
      matched_rules: [],
      would_block: false,
      source_ip: null,
    },
  },

  {
    title: 'the ARN of a web ACL',
    values: { web_acl_id: ARN, http_source_id: '444455556666-app/shop/1a2b' },
    expected: { account_id: '111122223333', region: 'eu-west-1', web_acl_name: 'shop' },
  },
  {
    title: 'the ARN of a web ACL for CloudFront',
    values: { web_acl_id: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/edge/1', http_source_id: 'E1EXAMPLE' },
    expected: { account_id: '111122223333', region: 'us-east-1', web_acl_name: 'edge' },
  },
  {
    title: 'the ARN of a web ACL in another partition',
    values: { web_acl_id: 'arn:aws-cn:wafv2:cn-north-1:111122223333:regional/webacl/shop/1' },
    expected: { account_id: '111122223333', region: 'cn-north-1', web_acl_name: 'shop' },
  },
  {
    title: 'the id of AWS WAF Classic before a load balancer',
    values: { web_acl_id: '385cb038-3a6f-4f2f-ac64-09ab912af590', http_source_id: '444455556666-app/shop/1a2b' },
    expected: { account_id: '444455556666', region: null, web_acl_name: null },
  },
  {
    title: 'the id of AWS WAF Classic before API Gateway',
    values: { web_acl_id: '385cb038-3a6f-4f2f-ac64-09ab912af590', http_source_id: '444455556666:ab12cd:prod' },
    expected: { account_id: '444455556666' },
  },
  {
    title: 'the ARN of a resource',
    values: { web_acl_id: 'x', http_source_id: 'arn:aws:appsync:eu-west-1:444455556666:apis/abcdef' },
    expected: { account_id: '444455556666', region: 'eu-west-1' },
  },
  {
    title: 'the id of a distribution',
    values: { web_acl_id: 'x', http_source_id: 'E1EXAMPLE' },
    expected: { account_id: null, region: null },
  },

  ...['User-Agent', 'user-agent', 'USER-AGENT'].map((name) => ({
    title: `the header ${name}`,
    values: { headers: list({ name: 'Host', value: 'example.com' }, { name, value: 'curl/8.1.2' }) },
    expected: { user_agent: 'curl/8.1.2' },
  })),
  {
    title: 'a user agent with escapes',
    values: { headers: list({ name: 'user-agent', value: 'a "quoted" \\ é' }) },
    expected: { user_agent: 'a "quoted" \\ é' },
  },
  {
    title: 'headers with spaces between',
    values: { headers: '[ { "name" : "User-Agent" , "value" : "x" } ]' },
    expected: { user_agent: 'x' },
  },
  {
    title: 'the first of two user agents',
    values: { headers: list({ name: 'user-agent', value: 'one' }, { name: 'user-agent', value: 'two' }) },
    expected: { user_agent: 'one' },
  },
  {
    title: 'an empty user agent',
    values: { headers: list({ name: 'user-agent', value: '' }) },
    expected: { user_agent: '' },
  },
  {
    title: 'a header that speaks of a user agent',
    values: { headers: list({ name: 'x', value: '"name":"user-agent","value":"fake"' }, { name: 'y', value: 'name' }) },
    expected: { user_agent: null },
  },

  {
    title: 'labels',
    values: { label_list: list({ name: 'awswaf:managed:aws:core-rule-set:NoUserAgent_Header' }, {}, { name: 'b' }) },
    expected: { labels: ['awswaf:managed:aws:core-rule-set:NoUserAgent_Header', 'b'] },
  },
  { title: 'an empty list of labels', values: { label_list: '[]' }, expected: { labels: [] } },
  ...['{"name":"a"}', '"a"', '7'].map((labels) => ({
    title: `labels that are ${labels}`,
    values: { label_list: labels },
    expected: { labels: null },
  })),

  {
    title: 'oversize fields',
    values: { oversize_field_list: '["REQUEST_BODY", "REQUEST_COOKIES"]' },
    expected: { oversize_fields: ['REQUEST_BODY', 'REQUEST_COOKIES'] },
  },
  {
    title: 'an oversize field as a text',
    values: { oversize_field_list: '"REQUEST_BODY"' },
    expected: { oversize_fields: ['REQUEST_BODY'] },
  },
  { title: 'no oversize field', values: { oversize_field_list: '[]' }, expected: { oversize_fields: [] } },

  {
    title: 'the default action',
    values: { action: 'ALLOW', terminating_rule_id: 'Default_Action', rule_group_list: '[]' },
    expected: { matched_rules: [], would_block: false },
  },
  {
    title: 'a terminating rule inside a rule group',
    values: {
      action: 'BLOCK',
      terminating_rule_id: 'AWS-AWSManagedRulesCommonRuleSet',
      rule_group_list: group({ terminatingRule: { ruleId: 'NoUserAgent_HEADER', action: 'BLOCK' } }),
    },
    expected: { matched_rules: ['AWS-AWSManagedRulesCommonRuleSet', 'NoUserAgent_HEADER'], would_block: false },
  },
  {
    title: 'a rule that counts',
    values: {
      action: 'ALLOW',
      terminating_rule_id: 'Default_Action',
      non_terminating_matching_rules: list({ ruleId: 'block-later', action: 'COUNT', ruleMatchDetails: [] }),
    },
    expected: { matched_rules: ['block-later'], would_block: true },
  },
  {
    title: 'a rule that counts before one that blocks',
    values: {
      action: 'BLOCK',
      terminating_rule_id: 'block',
      non_terminating_matching_rules: list({ ruleId: 'count', action: 'COUNT' }),
    },
    expected: { matched_rules: ['block', 'count'], would_block: false },
  },
  {
    title: 'a rule of a group that is overridden to count, as the group is',
    values: {
      action: 'ALLOW',
      terminating_rule_id: 'Default_Action',
      rule_group_list: group({
        terminatingRule: null,
        nonTerminatingMatchingRules: [{ ruleId: 'SizeRestrictions_BODY', action: 'COUNT', overriddenAction: 'BLOCK' }],
        excludedRules: null,
      }),
      non_terminating_matching_rules: list({ ruleId: 'SizeRestrictions_BODY', action: 'COUNT' }),
    },
    expected: { matched_rules: ['SizeRestrictions_BODY'], would_block: true },
  },
  {
    title: 'an excluded rule of a group',
    values: {
      action: 'ALLOW',
      terminating_rule_id: 'Default_Action',
      rule_group_list: group({
        terminatingRule: null,
        nonTerminatingMatchingRules: [],
        excludedRules: [{ exclusionType: 'EXCLUDED_AS_COUNT', ruleId: 'NoUserAgent_HEADER' }],
      }),
    },
    expected: { matched_rules: ['NoUserAgent_HEADER'], would_block: true },
  },
  {
    title: 'a CAPTCHA that was solved',
    values: {
      action: 'ALLOW',
      terminating_rule_id: 'Default_Action',
      non_terminating_matching_rules: list({
        ruleId: 'captcha',
        action: 'CAPTCHA',
        captchaResponse: { responseCode: 0 },
      }),
    },
    expected: { matched_rules: ['captcha'], would_block: false },
  },
  {
    title: 'matched data that looks like a rule',
    values: {
      action: 'ALLOW',
      terminating_rule_id: 'allow',
      non_terminating_matching_rules: list({
        ruleId: 'captcha',
        action: 'CAPTCHA',
        ruleMatchDetails: [{ matchedData: ['"action":"COUNT"'] }],
      }),
    },
    expected: { matched_rules: ['allow', 'captcha'], would_block: false },
  },

  { title: 'an address', values: { client_ip: '2001:db8::1' }, expected: { source_ip: '2001:db8::1' } },
  { title: 'a masked address', values: { client_ip: 'X.X.X.X' }, expected: { source_ip: null } },
];

describe('derivations', () => {
  it.each(CASES)('derives from $title', async ({ values, expected }) => {
    expect(await derive(wafTable, values)).toMatchObject(expected);
  });
});

describe('the table', () => {
  it('documents every column and names each once', () => {
    expect(wafTable.columns.filter(({ doc }) => !doc.endsWith('.'))).toEqual([]);
    expect(new Set(wafTable.columns.map(({ name }) => name)).size).toBe(wafTable.columns.length);
    expect(RAW.filter(({ raw, aws }) => (raw === undefined) !== (aws === undefined))).toEqual([]);
  });

  it('has raw columns first, as the decoder fills them', () => {
    expect(wafTable.columns).toEqual([...RAW, ...derivedColumns(wafTable)]);
  });

  it('keeps only these columns from portable SQL', () => {
    expect(wafTable.columns.filter(({ athena }) => athena === null).map(({ name }) => name)).toEqual([
      'log_file',
      'record_no',
      'extra',
    ]);
  });
});
