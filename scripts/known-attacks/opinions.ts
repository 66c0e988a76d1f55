/** What people have to say beside the measurements: known-attacks/opinions.yaml, and how it tells the techniques of the campaign apart. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from '../../src/detector.ts';

/** An argument in a sentence or two. */
const argument = z.string().min(20);
const techniqueSchema = z.strictObject({
  technique: z.string(),
  events: z.array(z.string()).optional(),
  /** Part of the caller's ARN. */
  caller: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  missed: argument.optional(),
  note: z.string().optional(),
});
const opinionsSchema = z.strictObject({
  /** Detectors that name the tool and not the act: that one of them fires says nothing about a technique. */
  toolDetectors: z.array(z.string()),
  /** The techniques of the recorded campaign, each with its own events. */
  campaign: z.array(techniqueSchema),
  /** Why nothing fires for a technique that has a file of its own. */
  techniques: z.record(z.string(), z.strictObject({ missed: argument })),
  rules: z.record(
    z.string(),
    z.strictObject({
      /** Equivalents of ours; or none, and why. */
      detectors: z.array(z.string()).min(1).optional(),
      none: argument.optional(),
      repeat: z.number().int().positive().optional(),
      vary: z.array(z.string()).optional(),
      /** By name of the case: why ours judges otherwise. */
      differs: z.record(z.string(), argument).optional(),
    }),
  ),
  /** Folders of samples that nobody attacked: by detector, why its alerts there are right. */
  ordinary: z.record(z.string(), z.record(z.string(), argument)),
});
export type Opinions = z.infer<typeof opinionsSchema>;

export const readOpinions = (): Opinions =>
  opinionsSchema.parse(parse(readFileSync(new URL('opinions.yaml', import.meta.url), 'utf8')));

interface CampaignRecord {
  readonly eventName: string;
  readonly eventTime: string;
  readonly userIdentity?: { readonly arn?: string };
}

/** The records of the campaign that are a technique. */
export const recordsOf = <R extends CampaignRecord>(
  { events, caller, from = '', to = '~' }: Opinions['campaign'][number],
  campaign: readonly R[],
): readonly R[] =>
  campaign.filter(
    ({ eventName, eventTime, userIdentity }) =>
      (events ?? caller) !== undefined &&
      (events === undefined || events.includes(eventName)) &&
      (caller === undefined || userIdentity?.arn?.includes(caller) === true) &&
      eventTime >= from &&
      eventTime <= to,
  );
