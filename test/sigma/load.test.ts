/** Files of rules: what each document becomes, and that nothing is left out in silence. */
import { describe, expect, test } from 'vitest';
import { detectorOf, load, refusal, ruleOf } from './rules.ts';

const outline = (files: Readonly<Record<string, string>>) =>
  load(files).reports.map(({ file, line, title, status, reason }) => [`${file}:${line}`, title, status, reason]);

describe('a rule', () => {
  test('is a detector that says what the rule says', () => {
    const detector = detectorOf(
      ruleOf(
        's:\n  eventName: StopLogging\ncondition: s',
        'name: stopped\ndescription: Why.\nreferences: [https://example.com/a]\nlevel: critical\ndate: 2022-01-02\nmodified: 2025/07/01\ntags: [attack.defense-evasion, attack.t1562.008, attack.t1078.004, cve.2024-1]\nfalsepositives: [Maintenance]\n',
      ).replace('id: test', 'id: 4DB60CC0-36fb-42b7-9b58-a5b53019fb74'),
    );
    const { examples: _, ...facts } = detector;
    expect(facts).toEqual({
      id: 'sigma-4db60cc0-36fb-42b7-9b58-a5b53019fb74',
      version: 20250701,
      title: 'Test',
      description: 'Why.\nhttps://example.com/a',
      severity: 'critical',
      severityReason: 'As the rule states it.',
      table: 'cloudtrail',
      attack: [
        { technique: 'T1562.008', version: 18 },
        { technique: 'T1078.004', version: 19 },
      ],
      tags: ['sigma', 'attack.defense-evasion', 'attack.t1562.008', 'attack.t1078.004', 'cve.2024-1'],
      falsePositives: ['Maintenance'],
      blindSpots: [],
      when: { event_name: { is: ['StopLogging'], caseless: true } },
      slot: 'event',
      subject: ['principal'],
      summary: expect.stringContaining('{principal} called {event_name}'),
    });
  });

  test.each([
    ['informational', '1d'],
    ['low', '1d'],
    ['medium', 'event'],
    ['critical', 'event'],
  ])('of level %s is one alert per %s', (level, slot) => {
    expect(detectorOf(ruleOf('s:\n  eventName: a\ncondition: s', `level: ${level}\n`))).toMatchObject({
      severity: level,
      slot,
    });
  });

  test.each([
    ['id: A b/C', 'sigma-a-b-c'],
    ['name: some_rule', 'sigma-some-rule'],
    ['author: Ann', 'sigma-test'],
  ])('with %s has an id of its own', (line, id) => {
    expect(detectorOf(ruleOf('s:\n  eventName: a\ncondition: s').replace('id: test', line)).id).toBe(id);
  });

  test.each([
    [
      'cloudtrail',
      'userIdentity.sessionContext.sessionIssuer.arn: x',
      { session_issuer_arn: { is: ['x'], caseless: true } },
    ],
    ['cloudtrail', 'resources.ARN: x', { resource_arns: { is: ['x'], caseless: true } }],
    ['cloudtrail', 'resources.type: x', { 'resources[].type[]': { is: ['x'], caseless: true } }],
    ['cloudtrail', 'requestParameters.a{}.b[]: x', { 'request_parameters.a[].b[]': { is: ['x'], caseless: true } }],
    [
      'cloudtrail',
      'userIdentity.onBehalfOf.more: x',
      { 'user_identity.onBehalfOf[].more[]': { is: ['x'], caseless: true } },
    ],
    ['cloudtrail', 'principal_arn: x', { principal_arn: { is: ['x'], caseless: true } }],
    ['cloudtrail', 'recipientAccountId: 111122223333', { account_id: { is: [111122223333] } }],
    ['cloudtrail', 'readOnly: tr*', { read_only: { is: [true] } }],
    ['cloudtrail_insight', 'insightDetails.state: Start', { insight_state: { is: ['Start'], caseless: true } }],
    ['cloudtrail_insight', 'eventName: x', { event_name: { is: ['x'], caseless: true } }],
    ['s3_access', 'Remote IP|cidr: 10.0.0.0/8', null],
    ['s3_access', 'remoteip|cidr: 10.0.0.0/8', { remote_ip: { cidr: ['10.0.0.0/8'] } }],
    ['s3_access', "httpstatus|startswith: '4'", { http_status: { startswith: ['4'], caseless: true } }],
    ['s3_access', "sc-status: '403'", { http_status: { is: [403] } }],
    ['s3_access', 'Bucket: x', { bucket: { is: ['x'], caseless: true } }],
    ['waf', 'httpRequest.uri|contains: ..', { uri: { contains: ['..'], caseless: true } }],
    ['waf', 'httpRequest.headers.name: cookie', { 'headers[].name[]': { is: ['cookie'], caseless: true } }],
    ['waf', 'labels.name|contains: bot', { labels: { contains: ['bot'], caseless: true } }],
    [
      'waf',
      'ruleGroupList.terminatingRule.ruleId: x',
      { 'rule_group_list[].terminatingRule[].ruleId[]': { is: ['x'], caseless: true } },
    ],
  ])('of %s finds %s in a column', (service, line, condition) => {
    const text = ruleOf(`s:\n  ${line}\ncondition: s`).replace('service: cloudtrail', `service: ${service}`);
    if (condition === null) expect(refusal(text)).toContain("has the key 'Remote IP'");
    else expect(detectorOf(text).when).toEqual(condition);
  });

  test('that asks for what no record has is loaded, with a warning at the place', () => {
    const { rules, reports } = load({ 'a.yml': ruleOf('s:\n  eventName: a\n  status: success\ncondition: s') });
    expect(rules).toHaveLength(1);
    expect(reports[0]?.warnings).toEqual(["9:5: no record of cloudtrail is known to have the field 'status'"]);
  });

  test('that asks for a column which Athena lacks is refused there', () => {
    const text = ruleOf('s:\n  userIdentity.some.thing: a\ncondition: s');
    expect(refusal(text)).toBe('');
    expect(refusal(text, { portable: true })).toContain(
      "8:5: the field 'userIdentity.some.thing' has no column on Athena",
    );
  });
});

describe('files', () => {
  test('hold several documents, each told by what became of it', () => {
    expect(
      outline({
        'a.yml': `${ruleOf('s:\n  eventName: a\ncondition: s')}---\ntitle: Windows\nlogsource: {product: windows, service: security}\ndetection: {s: {EventID: 1}, condition: s}\n`,
        'b.yaml': 'title: Broken\nlogsource: [\n',
        'c.yml': 'just: a note\n',
        'd.yml': ruleOf('s:\n  eventName: b\ncondition: s').replace('title: Test', 'title: Twin'),
        'e.txt': 'not a rule',
        'f.yml': ruleOf('s:\n  eventName: b\ncondition: s', 'level: grave\n').replace('id: test', 'id: other'),
      }),
    ).toEqual([
      ['a.yml:1', 'Test', 'loaded', null],
      ['a.yml:11', 'Windows', 'foreign', 'its logs are windows/security'],
      ['b.yaml:3', null, 'refused', expect.stringContaining('not valid YAML')],
      ['c.yml:1', null, 'refused', 'no Sigma rule: expected one of detection, correlation and filter, found none'],
      ['d.yml:1', 'Twin', 'refused', "a.yml:1 is the detector 'sigma-test' already: two rules need two ids"],
      ['f.yml:6', 'Test', 'refused', "level is 'grave': expected one of informational, low, medium, high, critical"],
    ]);
  });

  test('may begin with what their documents share', () => {
    const { rules } = load({
      'a.yml':
        'action: global\ntitle: Shared\nlevel: high\nlogsource: {product: aws}\n---\nid: one\nlogsource: {service: cloudtrail}\ndetection: {s: {eventName: a}, condition: s}\n---\nid: two\nlogsource: {service: waf}\ndetection: {s: {action: BLOCK}, condition: s}\n',
    });
    expect(rules.map(({ detector }) => [detector.id, detector.table, detector.severity])).toEqual([
      ['sigma-one', 'cloudtrail', 'high'],
      ['sigma-two', 'waf', 'high'],
    ]);
  });

  test('may hold aliases of YAML, but no bomb of them', () => {
    expect(detectorOf(ruleOf('s: &one\n  eventName: a\nt: *one\ncondition: s or t')).when).toEqual({
      any: [{ event_name: { is: ['a'], caseless: true } }, { event_name: { is: ['a'], caseless: true } }],
    });
    const bomb = [
      'a0: &a0 [x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(', ')}]`),
    ].join('\n');
    expect(refusal(bomb)).toContain('there are too many');
  });
});

describe('a filter', () => {
  const rule = ruleOf('s:\n  eventName: a\ncondition: s');
  const filter = (rules: string, logsource = '{product: aws, service: cloudtrail}') =>
    `title: Ours\nlogsource: ${logsource}\nfilter:\n  rules: ${rules}\n  own:\n    userIdentity.userName|startswith: adm_\n  condition: not own\n`;

  test.each(['any', '[test]', 'test'])('for %s is joined to the rule', (rules) => {
    const { rules: loaded, reports } = load({ 'a.yml': rule, 'b.yml': filter(rules) });
    expect(loaded.map(({ detector }) => detector.when)).toEqual([
      {
        all: [
          { event_name: { is: ['a'], caseless: true } },
          { not: { user_name: { startswith: ['adm_'], caseless: true } } },
        ],
      },
    ]);
    expect(reports[1]).toMatchObject({ status: 'part', reason: 'a filter over 1 rule' });
  });

  test.each([
    [filter('[nothing]'), "4:11: there is no rule 'nothing'"],
    [filter('any', '{product: aws, service: waf}'), '1:1: it filters no rule'],
    [filter('any').replace('  rules: any\n', ''), 'does not say for which rules'],
  ])('that filters nothing is refused', (text, message) => {
    const refused = load({ 'a.yml': rule, 'b.yml': text }).reports.filter(({ status }) => status === 'refused');
    expect(refused.map(({ line, column, reason }) => `${line}:${column}: ${reason}`).join()).toContain(message);
  });

  test('that cannot be used takes its rules out of use, aloud', () => {
    const { rules, reports } = load({ 'a.yml': rule, 'b.yml': filter('any').replace('|startswith', '|starts') });
    expect(rules).toEqual([]);
    expect(reports.map(({ file, title, status, reason }) => [file, title, status, reason])).toEqual([
      [
        'b.yml',
        'Test',
        'refused',
        expect.stringContaining("its filter 'Ours' cannot be used: there is no modifier 'starts'"),
      ],
      ['b.yml', 'Ours', 'refused', expect.stringContaining("there is no modifier 'starts'")],
    ]);
  });
});
