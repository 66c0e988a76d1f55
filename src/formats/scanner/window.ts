/** The window of rows that every scanner fills: what the JavaScript side sees of it, whatever the format. */
import { clearRows } from './columns';
import { scratchBase } from './layout';
import { clearScratch, ensureMemory } from './text';

export { rows } from './columns';
export { dictionarySize, MAX_ENTRIES, PLACES } from './dictionary';
export { beginGroups, GROUP_PLACES, MAX_GROUPS, splitGroups } from './groups';
export * from './layout';
export { packedAt, packedBytes, packedTexts, packRepeated, packTexts } from './pack';

/** First address that the scanner's own tables leave free. */
export function freeAddress(): usize {
  return __heap_base;
}

/** Makes memory exist up to the scratch. */
export function openWindow(): void {
  ensureMemory(scratchBase);
  clearWindow();
}

/** No rows, and no texts that were decoded for them. */
export function clearWindow(): void {
  clearScratch();
  clearRows();
}
