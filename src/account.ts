/** What an AWS account records of what happens in it, and where that is delivered. */

/** Of a kind of events: those that only read, and those that change something. */
export interface Selection {
  readonly read: boolean;
  readonly write: boolean;
}

export interface TrailSelection {
  readonly management: Selection;
  /** Event sources whose management events are left out, such as kms.amazonaws.com. */
  readonly excluded: readonly string[];
  /** Data events by type of resource, such as AWS::S3::Object; perhaps only those of some resources. */
  readonly data: ReadonlyMap<string, Selection>;
}

export interface Trail {
  readonly name: string;
  readonly isOrganizations: boolean;
  readonly isMultiRegion: boolean;
  readonly homeRegion: string;
  /** Events of services such as IAM, which have no region. */
  readonly hasGlobalServices: boolean;
  /** Null where that may not be asked; so below. */
  readonly isLogging: boolean | null;
  readonly selects: TrailSelection | null;
  readonly hasInsights: boolean | null;
  /** ARN of the key that its log files are encrypted with. */
  readonly kmsKey: string | null;
}

/** The tables that an account may fill. */
export type LoggedTable = 'cloudtrail' | 's3_access' | 'waf';

/** A part of a bucket to which logs are delivered. */
export interface LogPlace {
  readonly bucket: string;
  readonly prefix: string;
  readonly tables: readonly LoggedTable[];
  /** What delivers there, each as a few words. */
  readonly from: readonly string[];
  /** Does anything lie there? Null where that may not be asked. */
  readonly isFilled: boolean | null;
}

export interface Survey {
  /** `aws`, `aws-cn`, `aws-us-gov`: how its ARNs begin. */
  readonly partition: string;
  readonly trails: readonly Trail[];
  readonly places: readonly LogPlace[];
  /** ARNs of keys that what lies there may be encrypted with. */
  readonly kmsKeys: readonly string[];
  /** Of these there may be more than was found: not all could be asked. */
  readonly uncertain: readonly LoggedTable[];
  /** What of it trailhound cannot read, or what is left out of the logs. */
  readonly remarks: readonly string[];
  /** What could not be asked, with the reason. */
  readonly refused: readonly string[];
}
