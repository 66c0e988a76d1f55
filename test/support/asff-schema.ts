/** What Security Hub takes, written from https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html and the pages behind it. */
import { z } from 'zod';

const text = (max: number) => z.string().max(max).regex(/\S/u);
const time = z.iso.datetime({ offset: true });
const types = z
  .array(
    z
      .string()
      .regex(
        /^(Software and Configuration Checks|TTPs|Effects|Unusual Behaviors|Sensitive Data Identifications)(\/[^/]+){0,2}$/,
      ),
  )
  .max(50);
const severity = z.strictObject({
  Label: z.enum(['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  Original: text(64),
});

export const awsSecurityFinding = z
  .strictObject({
    SchemaVersion: z.literal('2018-10-08'),
    Id: text(512),
    ProductArn: z.string().regex(/^arn:aws(-cn|-us-gov)?:securityhub:[a-z0-9-]+:(\d{12}):product\/\2\/default$/),
    ProductName: text(128),
    CompanyName: text(128),
    GeneratorId: text(512),
    AwsAccountId: z.string().regex(/^\d{12}$/),
    Types: types,
    CreatedAt: time,
    UpdatedAt: time,
    FirstObservedAt: time,
    LastObservedAt: time,
    Severity: severity,
    FindingProviderFields: z.strictObject({ Severity: severity, Types: types }),
    Title: text(256),
    Description: text(1024),
    ProductFields: z.record(text(128), text(2048)).refine((fields) => Object.keys(fields).length <= 50),
    Resources: z
      .array(
        z.strictObject({
          Type: z.enum(['AwsIamUser', 'AwsIamRole', 'AwsAccount']),
          Id: text(512),
          Partition: z.enum(['aws', 'aws-cn', 'aws-us-gov']),
          Region: text(16).optional(),
        }),
      )
      .min(1)
      .max(32),
    Network: z.strictObject({ SourceIpV4: z.ipv4().optional(), SourceIpV6: z.ipv6().optional() }).optional(),
    RecordState: z.enum(['ACTIVE', 'ARCHIVED']),
    Workflow: z.strictObject({ Status: z.enum(['NEW', 'NOTIFIED', 'RESOLVED', 'SUPPRESSED']) }),
  })
  .refine(({ CreatedAt, UpdatedAt }) => Date.parse(UpdatedAt) >= Date.parse(CreatedAt), 'updated before it was created')
  .refine((finding) => Buffer.byteLength(JSON.stringify(finding)) <= 240_000, 'more than 240 KB');
