/** A scanner, or a client that does not say what it is, got something from a bucket. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.OBJECT index.html "GET /index.html HTTP/1.1" 200 - 4096 4096 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const as = (agent: string) => read.replace('Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0', agent);

export const detector = defineDetector({
  id: 'scanner-user-agent',
  title: 'A scanner was served by a bucket',
  description:
    'Requests that succeeded with the user agent of a known scanner, or with none at all. Programs with credentials always send one.',
  severity: 'low',
  severityReason: 'Public sites are scanned every day; of interest is what was served.',
  table: 's3_access',
  attack: [
    { technique: 'T1595.002', version: 16 },
    { technique: 'T1619', version: 16 },
  ],
  tags: ['reconnaissance'],
  when: {
    all: [
      { outcome: 'success', source_ip: { exists: true }, operation: { startswith: 'REST.' } },
      { any: [{ user_agent: { re: parameter('scanners') } }, { not: { user_agent: { exists: true } } }] },
    ],
  },
  slot: '1d',
  subject: ['bucket', 'source_ip'],
  summary: '{source_ip} was served {count} times by {bucket} as {user_agent}, first {operation} {key}',
  parameters: {
    scanners: z
      .string()
      .default(
        '(?i)nuclei|sqlmap|nikto|gobuster|feroxbuster|dirbuster|wfuzz|ffuf|masscan|zgrab|s3scanner|cloud_enum|bucket_finder|slurp|trufflehog',
      )
      .describe('RE2 pattern of user agents of tools that look for what is open'),
  },
  falsePositives: ['A scan that you ordered.', 'Health checks without a user agent.'],
  blindSpots: ['A scanner that calls itself a browser, as most can: object-keys-guessed.'],
  response: ['Run the saved question s3-address-requests for source_ip.'],
  examples: [
    {
      name: 'two scanners and one without a name',
      records: [as('Nuclei - Open-source project (github.com/projectdiscovery/nuclei)'), as('sqlmap/1.8'), as('-')],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 3 }],
    },
    { name: 'a browser', records: [read], alerts: [] },
    { name: 'the scanner is refused', records: [as('sqlmap/1.8').replace('200 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'a lifecycle rule, and CloudFront, which have no user agent',
      records: [
        as('-').replace('REST.GET.OBJECT', 'S3.EXPIRE.OBJECT'),
        as('-').replace('192.0.2.44 -', '- svc:cloudfront.amazonaws.com'),
      ],
      alerts: [],
    },
  ],
});
