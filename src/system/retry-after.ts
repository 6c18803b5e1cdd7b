/** Owns how a server says when to ask it again. */

/** How long `Retry-After` asks to wait, in milliseconds: seconds or a date, never less than none. RFC 9110, 10.2.3. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const header = headers.get("retry-after")?.trim();
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
