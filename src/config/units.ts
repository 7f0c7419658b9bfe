/**
 * Sizes and durations as people write them: "64KiB", "30s".
 * @module
 */

const SIZE_UNITS: Record<string, number> = {
  B: 1,
  kB: 1000,
  KiB: 1024,
  MB: 1000 ** 2,
  MiB: 1024 ** 2,
  GB: 1000 ** 3,
  GiB: 1024 ** 3,
};

const DURATION_UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
};

/** Bytes: an integer, or text such as '64KiB' or '1.5 MB'. Null when it is neither. */
export function parseSize(value: unknown): number | null {
  return parseQuantity(value, SIZE_UNITS, 1);
}

/** Milliseconds: text such as '200ms', '30s', '2min', '1h'. A bare number is refused: of what? */
export function parseDuration(value: unknown): number | null {
  return typeof value === 'string' ? parseQuantity(value, DURATION_UNITS, null) : null;
}

function parseQuantity(
  value: unknown,
  units: Record<string, number>,
  bare: number | null,
): number | null {
  if (typeof value === 'number')
    return bare !== null && Number.isInteger(value) ? value * bare : null;
  if (typeof value !== 'string') return null;
  const match = value.match(/^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/);
  if (match === null) return null;
  const [, digits, unit] = match;
  const factor = unit === '' ? bare : Object.hasOwn(units, unit!) ? units[unit!]! : null;
  if (factor === null) return null;
  const amount = Number(digits) * factor;
  return Number.isInteger(amount) ? amount : null;
}

/** 262144 -> '256KiB'. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const factor = SIZE_UNITS[unit]!;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

/** 30000 -> '30s'. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'min', 's']) {
    const factor = DURATION_UNITS[unit]!;
    if (ms >= factor && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return `${ms}ms`;
}
