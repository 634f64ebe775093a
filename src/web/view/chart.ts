import { scaleBand, scaleLinear, scaleUtc } from 'd3-scale';
import { curveLinear, curveStepAfter, line } from 'd3-shape';
import { html } from 'hono/html';
import type { Speech } from '../request/speech.ts';
import type { HtmlContent, PageHtml } from './html.ts';
import { htmlTable, type TableColumn } from './lists.ts';

/*
 * Charts, drawn here as SVG. A chart that is scaled down to a phone has letters that nobody can read, so there are two
 * of each, and the style sheet shows one. What a chart shows stands below it as a table, too. Only here an amount is a
 * number that may be rounded: to the width of a point.
 */

interface DayValue {
  /** A local day: `2026-11-21`. */
  day: string;
  value: number;
}

export interface Series {
  /** `area`: in steps, filled; `line`; `second`: a line to compare with; `dots`. */
  kind: 'area' | 'line' | 'second' | 'dots';
  name: string;
  points: readonly DayValue[];
}

export interface DayChart {
  /** What it shows, in a sentence: those hear it who do not see it. */
  label: string;
  /** The first and the last day. */
  from: string;
  to: string;
  series: readonly Series[];
  /** Days on which something happened: a line from top to bottom. */
  marks?: readonly { day: string; label: string }[];
  /** Writes a value of the scale. */
  text(value: number): string;
  /** Whether the scale begins at zero; else a little below the lowest value. */
  fromZero?: boolean;
}

interface Size {
  name: 'narrow' | 'wide';
  width: number;
  height: number;
  left: number;
  ticks: number;
}

/** In points of about a pixel: a narrow chart on a phone of 360 and more, a wide one on what is broader. */
const SIZES: readonly Size[] = [
  { name: 'narrow', width: 340, height: 210, left: 8, ticks: 3 },
  { name: 'wide', width: 860, height: 280, left: 8, ticks: 6 },
];
/** What the labels of the scale take at the left. */
const LABEL = 66;
const TOP = 22;
const BOTTOM = 24;

/** Values by local day. */
export function dayChart(speech: Speech, chart: DayChart): PageHtml {
  return html`${SIZES.map((size) => oneDayChart(speech, chart, size))}`;
}

function oneDayChart({ f }: Speech, chart: DayChart, size: Size): PageHtml {
  const { width, height, left } = size;
  const values = chart.series.flatMap(({ points }) => points.map(({ value }) => value));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  // A little below the lowest, but what is never below zero is not shown there.
  const below = low - (high - low) * 0.08;
  const from = chart.fromZero || (low >= 0 && below < 0) ? 0 : below;
  const x = scaleUtc(
    [msOf(chart.from), Math.max(msOf(chart.to), msOf(chart.from) + 1)],
    [left + LABEL, width - 12],
  );
  const y = scaleLinear([from, high > from ? high : from + 1], [height - BOTTOM, TOP]).nice(4);
  const days: Date[] = [];
  for (const day of x.ticks(size.ticks).filter((one) => one.getUTCHours() === 0)) {
    // Labels stand apart from each other.
    const last = days.at(-1);
    if (last === undefined || x(day) - x(last) >= 48) days.push(day);
  }
  return svg(chart.label, size, [
    gridOf(y.ticks(4), y, chart.text, size),
    days.map((day) => {
      const at = x(day);
      const anchor = at < 24 ? 'start' : at > width - 28 ? 'end' : 'middle';
      return html`<text x="${n(at)}" y="${height - 6}" text-anchor="${anchor}">${f.localDay(day.toISOString().slice(0, 10))}</text>`;
    }),
    (chart.marks ?? []).map(
      ({ day, label }) =>
        html`<line class="mark" x1="${n(x(msOf(day)))}" x2="${n(x(msOf(day)))}" y1="${TOP}" y2="${height - BOTTOM}"><title>${label}</title></line>`,
    ),
    chart.series.map((one) => drawn(one, x, y)),
  ]);
}

type Scale = (value: number) => number;

function drawn({ kind, points }: Series, x: Scale, y: Scale & { domain(): number[] }): HtmlContent {
  const [first = 0] = y.domain();
  const at = (one: DayValue) => x(msOf(one.day));
  const up = (one: DayValue) => y(one.value);
  if (kind === 'dots') {
    return points.map((one) => html`<circle class="dot" cx="${n(at(one))}" cy="${n(up(one))}" r="3.5"/>`);
  }
  const curve = kind === 'area' ? curveStepAfter : curveLinear;
  const path = line<DayValue>(at, up).curve(curve).digits(1)([...points]) ?? '';
  const [start] = points;
  const filled =
    kind === 'area' && start !== undefined
      ? html`<path class="area" d="${path}V${n(y(first))}H${n(at(start))}Z"/>`
      : '';
  return html`${filled}<path class="${kind === 'second' ? 'second' : 'line'}" d="${path}"/>`;
}

export interface BarChart {
  label: string;
  bars: readonly { name: string; value: number }[];
  text(value: number): string;
}

/** A value for each name, from zero. */
export function barChart(chart: BarChart): PageHtml {
  return html`${SIZES.map((size) => oneBarChart(chart, size))}`;
}

function oneBarChart({ label, bars, text }: BarChart, size: Size): PageHtml {
  const { width, height, left } = size;
  const names = bars.map(({ name }) => name);
  const x = scaleBand(names, [left, width - 8])
    .paddingInner(0.3)
    .paddingOuter(0.15);
  const y = scaleLinear([0, Math.max(1, ...bars.map(({ value }) => value))], [height - BOTTOM, TOP]).nice(4);
  const each = Math.ceil((names.length * 52) / width);
  return svg(label, size, [
    gridOf(y.ticks(4), y, text, size),
    bars.map(({ name, value }, index) => {
      const at = x(name) ?? 0;
      const shown = index % each === 0;
      return html`<rect class="bars" x="${n(at)}" y="${n(y(value))}" width="${n(x.bandwidth())}" height="${n(y(0) - y(value))}" rx="2"><title>${name}: ${text(value)}</title></rect>${
        shown
          ? html`<text x="${n(at + x.bandwidth() / 2)}" y="${height - 6}" text-anchor="middle">${name}</text>`
          : ''
      }`;
    }),
  ]);
}

/** The scale stands on its lines, so that it takes no width of the chart. */
function gridOf(
  ticks: readonly number[],
  y: Scale,
  text: (value: number) => string,
  { width, left }: Size,
): HtmlContent {
  return ticks.map(
    (value) =>
      html`<line class="grid" x1="${left}" x2="${width - 8}" y1="${n(y(value))}" y2="${n(y(value))}"/><text x="${left}" y="${n(y(value) - 4)}">${text(value)}</text>`,
  );
}

function svg(label: string, { name, width, height }: Size, content: HtmlContent): PageHtml {
  return html`<svg class="chart chart-${name}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${content}</svg>`;
}

/** A chart with its legend, and the same as a table. */
export function chartWithTable<Row>(
  speech: Speech,
  chart: {
    picture: PageHtml;
    legend?: readonly { kind: Series['kind'] | 'mark'; name: string }[];
    caption: string;
  },
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
): PageHtml {
  const { picture, legend = [], caption } = chart;
  return html`<div class="stack"><figure class="stack">${picture}
${
  legend.length < 2
    ? ''
    : html`<figcaption class="legend">${legend.map(
        ({ kind, name }) => html`<span class="key">${keyOf(kind)}${name}</span>`,
      )}</figcaption>`
}</figure>
<details><summary>${speech.t.asTable}</summary>${htmlTable(speech, columns, rows, { caption, isCaptionHidden: true })}</details></div>`;
}

function keyOf(kind: Series['kind'] | 'mark'): PageHtml {
  const drawing =
    kind === 'mark'
      ? html`<path class="mark" d="M12 0V12"/>`
      : kind === 'dots'
        ? html`<circle class="dot" cx="12" cy="6" r="3.5"/>`
        : html`<path class="${kind === 'second' ? 'second' : 'line'}" d="M1 6H23"/>`;
  return html`<svg class="chart" viewBox="0 0 24 12" aria-hidden="true">${drawing}</svg>`;
}

function msOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** A place in the picture, to a tenth of a point. */
function n(value: number): string {
  return `${Math.floor(value * 10 + 0.5) / 10}`;
}
