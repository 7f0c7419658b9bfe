/**
 * Columns of text.
 * @module
 */

/** A heading and rows under it; columns that hold numbers only stand to the right. */
export function tableText(
  headings: readonly string[],
  rows: readonly (string | number)[][],
): string {
  const cells = [headings, ...rows.map((row) => row.map(String))];
  const widths = headings.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const isNumeric = headings.map(
    (_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P'];

/** 1234567 -> '1.23M'. */
export function shortNumber(value: number): string {
  let unit = 0;
  let rest = value;
  while (Math.abs(rest) >= 1000 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = unit === 0 && Number.isInteger(rest) ? 0 : Math.abs(rest) < 10 ? 2 : 1;
  return `${rest.toFixed(digits)}${UNITS[unit]}`;
}
