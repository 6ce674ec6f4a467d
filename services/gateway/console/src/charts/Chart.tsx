/** Figures as bars or lines, and as a table: each opens the records behind it. */

import { useComputedColorScheme } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ECharts } from "echarts/core";
import { useEffect, useRef, type ReactNode } from "react";
import { useLanguage } from "../i18n/words";
import styles from "./Chart.module.css";

/** A figure, and which records are behind it. */
export type Figure = { value: number; filter: string };
export type Row = { name: string; tone: Tone; figures: (Figure | null)[] };
export type Tone = "accent" | "good" | "bad" | "calm";

type Props = {
  title: string;
  /** What the figures are of, or are not. */
  note?: ReactNode;
  kind?: "bar" | "line";
  unit?: string;
  /** Whether the bars of a column stand on each other. */
  isStacked?: boolean;
  collection: string;
  columns: string[];
  rows: Row[];
};

/** So few columns are all called by their names. */
const FEW = 8;

const TONES: Record<Tone, string> = { accent: "--accent", good: "--good", bad: "--bad", calm: "--chart-calm" };
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Chart(props: Props) {
  const { title, note, collection, columns, rows, unit = "" } = props;
  const { say, code } = useLanguage();
  const canvas = useDrawn(props);
  const format = new Intl.NumberFormat(code);
  return (
    <section className={styles.card} aria-label={title}>
      <div className={styles.head}>
        <h3>{title}</h3>
        {rows.length > 1 && (
          <ul className={styles.legend}>
            {rows.map(({ name, tone }) => (
              <li key={name} data-tone={tone}>
                {name}
              </li>
            ))}
          </ul>
        )}
      </div>
      {note}
      {/* Everything that it shows is said by the table below it, too. */}
      <div ref={canvas} className={styles.canvas} aria-hidden />
      <details className={styles.table}>
        <summary>{say("chart.asTable")}</summary>
        <div className={styles.scroll}>
          <table>
            <caption className={styles.hidden}>{title}</caption>
            <thead>
              <tr>
                <th scope="col">{say("chart.when")}</th>
                {rows.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {columns.map((column, index) => (
                <tr key={column}>
                  <th scope="row">{column}</th>
                  {rows.map(({ name, figures }) => {
                    const figure = figures[index];
                    return (
                      <td key={name}>
                        {figure && (
                          <Link to="/$collection" params={{ collection }} search={{ filter: figure.filter }}>
                            {format.format(figure.value)}
                            {unit}
                          </Link>
                        )}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

/** The element in which the figures are drawn, in the colours of the page. */
function useDrawn({ kind = "bar", unit = "", isStacked = false, collection, columns, rows }: Props) {
  const canvas = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    let chart: ECharts | null = null;
    let isGone = false;
    const resize = new ResizeObserver(() => chart?.resize());
    void import("./echarts").then(({ init }) => {
      if (isGone) return;
      chart = init(element, null, { renderer: "canvas" });
      const [text, line, muted, surface] = ["--text", "--line", "--muted", "--surface"].map(colour);
      const label = { color: muted, fontFamily: "Inter Variable, sans-serif", fontSize: 11 };
      chart.setOption({
        animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
        animationDuration: 250,
        grid: { left: 4, right: 8, top: 10, bottom: 4, containLabel: true },
        tooltip: {
          trigger: "axis",
          // The page lets no style be inline, which a tip of HTML would be.
          renderMode: "richText",
          backgroundColor: surface,
          borderColor: line,
          textStyle: { color: text, fontFamily: label.fontFamily, fontSize: 12 },
          valueFormatter: (value: unknown) => (typeof value === "number" ? `${value}${unit}` : ""),
          axisPointer: { type: kind === "bar" ? "shadow" : "line", shadowStyle: { color: muted, opacity: 0.08 } },
        },
        xAxis: { type: "category", data: columns, axisLabel: { ...label, interval: columns.length > FEW ? "auto" : 0, hideOverlap: columns.length > FEW }, axisTick: { show: false }, axisLine: { lineStyle: { color: line } } },
        yAxis: { type: "value", minInterval: 1, max: unit === " %" ? 100 : undefined, axisLabel: { ...label, formatter: `{value}${unit}` }, splitLine: { lineStyle: { color: line, opacity: 0.7 } } },
        series: rows.map(({ name, tone, figures }) => ({
          name,
          type: kind,
          stack: isStacked ? "all" : undefined,
          data: figures.map((figure) => figure?.value ?? null),
          barMaxWidth: 28,
          symbolSize: 8,
          cursor: "pointer",
          itemStyle: { color: colour(TONES[tone]), borderRadius: kind === "bar" && !isStacked ? [3, 3, 0, 0] : 0 },
          lineStyle: { width: 2.5 },
        })),
      });
      chart.on("click", ({ seriesIndex, dataIndex }) => {
        const figure = rows[seriesIndex ?? 0]?.figures[dataIndex];
        if (figure) void navigate({ to: "/$collection", params: { collection }, search: { filter: figure.filter } });
      });
      resize.observe(element);
      element.dataset.drawn = "true";
    });
    return () => {
      isGone = true;
      resize.disconnect();
      chart?.dispose();
    };
  }, [kind, unit, isStacked, collection, columns, rows, navigate, scheme]);
  return canvas;
}
