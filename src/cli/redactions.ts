/** What the config says is not to be stored, checked against the tables. */
import { AppError } from '../errors.ts';
import { parseRedaction, type Redaction } from '../redaction.ts';
import type { Run } from './command.ts';

/** Throws `config-invalid`, naming the place. */
export async function redactionsOf({ config }: Pick<Run<unknown>, 'config'>): Promise<readonly Redaction[]> {
  if (config.redact.length === 0) return [];
  const { TABLES } = await import('./wire.ts');
  return config.redact.map((text, index) => {
    try {
      return parseRedaction(text, TABLES);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { message, hint } = error;
      throw new AppError('config-invalid', `${config.placeOf(['redact', index])}: redact.${index}: ${message}`, {
        ...(hint !== undefined && { hint }),
      });
    }
  });
}
