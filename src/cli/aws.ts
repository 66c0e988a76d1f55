/** How AWS is reached, as the command line and the config say it. */
import type { Command } from 'commander';
import { AppError } from '../errors.ts';
import type { AwsOptions } from '../source.ts';
import type { Run } from './command.ts';

export interface AwsCommandOptions {
  readonly awsProfile?: string;
  readonly awsRegion?: string;
  readonly endpointUrl?: string;
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly requestPayer?: boolean;
}

export function addAwsOptions(command: Command): Command {
  return command
    .option('--aws-profile <name>', "profile of the AWS CLI's files")
    .option('--aws-region <name>', 'region that requests are sent to (a bucket is found from any)')
    .option('--endpoint-url <url>', 'another server that speaks the language of AWS')
    .option('--role-arn <arn>', 'role to assume first')
    .option('--external-id <id>', 'what the trust policy of that role asks for')
    .option('--request-payer', 'pay for requests to a bucket of others');
}

/** Throws `usage-invalid` for what is no id of an account. */
export function checkAccount(account: string): void {
  if (/^\d{12}$/u.test(account)) return;
  throw new AppError('usage-invalid', `cannot use --account '${account}': expected the 12 digits of an account id`);
}

/** Throws `usage-invalid` for what is no name of a region. */
export function checkRegion(region: string): void {
  if (/^[a-z]{2,}(-[a-z]+)+-\d+$/u.test(region)) return;
  throw new AppError(
    'usage-invalid',
    `cannot use --region '${region}': expected the name of a region such as eu-central-1`,
  );
}

/** How AWS is reached: the command line before the config. */
export function awsOf({ options, config: { aws } }: Pick<Run<AwsCommandOptions>, 'options' | 'config'>): AwsOptions {
  const profile = options.awsProfile ?? aws.profile;
  const region = options.awsRegion ?? aws.region;
  const endpointUrl = options.endpointUrl ?? aws.endpoint_url;
  const roleArn = options.roleArn ?? aws.role_arn;
  const externalId = options.externalId ?? aws.external_id;
  const requestPayer = options.requestPayer ?? aws.request_payer;
  if (endpointUrl !== undefined && !/^https?:\/\/[^/]/u.test(endpointUrl)) {
    throw new AppError('usage-invalid', `cannot use the endpoint '${endpointUrl}': expected http://… or https://…`);
  }
  return {
    ...(profile !== undefined && { profile }),
    ...(region !== undefined && { region }),
    ...(endpointUrl !== undefined && { endpointUrl }),
    ...(roleArn !== undefined && { roleArn }),
    ...(externalId !== undefined && { externalId }),
    ...(requestPayer !== undefined && { requestPayer }),
  };
}
