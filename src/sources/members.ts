/** What zip and tar have in common: how a member becomes a log file, and how damage is told. */
import { AppError } from '../errors.ts';
import { inScope, keyOf, parseKey } from '../keys.ts';
import type { KeyHint, ListingProblem, Scope } from '../source.ts';

export interface Archive {
  /** Absolute and real, as pathOf() writes it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly kind: 'zip' | 'tar' | 'compressed-tar';
}

interface MemberName {
  readonly key: string;
  readonly hint: KeyHint;
}

/** `name` as pathOf() writes it. */
export function nameOf(archivePath: string, name: string): MemberName {
  // Archives made on Windows may hold backslashes.
  return { key: `${keyOf(archivePath)}!${keyOf(name)}`, hint: parseKey(name.replaceAll('\\', '/')) };
}

/** Null when the scope does not want the member. */
export function memberName(archivePath: string, name: string, scope: Scope): MemberName | null {
  const member = nameOf(archivePath, name);
  return inScope(member.hint, scope) ? member : null;
}

/** The archive cannot be read any further. */
export function damagedArchive(path: string, why: string, cause?: unknown): ListingProblem {
  const key = keyOf(path);
  const hint = 'The members before the damage were listed. Get a whole copy for the rest.';
  return { key, error: new AppError('source-unreadable', `cannot read ${key} to its end: ${why}`, { hint, cause }) };
}

/** One member cannot be read. */
export function unreadableMember(key: string, why: string, hint: string): ListingProblem {
  return { key, error: new AppError('source-unreadable', `cannot read ${key}: ${why}`, { hint }) };
}

export function stopIfAborted(signal: AbortSignal, path: string): void {
  if (signal.aborted) throw new AppError('interrupted', `stopped listing ${keyOf(path)}`);
}
