/** The one error class: a failure that a person can act on. Anything else that is thrown is a bug and keeps its stack. */

/** Stable codes; the exit status of each, and what it means, is listed in docs/reference/errors.md. */
export const ERROR_CODES = {
  'usage-invalid': {
    exit: 2,
    meaning: 'A command, option or argument is not known, or its value is not what is expected.',
  },
  'config-invalid': {
    exit: 2,
    meaning: 'The config file, a list file or a detector parameter cannot be used as written.',
  },
  'time-invalid': {
    exit: 2,
    meaning: 'A time is not ISO 8601, `now`, or a span ago such as `30m`, `12h`, `7d`, `2w`.',
  },
  'sql-invalid': {
    exit: 2,
    meaning: 'The statement is not one SELECT over the tables of trailhound, or the engine refuses it.',
  },
  'detector-unknown': { exit: 2, meaning: 'No detector has this id.' },
  'detector-invalid': { exit: 2, meaning: "A detector's file, condition or SQL cannot be used as written." },
  'query-unknown': { exit: 2, meaning: 'No saved question has this id.' },
  'alert-unknown': { exit: 2, meaning: 'No alert in the store has this id.' },
  'incident-unknown': { exit: 2, meaning: 'No incident of the alerts in the store has this id.' },
  'source-missing': { exit: 2, meaning: 'The path or glob names nothing that exists.' },
  'aws-credentials': { exit: 2, meaning: 'AWS was given no credentials, or does not accept them.' },
  'source-unreadable': { exit: 3, meaning: 'A log file or folder could not be read now; it may be readable later.' },
  'store-missing': { exit: 2, meaning: 'There is no store in this folder yet.' },
  'store-inside-source': {
    exit: 2,
    meaning: 'The store lies inside the folder that is to be read; evidence is never written to.',
  },
  'store-fleeting': {
    exit: 2,
    meaning:
      'The store of a `watch` would be gone with the machine that it runs on, and with it what was told already.',
  },
  'store-version': {
    exit: 2,
    meaning: 'The store was written by a version of trailhound that this one does not understand.',
  },
  'store-locked': { exit: 3, meaning: 'Another process is writing to the store.' },
  'store-watched': { exit: 3, meaning: 'Another `watch` runs on the store.' },
  'store-unwritable': {
    exit: 3,
    meaning: 'The store cannot be written: read-only, no permission, or the disk is full.',
  },
  'target-unwritable': { exit: 3, meaning: 'What an export writes to cannot be written, or not now.' },
  'target-foreign': {
    exit: 2,
    meaning: 'The export of another store, or of one under another condition, lies there.',
  },
  'store-unreadable': { exit: 3, meaning: 'This user may not look into the folder of the store.' },
  'store-damaged': { exit: 3, meaning: 'A file of the store is missing or cannot be read.' },
  'query-failed': {
    exit: 3,
    meaning: 'The engine could not finish a statement that was accepted, for example for lack of memory.',
  },
  'athena-missing': { exit: 2, meaning: 'The table that is asked for is not set up in this database of Athena.' },
  'athena-conflict': {
    exit: 2,
    meaning: 'A table or view that trailhound did not make has the name that it needs in this database of Athena.',
  },
  'sink-unknown': { exit: 2, meaning: 'No destination in the config has this id.' },
  'delivery-failed': { exit: 3, meaning: 'A destination did not take a message; it is kept, and can be sent again.' },
  'scan-limit': {
    exit: 3,
    meaning:
      'A statement on Athena would scan more than `--max-scan` or its workgroup allows, or was stopped when it did.',
  },
  'install-damaged': {
    exit: 4,
    meaning: 'A file of trailhound itself is missing or damaged.',
  },
  'output-unwritable': {
    exit: 3,
    meaning: 'What stdout leads to takes no more, for example because its disk is full.',
  },
  interrupted: {
    exit: 130,
    meaning: 'Ctrl-C or SIGTERM ended the run; what was committed is kept, the next run continues.',
  },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Message: what was tried, on which thing with its value, what happened or was expected. Hint: what to do, on its own line. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint;
  }

  get exitStatus(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** What Node says of a file of ours that is not there, or is cut off. */
const DAMAGED_CODES: ReadonlySet<unknown> = new Set(['ENOENT', 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']);
const DAMAGED_NAMES: ReadonlySet<string> = new Set(['SyntaxError', 'CompileError', 'LinkError']);

/** An error of loading a part of trailhound; one that does not come from a file of it stays as it is. */
export function asInstallError(error: unknown, tried: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const isDamaged = DAMAGED_NAMES.has(error.name) || ('code' in error && DAMAGED_CODES.has(error.code));
  return error instanceof AppError || !isDamaged ? error : damagedInstall(tried, error);
}

export function damagedInstall(tried: string, cause: Error): AppError {
  return new AppError('install-damaged', `cannot ${tried}: ${cause.message}`, {
    hint: 'A file of trailhound is missing or damaged: install it again.',
    cause,
  });
}
