const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Figures and times as a language writes them. */
export function createFormat(locale: string) {
  const whole = new Intl.NumberFormat(locale);
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const threeDigits = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  const clock = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const unit = (name: string) =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: 0,
    });
  const minutes = unit('minute');
  const hours = unit('hour');
  const days = unit('day');

  /** A larger and a smaller unit, the latter only where there is something of it. */
  function both(larger: Intl.NumberFormat, count: number, smaller: string, rest: number): string {
    return rest > 0 ? `${larger.format(count)} ${smaller}` : larger.format(count);
  }

  function duration(ms: number): string {
    if (ms < second) return `${ms < 10 ? decimal.format(ms) : whole.format(Math.round(ms))} ms`;
    if (ms < minute) return `${decimal.format(ms / second)} s`;
    const secondsLeft = Math.floor((ms % minute) / second);
    if (ms < hour) return both(minutes, Math.floor(ms / minute), `${secondsLeft} s`, secondsLeft);
    const minutesLeft = Math.floor((ms % hour) / minute);
    if (ms < day) return both(hours, Math.floor(ms / hour), minutes.format(minutesLeft), minutesLeft);
    const hoursLeft = Math.floor((ms % day) / hour);
    return both(days, Math.floor(ms / day), hours.format(hoursLeft), hoursLeft);
  }

  function size(bytes: number): string {
    if (bytes < 1_000) return `${whole.format(bytes)} B`;
    if (bytes < 1e6) return `${decimal.format(bytes / 1e3)} kB`;
    if (bytes < 1e9) return `${decimal.format(bytes / 1e6)} MB`;
    return `${decimal.format(bytes / 1e9)} GB`;
  }

  function since(time: string, now = Date.now()): string {
    const ms = Date.parse(time) - now;
    if (ms > -minute) return ago.format(Math.min(0, Math.round(ms / second)), 'second');
    if (ms > -hour) return ago.format(Math.round(ms / minute), 'minute');
    if (ms > -day) return ago.format(Math.round(ms / hour), 'hour');
    return clock.format(new Date(time));
  }

  return {
    whole: (value: number) => whole.format(value),
    decimal: (value: number) => decimal.format(value),
    score: (value: number) => threeDigits.format(value),
    percent: (value: number) => `${decimal.format(value)} %`,
    time: (time: string) => clock.format(new Date(time)),
    duration,
    size,
    since,
  };
}
