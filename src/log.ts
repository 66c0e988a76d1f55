/** What a process that runs for months says of itself: an event with fields, for people and for programs. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** `event` is a short sentence without values; these stand in the fields. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;
