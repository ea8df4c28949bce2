import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const height = 96;
// All that is kept, once there is as much; a few samples over five minutes would be a dot at the edge.
const longestWindow = 300;
const shortestWindow = 60;

export interface Series {
  name: string;
  /** Formatted, of now */
  now: string;
  values: readonly number[];
  /** Which of the colours of the page */
  tone: 'first' | 'second' | 'third';
}

export interface ChartProps {
  /** What it shows, for those who do not see it */
  label: string;
  times: readonly number[];
  series: readonly Series[];
  /** The scale reaches at least this far. */
  atLeast: number;
  format(value: number): string;
}

function colorOf(root: HTMLElement, tone: string): string {
  const probe = root.querySelector(`[data-tone="${tone}"]`);
  return probe ? getComputedStyle(probe).color : 'gray';
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString(document.documentElement.lang, { hourCycle: 'h23' });
}

function faint(color: string): string {
  return color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)');
}

function optionsOf(root: HTMLElement, width: number, props: () => ChartProps): uPlot.Options {
  // Colours are asked for at each drawing: the page may have turned dark.
  const axis = {
    stroke: () => colorOf(root, 'axis'),
    font: '11px system-ui, sans-serif',
    ticks: { show: false },
    grid: { stroke: () => colorOf(root, 'grid'), width: 1 },
  };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    padding: [6, 4, 0, 0],
    scales: {
      x: {
        range: (_self, min, max) => {
          const shown = Math.min(longestWindow, Math.max(shortestWindow, max - min));
          return [max - shown, max];
        },
      },
      y: {
        range: (_self, _min, max) => [0, Math.max(props().atLeast, max * 1.1)],
      },
    },
    axes: [
      {
        ...axis,
        size: 20,
        space: 90,
        values: (_self, ticks) => ticks.map(clockTime),
        grid: { show: false },
      },
      { ...axis, size: 44, space: 28, values: (_self, ticks) => ticks.map((tick) => props().format(tick)) },
    ],
    series: [
      {},
      ...props().series.map(({ tone }, index) => ({
        stroke: () => colorOf(root, tone),
        width: 1.5,
        points: { show: false },
        ...(index === 0 && { fill: () => faint(colorOf(root, tone)) }),
      })),
    ],
  };
}

const columnsOf = ({ times, series }: ChartProps) =>
  [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;

/** Lines over the last minutes, with what they are at now in words. */
export function Chart(props: ChartProps) {
  const root = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const [outside, inside] = [root.current, canvas.current];
    if (!outside || !inside) return;
    const made = new uPlot(
      optionsOf(outside, inside.clientWidth, () => latest.current),
      columnsOf(latest.current),
      inside,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: inside.clientWidth, height }));
    observer.observe(inside);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, []);

  useEffect(() => plot.current?.setData(columnsOf(props)), [props]);

  const now = props.series.map((series) => `${series.name} ${series.now}`).join(', ');
  return (
    <div class="chart" ref={root}>
      <ul class="legend">
        {props.series.map(({ name, now: value, tone }) => (
          <li key={name} data-tone={tone}>
            <span class="legend-name">{name}</span> <b>{value}</b>
          </li>
        ))}
      </ul>
      <div class="canvas" ref={canvas} role="img" aria-label={`${props.label}: ${now}`} />
      <span data-tone="axis" hidden />
      <span data-tone="grid" hidden />
    </div>
  );
}
