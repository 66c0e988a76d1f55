/** What CloudTrail's records show, whichever table they are for. */
import type { JsonShape, Trait } from './json-scanner.ts';

/** A record carries one of these, or it is none of CloudTrail's. */
export const IDENTIFYING_KEYS: readonly string[] = ['eventName', 'eventSource', 'eventID'];

/** The key that a record begins with. */
export const FIRST_KEY = 'eventVersion';

/** Documents around the records, and digests, which have none. */
export const FRAME: JsonShape['frame'] = { Records: 'records', digestStartTime: 'digest', digestS3Object: 'digest' };

/** An Insights event; both tables name these columns alike. */
export const INSIGHT: Trait = {
  keys: ['insightDetails'],
  texts: [
    { column: 'event_category', is: 'Insight' },
    { column: 'event_type', is: 'AwsCloudTrailInsight' },
  ],
};

/** Whether the first record of a file is an Insights event: it shows so before anything that only log events have. */
export function beginsWithInsight(head: string): boolean {
  const insight = /"insightDetails"\s*:|"eventCategory"\s*:\s*"Insight"|"eventType"\s*:\s*"AwsCloudTrailInsight"/.exec(
    head,
  );
  return (
    insight !== null && !/"(?:userIdentity|requestParameters|sourceIPAddress)"\s*:/.test(head.slice(0, insight.index))
  );
}
