/** A request was allowed by an ACL alone. */
import { defineDetector } from '../../src/detector.ts';

const byAcl =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -'.replace(
    / - -$/u,
    ' Yes -',
  );

export const detector = defineDetector({
  id: 'acl-required-request',
  title: 'A request needed an ACL to be allowed',
  description:
    'The log says where no policy allowed a request and an ACL did. AWS advises to switch ACLs off; such requests are what would then fail, and what was opened object by object without anybody knowing.',
  severity: 'informational',
  severityReason: 'Hygiene, and the list that is needed before ACLs can go.',
  table: 's3_access',
  // aclRequired: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-migrating-acls-prerequisites.html
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['compliance', 'data-protection'],
  when: { outcome: 'success', acl_required: true },
  slot: '1d',
  subject: ['bucket', 'principal'],
  summary: '{principal} made {count} requests in {bucket} that an ACL allowed, first {operation} {key}',
  falsePositives: ['Buckets that use ACLs on purpose.'],
  blindSpots: ['Records from before the field.'],
  response: ['Move the permission into the bucket policy, then set Object Ownership to bucket owner enforced.'],
  examples: [
    {
      name: 'three requests in a day',
      records: [{ repeat: 3, every: '1h', record: byAcl }],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    { name: 'allowed by a policy', records: [byAcl.replace('Yes', '-')], alerts: [] },
    { name: 'refused', records: [byAcl.replace('200 -', '403 AccessDenied')], alerts: [] },
  ],
});
