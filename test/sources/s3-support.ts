/** What the tests of S3 share: a source over a peer on loopback, as someone with credentials opens it. */
import { onTestFinished } from 'vitest';
import type { AwsOptions, Source } from '../../src/source.ts';
import { openS3Source } from '../../src/sources/s3.ts';
import { type PeerOptions, type S3Peer, startS3Peer } from '../support/s3-peer.ts';

export const BUCKET = 'example-logs';

/** Nothing of this machine's own AWS files or its cloud's metadata service. */
export const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_REGION: undefined,
  AWS_ENDPOINT_URL: undefined,
  AWS_ENDPOINT_URL_S3: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};
export const CREDENTIALS = { ...NO_CREDENTIALS, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

export async function startPeer(options: Omit<PeerOptions, 'bucket'>): Promise<S3Peer> {
  const peer = await startS3Peer({ bucket: BUCKET, ...options });
  onTestFinished(() => peer.close());
  return peer;
}

export interface PeerSource {
  readonly peer: S3Peer;
  readonly source: Source;
  /** What a person was told meanwhile. */
  readonly warnings: readonly string[];
}

export async function openPeerSource(
  options: Omit<PeerOptions, 'bucket'>,
  prefix = '',
  aws: AwsOptions = {},
): Promise<PeerSource> {
  const peer = await startPeer(options);
  const warnings: string[] = [];
  const source = await openS3Source(`s3://${BUCKET}/${prefix}`, { endpointUrl: peer.url, ...aws }, (message) =>
    warnings.push(message),
  );
  onTestFinished(() => source.close());
  return { peer, source, warnings };
}
