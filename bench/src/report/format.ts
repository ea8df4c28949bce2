import type { Spread } from '../measure/statistics.ts';

/** Three significant digits, and spaces between thousands. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const rounded = Number(value.toPrecision(3));
  const digits = Math.abs(rounded) >= 100 ? 0 : Math.abs(rounded) >= 10 ? 1 : 2;
  const text = Number.isInteger(rounded) ? String(rounded) : rounded.toFixed(digits);
  return text.replace(/\B(?=(?:\d{3})+$)/g, ' ');
}

/** The median, and the least and most of the rounds. */
export function formatSpread({ median, least, most }: Spread): string {
  const [middle, low, high] = [formatNumber(median), formatNumber(least), formatNumber(most)];
  return low === high ? middle : `${middle} (${low}–${high})`;
}

/** Two decimals below 10, so that ratios line up and 1.00 is not 1. */
export function formatRatio({ median, least, most }: Spread): string {
  const one = (value: number) => (value < 9.995 ? value.toFixed(2) : formatNumber(value));
  return Number.isFinite(median) ? `${one(median)} (${one(least)}–${one(most)})` : '–';
}
