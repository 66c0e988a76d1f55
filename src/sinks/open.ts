/** Every type of sink by its name in a config. A sink's library is loaded when one is opened. */
import { AppError } from '../errors.ts';
import { type Problem, problemsOf } from '../schema-problems.ts';
import type { Sink } from '../sink.ts';
import { suggestion } from '../suggest.ts';
import { cloudwatch } from './cloudwatch.ts';
import { email } from './email.ts';
import { eventbridge } from './eventbridge.ts';
import { exec } from './exec.ts';
import { file } from './file.ts';
import type { SinkContext, SinkType } from './kind.ts';
import { pagerduty } from './pagerduty.ts';
import { securityhub } from './securityhub.ts';
import { slack } from './slack.ts';
import { sns } from './sns.ts';
import { sqs } from './sqs.ts';
import { stdout } from './stdout.ts';
import { webhook } from './webhook.ts';

export type { SinkContext } from './kind.ts';

const TYPES: Readonly<Record<string, SinkType>> = {
  stdout,
  file,
  exec,
  webhook,
  slack,
  email,
  pagerduty,
  sns,
  sqs,
  eventbridge,
  securityhub,
  cloudwatch,
};

export const SINK_TYPES: readonly string[] = Object.keys(TYPES);

/** What is wrong with the options of a sink, those that all types have left out; empty when nothing is. */
export function checkSinkOptions(type: string, options: unknown): Problem[] {
  const found = typeOf(type);
  return found === null ? [{ path: ['type'], message: unknownType(type) }] : problemsOf(found.options, options);
}

/** Asks nothing of the destination yet. Throws `config-invalid`. */
export async function openSink(type: string, options: unknown, context: SinkContext): Promise<Sink> {
  const found = typeOf(type);
  if (found === null) throw new AppError('config-invalid', `sink ${context.id}: type: ${unknownType(type)}`);
  return found.open(options, context);
}

const typeOf = (name: string): SinkType | null => (Object.hasOwn(TYPES, name) ? (TYPES[name] ?? null) : null);

const unknownType = (name: string): string =>
  `expected one of ${SINK_TYPES.join(', ')}.${suggestion(name, SINK_TYPES)}`;
