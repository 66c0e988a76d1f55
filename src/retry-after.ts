/** How long a server asks to be left alone. */

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after. 0 where it asks for no pause. */
export function retryAfterMs(header: string | undefined): number {
  if (header === undefined) return 0;
  const ms = /^\d+(?:\.\d+)?$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : 0;
}
