/** The address ranges of AWS, as AWS publishes them in ip-ranges.json: https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { AddressContext } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import { parseNetwork } from '../network.ts';
import { NetworkMap } from './networks.ts';

const range = { region: z.string(), service: z.string() };
const file = z.object({
  createDate: z.string(),
  prefixes: z.array(z.object({ ip_prefix: z.string(), ...range })),
  ipv6_prefixes: z.array(z.object({ ipv6_prefix: z.string(), ...range })),
});

/** Every range stands under this service, and those of a service under that one besides. */
const ANY_SERVICE = 'AMAZON';

export interface AwsRanges {
  /** As AWS writes it, such as `2026-03-01-10-53-02`. */
  readonly createdAt: string;
  find(text: string): Pick<AddressContext, 'aws_service' | 'aws_region'> | null;
}

/** Throws `config-invalid`. */
export function readAwsRanges(path: string): AwsRanges {
  const invalid = (why: string, cause: unknown): AppError =>
    new AppError('config-invalid', `cannot read the address ranges of AWS ${path}: ${why}`, {
      hint: 'Expected the file that AWS publishes at https://ip-ranges.amazonaws.com/ip-ranges.json.',
      cause,
    });
  let parsed: z.infer<typeof file>;
  try {
    parsed = file.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    if (!(cause instanceof z.ZodError)) throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
    const [issue] = cause.issues;
    throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it has another form'}`, cause);
  }
  const [named, others] = [new NetworkMap<AwsRange>(), new NetworkMap<AwsRange>()];
  const ranges = [
    ...parsed.prefixes.map(({ ip_prefix: net, region, service }) => ({ net, region, service })),
    ...parsed.ipv6_prefixes.map(({ ipv6_prefix: net, region, service }) => ({ net, region, service })),
  ];
  for (const { net, region, service } of ranges) {
    const network = parseNetwork(net);
    if (network === null) throw invalid(`'${net}' is not a network`, undefined);
    (service === ANY_SERVICE ? others : named).add(network, { aws_service: service, aws_region: region });
  }
  return { createdAt: parsed.createDate, find: (text) => named.find(text) ?? others.find(text) ?? null };
}

type AwsRange = Pick<AddressContext, 'aws_service' | 'aws_region'>;
