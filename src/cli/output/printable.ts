/** What commands print passes through here: src/printable.ts. */
export { csvData, csvField, json, markdownCell, printable, printableLines, valueText } from '../../printable.ts';
