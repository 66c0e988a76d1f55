/** Clients of S3, whoever asks it: for log files, or to write an export. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { clientConfig } from './aws.ts';
import type { AwsOptions } from './source.ts';

/** Where nobody names a region: buckets are found from any. */
const DEFAULT_REGION = 'us-east-1';

/** `settings`: what this use of it wants otherwise. Throws `aws-credentials` for a profile that is not there. */
export async function openS3Client(options: AwsOptions, settings: S3ClientConfig = {}): Promise<S3Client> {
  const endpoint = options.endpointUrl ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  const config: S3ClientConfig = {
    ...clientConfig(options),
    followRegionRedirects: true,
    // Servers that speak S3's language rarely have a name for each bucket.
    forcePathStyle: endpoint !== undefined,
    ...settings,
  };
  const client = new S3Client({ ...(options.profile !== undefined && { profile: options.profile }), ...config });
  if (await hasRegion(client)) return client;
  client.destroy();
  return new S3Client({ ...config, region: DEFAULT_REGION });
}

async function hasRegion(client: S3Client): Promise<boolean> {
  try {
    await client.config.region();
    return true;
  } catch {
    return false;
  }
}
