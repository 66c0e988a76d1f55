/** What commands print passes through here: src/printable.ts. */
export { csvField, json, markdownCell, printable, printableLines, valueText } from '../../printable.ts';
