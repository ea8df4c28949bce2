import type { Spread } from '../measure/statistics.ts';

export interface Panel {
  title: string;
  scale: 'linear' | 'log';
  /** Labels, at equal distances. */
  x: readonly string[];
  lines: readonly { name: string; points: readonly Spread[] }[];
}

export interface ChartOptions {
  /** What it shows, for those who cannot see it. */
  alt: string;
  xTitle: string;
  /** In rows of two. */
  panels: readonly Panel[];
}

const panelSize = { width: 440, height: 270 };
const margin = { left: 58, right: 18, top: 40, bottom: 44 };
const plot = {
  width: panelSize.width - margin.left - margin.right,
  height: panelSize.height - margin.top - margin.bottom,
};
const columns = 2;
const legendHeight = 34;

// The page that shows the image has one of two backgrounds, and an image cannot see which: it brings its own.
const style = `
  text { font: 12px system-ui, sans-serif; fill: var(--ink) }
  .title { font-weight: 600 } .label { fill: var(--soft); font-size: 11px }
  .ground { fill: var(--ground) } .grid { stroke: var(--grid) } .line { fill: none; stroke-width: 2 }
  .line0 { stroke: var(--first) } .dot0, .band0 { fill: var(--first) }
  .line1 { stroke: var(--second); stroke-dasharray: 6 3 } .dot1, .band1 { fill: var(--second) } .band0, .band1 { opacity: 0.15 }
  svg { --ground: #ffffff; --ink: #1f2328; --soft: #59636e; --grid: #d1d9e0; --first: #0969da; --second: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #f0f6fc; --soft: #9198a1; --grid: #3d444d; --first: #58a6ff; --second: #f0883e }
  }`;

interface Axis {
  ticks: number[];
  /** Height above the bottom of the plot. */
  at(value: number): number;
}

function linearAxis(most: number): Axis {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const top = Math.ceil(most / step) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);
  return { ticks, at: (value) => (value / top) * plot.height };
}

function logAxis(least: number, most: number): Axis {
  const from = Math.floor(Math.log10(least));
  const to = Math.max(from + 1, Math.ceil(Math.log10(most)));
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  return { ticks, at: (value) => ((Math.log10(value) - from) / (to - from)) * plot.height };
}

function axisOf({ scale, lines }: Panel): Axis {
  const points = lines.flatMap((line) => line.points);
  const most = Math.max(...points.map((point) => point.most));
  if (scale === 'linear') return linearAxis(most);
  return logAxis(Math.min(...points.map((point) => point.least)), most);
}

const round = (value: number) => Math.round(value * 10) / 10;

function compact(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function drawPanel(panel: Panel, xTitle: string): string {
  const axis = axisOf(panel);
  const x = (i: number) => round(margin.left + (i / Math.max(1, panel.x.length - 1)) * plot.width);
  const y = (value: number) => round(margin.top + plot.height - axis.at(value));
  const right = margin.left + plot.width;
  const bottom = margin.top + plot.height;
  const parts = [`<text class="title" x="${margin.left}" y="24">${panel.title}</text>`];
  for (const tick of axis.ticks) {
    parts.push(
      `<path class="grid" d="M${margin.left} ${y(tick)}H${right}"/>`,
      `<text class="label" text-anchor="end" x="${margin.left - 8}" y="${y(tick) + 4}">${compact(tick)}</text>`,
    );
  }
  panel.x.forEach((label, i) => {
    parts.push(`<text class="label" text-anchor="middle" x="${x(i)}" y="${bottom + 18}">${label}</text>`);
  });
  parts.push(
    `<text class="label" text-anchor="middle" x="${margin.left + plot.width / 2}" y="${bottom + 36}">${xTitle}</text>`,
  );
  panel.lines.forEach(({ points }, index) => {
    const upper = points.map(({ most }, i) => `${x(i)} ${y(most)}`);
    const lower = points.map(({ least }, i) => `${x(i)} ${y(least)}`).reverse();
    const middle = points.map(({ median }, i) => `${x(i)} ${y(median)}`);
    parts.push(
      `<path class="band${index}" d="M${[...upper, ...lower].join('L')}Z"/>`,
      `<path class="line line${index}" d="M${middle.join('L')}"/>`,
      ...points.map(
        ({ median }, i) => `<circle class="dot${index}" cx="${x(i)}" cy="${y(median)}" r="2.5"/>`,
      ),
    );
  });
  return parts.join('\n');
}

function drawLegend(names: readonly string[]): string {
  return names
    .map((name, i) => {
      const left = margin.left + i * 130;
      return `<path class="line line${i}" d="M${left} 20h28"/><text x="${left + 36}" y="24">${name}</text>`;
    })
    .join('\n');
}

/** An SVG of its own, for two lines in each panel, readable on light and on dark pages. */
export function drawChart({ alt, xTitle, panels }: ChartOptions): string {
  const width = columns * panelSize.width;
  const height = legendHeight + Math.ceil(panels.length / columns) * panelSize.height;
  const drawn = panels.map((panel, i) => {
    const left = (i % columns) * panelSize.width;
    const top = legendHeight + Math.floor(i / columns) * panelSize.height;
    return `<g transform="translate(${left} ${top})">\n${drawPanel(panel, xTitle)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>${alt}</title>
<style>${style}
</style>
<rect class="ground" width="${width}" height="${height}" rx="6"/>
${drawLegend(panels[0]?.lines.map(({ name }) => name) ?? [])}
${drawn.join('\n')}
</svg>
`;
}
