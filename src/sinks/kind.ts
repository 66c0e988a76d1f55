/** What each file of this folder exports: the options that a config may give a sink of its type, and how to open one. */
import type { z } from 'zod';
import { AppError } from '../errors.ts';
import { problemsOf } from '../schema-problems.ts';
import type { Sink } from '../sink.ts';
import type { AwsOptions } from '../source.ts';

export interface SinkContext {
  /** The sink's id in the config. */
  readonly id: string;
  readonly aws: AwsOptions;
  /** What relative paths start from: the folder of the config. */
  readonly dir: string;
  /** To stdout. */
  readonly write: (text: string) => Promise<void>;
}

export interface SinkType {
  readonly options: z.ZodType;
  /** Loads the library that it needs. Throws `config-invalid`; asks nothing of the destination yet. */
  open(options: unknown, context: SinkContext): Promise<Sink>;
}

/** `open` gets options that are checked. */
export function sinkType<S extends z.ZodType>(
  options: S,
  open: (options: z.output<S>, context: SinkContext) => Promise<Sink>,
): SinkType {
  return {
    options,
    open: async (given, context) => {
      const problems = problemsOf(options, given);
      if (problems.length > 0) {
        const lines = problems.map(
          ({ path, message }) => `sink ${context.id}: ${path.map(String).join('.') || 'options'}: ${message}`,
        );
        throw new AppError('config-invalid', lines.join('\n'), {
          hint: 'docs/destinations.md lists the options of each type.',
        });
      }
      return open(options.parse(given), context);
    },
  };
}
