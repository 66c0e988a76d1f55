/** Asking AWS about an account: what may not be asked is noted and left out, what no one answers ends it. */
import { awsReason, unansweredError } from '../aws.ts';
import { shown } from '../printable.ts';

/** Of what a service says, this much is told. */
const REASON_CHARACTERS = 200;

export class Questions {
  readonly refused: string[] = [];
  readonly remarks: string[] = [];

  /** Null where AWS refuses. `what`: `list the trails`. Throws `aws-credentials`, `usage-invalid` without a region, and `source-unreadable` without an answer. */
  async ask<T>(what: string, send: () => Promise<T>): Promise<T | null> {
    try {
      return await send();
    } catch (error) {
      const unanswered = unansweredError(error, what, 'source-unreadable');
      if (unanswered !== null) throw unanswered;
      const { name, status, message } = awsReason(error);
      if (status === 0) throw error;
      this.refused.push(`cannot ${what}: ${shown(`${name}: ${message}`, REASON_CHARACTERS)}`);
      return null;
    }
  }
}
