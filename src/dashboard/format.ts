/**
 * Numbers as people read them: three digits and a unit.
 * @module
 */

const STEPS = ['', 'k', 'M', 'G', 'T'];
const BINARY_STEPS = ['', 'Ki', 'Mi', 'Gi', 'Ti'];

/** 1234 -> '1.23 k'. With `per` a power of 1024: 'Ki', 'Mi'. */
export function short(value: number, per = 1000): string {
  if (!Number.isFinite(value)) return '–';
  let step = 0;
  let rest = Math.abs(value);
  while (rest >= (per === 1000 ? 999.5 : 1000) && step < STEPS.length - 1) {
    rest /= per;
    step++;
  }
  const isWhole = step === 0 && Number.isInteger(rest);
  const digits = isWhole ? `${rest}` : rest.toFixed(rest >= 100 ? 0 : rest >= 10 ? 1 : 2);
  const unit = (per === 1024 ? BINARY_STEPS : STEPS)[step]!;
  const sign = value < 0 ? '−' : '';
  return unit === '' ? sign + digits : `${sign}${digits} ${unit}`;
}

export const perSecond = (value: number): string => `${short(value)}/s`;

export function bits(value: number): string {
  const text = short(value);
  return /[kMGT]$/.test(text) ? `${text}b/s` : `${text} b/s`;
}

export function bytes(value: number): string {
  const text = short(value, 1024);
  return text.endsWith('i') ? `${text}B` : `${text} B`;
}

/** Microseconds, as what is short enough. */
export function duration(us: number): string {
  if (us === 0) return '0';
  if (us < 1000) return `${us < 10 ? +us.toFixed(1) : Math.round(us)} µs`;
  if (us < 1e6) return `${+(us / 1000).toPrecision(3)} ms`;
  return `${+(us / 1e6).toPrecision(3)} s`;
}

/** Seconds that somebody has been there. */
export function age(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export const percent = (share: number): string =>
  `${(100 * share).toFixed(share >= 0.0995 ? 0 : 1)} %`;

/** An address with its port; IPv6 in brackets. */
export const end = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
