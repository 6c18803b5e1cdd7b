/** What two commands print, one after the other, made comparable. */

/** Ages differ; their widths do not matter where they are no longer last. */
export function masked(text: string): string {
  return text.replace(/\b(?:\d+[smhd]){1,2}\b|<invalid>/g, "AGE").replace(/AGE +/g, "AGE ");
}
