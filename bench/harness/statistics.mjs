/**
 * Medians, and numbers that a person can read.
 * @module
 */

/** The middle of the values; the mean of the middle two; NaN without any. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Three digits and a unit of thousands: 1234567 -> '1.23 M', bytes as '1.23 GB/s'. */
export function readable(value, unit = '') {
  if (!Number.isFinite(value)) return '-';
  const isBytes = unit === 'bytes/s';
  const [scale, letter] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ].find(([least]) => Math.abs(value) >= least) ?? [1, ''];
  const text = `${digits(value / scale)} ${letter}`;
  return isBytes ? `${text}B/s` : text.trim();
}

/** Three significant digits, without an exponent. */
export function digits(value) {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
