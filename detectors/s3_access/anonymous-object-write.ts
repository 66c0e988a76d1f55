/** Somebody without credentials wrote to a bucket or deleted from it. */
import { defineDetector } from '../../src/detector.ts';

const put =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.PUT.OBJECT js/app.js "PUT /js/app.js HTTP/1.1" 200 - - 4096 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';

export const detector = defineDetector({
  id: 'anonymous-object-write',
  title: 'A bucket was written to without credentials',
  description:
    'A request without credentials stored, changed or deleted an object. Scripts of web sites are replaced this way, and data is held to ransom. Presigned URLs and forms carry a signature and are not meant.',
  severity: 'high',
  severityReason: 'Everybody can change or destroy what is in the bucket; hardly any bucket is meant to allow it.',
  table: 's3_access',
  attack: [
    { technique: 'T1565.001', version: 16 },
    { technique: 'T1485', version: 16 },
  ],
  tags: ['impact', 'data-protection'],
  when: {
    // Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
    operation: [
      'REST.PUT.OBJECT',
      'REST.POST.OBJECT',
      'REST.COPY.OBJECT',
      'REST.PUT.PART',
      'REST.PUT.ACL',
      'REST.DELETE.OBJECT',
      'BATCH.DELETE.OBJECT',
    ],
    is_anonymous: true,
    outcome: 'success',
  },
  slot: '1h',
  subject: ['bucket', 'source_ip'],
  summary: '{source_ip} made {count} writes or deletions in {bucket} without credentials, first {operation} {key}',
  falsePositives: ['A drop box that takes files from everybody.'],
  blindSpots: [
    'Writing by any AWS account: bucket-requester-account-first-seen.',
    'Access logs are delivered as best effort: single requests can be missing.',
  ],
  response: [
    'Take the permission away, then compare the keys with their earlier versions.',
    'Run the saved question object-requests for each key.',
  ],
  examples: [
    {
      name: 'a stranger replaces a script and deletes another',
      records: [
        put,
        put.replace('REST.PUT.OBJECT js/app.js', 'REST.DELETE.OBJECT js/old.js').replace('200 -', '204 -'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 2 }],
    },
    { name: 'refused', records: [put.replace('200 -', '403 AccessDenied')], alerts: [] },
    { name: 'read', records: [put.replace('REST.PUT.OBJECT', 'REST.GET.OBJECT')], alerts: [] },
    {
      name: 'with a presigned URL, or by a user',
      records: [
        put
          .replace(' - {id}', ' arn:aws:iam::111122223333:user/Uploader {id}')
          .replace('= - TLS_AES_128_GCM_SHA256 - ', '= SigV4 TLS_AES_128_GCM_SHA256 QueryString '),
        put
          .replace(' - {id}', ' arn:aws:iam::111122223333:user/Alice {id}')
          .replace('= - TLS_AES_128_GCM_SHA256 - ', '= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader '),
      ],
      alerts: [],
    },
    {
      name: 'the same by REST.POST.OBJECT',
      records: [
        put.replace('REST.PUT.OBJECT', 'REST.POST.OBJECT'),
        put
          .replace('REST.PUT.OBJECT js/app.js', 'REST.DELETE.OBJECT js/old.js')
          .replace('200 -', '204 -')
          .replace('REST.DELETE.OBJECT', 'REST.POST.OBJECT'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 2 }],
    },
    {
      name: 'the same by REST.COPY.OBJECT',
      records: [
        put.replace('REST.PUT.OBJECT', 'REST.COPY.OBJECT'),
        put
          .replace('REST.PUT.OBJECT js/app.js', 'REST.DELETE.OBJECT js/old.js')
          .replace('200 -', '204 -')
          .replace('REST.DELETE.OBJECT', 'REST.COPY.OBJECT'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 2 }],
    },
    {
      name: 'the same by REST.PUT.PART',
      records: [
        put.replace('REST.PUT.OBJECT', 'REST.PUT.PART'),
        put
          .replace('REST.PUT.OBJECT js/app.js', 'REST.DELETE.OBJECT js/old.js')
          .replace('200 -', '204 -')
          .replace('REST.DELETE.OBJECT', 'REST.PUT.PART'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 2 }],
    },
    {
      name: 'the same by REST.PUT.ACL',
      records: [
        put.replace('REST.PUT.OBJECT', 'REST.PUT.ACL'),
        put
          .replace('REST.PUT.OBJECT js/app.js', 'REST.DELETE.OBJECT js/old.js')
          .replace('200 -', '204 -')
          .replace('REST.DELETE.OBJECT', 'REST.PUT.ACL'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 2 }],
    },
    {
      name: 'the same by BATCH.DELETE.OBJECT',
      records: [
        put.replace('REST.PUT.OBJECT', 'BATCH.DELETE.OBJECT'),
        put
          .replace('REST.PUT.OBJECT js/app.js', 'REST.DELETE.OBJECT js/old.js')
          .replace('200 -', '204 -')
          .replace('REST.DELETE.OBJECT', 'BATCH.DELETE.OBJECT'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 2 }],
    },
  ],
});
