/**
 * The part of OCSF 1.6.0 that an alert fills, written from https://schema.ocsf.io/1.6.0/classes/detection_finding with the profile `cloud`:
 * nothing that is required is missing, nothing has another name or type.
 */
import { z } from 'zod';

const text = z.string().min(1);
const time = z.int().positive();
/** `_entity`: a name or a uid at least. */
const entity = <S extends z.ZodRawShape>(more: S) =>
  z
    .strictObject({ name: text.optional(), uid: text.optional(), ...more })
    .refine((value) => 'name' in value || 'uid' in value, 'at least one of name, uid');
const user = entity({});
const ip = z.union([z.ipv4(), z.ipv6()]);

export const detectionFinding = z
  .strictObject({
    activity_id: z.literal([1, 2, 3]),
    activity_name: z.enum(['Create', 'Update', 'Close']),
    category_uid: z.literal(2),
    category_name: z.literal('Findings'),
    class_uid: z.literal(2004),
    class_name: z.literal('Detection Finding'),
    type_uid: z.literal([200401, 200402, 200403]),
    type_name: text,
    severity_id: z.literal([0, 1, 2, 3, 4, 5, 6, 99]),
    severity: z.enum(['Unknown', 'Informational', 'Low', 'Medium', 'High', 'Critical', 'Fatal', 'Other']),
    status_id: z.literal([0, 1, 2, 3, 4, 5, 6, 99]),
    status: z.enum(['New', 'In Progress', 'Suppressed', 'Resolved', 'Archived', 'Deleted']),
    time,
    start_time: time,
    end_time: time,
    count: z.int(),
    is_alert: z.boolean(),
    message: z.string(),
    metadata: z.strictObject({
      version: z.literal('1.6.0'),
      product: entity({ vendor_name: text }),
      profiles: z.array(z.literal('cloud')),
    }),
    finding_info: z.strictObject({
      uid: text,
      title: z.string(),
      desc: z.string(),
      analytic: z.strictObject({
        type_id: z.literal(1),
        type: z.literal('Rule'),
        uid: text,
        name: z.string(),
        version: text,
      }),
      first_seen_time: time,
      last_seen_time: time,
      modified_time: time,
      related_events_count: z.int(),
      attacks: z
        .array(z.strictObject({ version: text, technique: entity({}), sub_technique: entity({}).optional() }))
        .min(1)
        .optional(),
    }),
    cloud: z.strictObject({
      provider: z.literal('AWS'),
      account: z.strictObject({ uid: z.string(), type_id: z.literal(10), type: z.literal('AWS Account') }).optional(),
      region: z.string().optional(),
    }),
    evidences: z
      .array(
        z
          .strictObject({ actor: z.strictObject({ user }).optional(), src_endpoint: z.strictObject({ ip }).optional() })
          .refine(
            (value) => value.actor !== undefined || value.src_endpoint !== undefined,
            'at least one of actor, src_endpoint',
          ),
      )
      .min(1)
      .optional(),
    observables: z
      .array(z.strictObject({ name: text, type_id: z.literal(2), type: z.literal('IP Address'), value: ip }))
      .min(1)
      .optional(),
    unmapped: z.record(z.string(), z.unknown()),
  })
  .refine(
    ({ type_uid, class_uid, activity_id }) => type_uid === class_uid * 100 + activity_id,
    'type_uid is class_uid * 100 + activity_id',
  );
