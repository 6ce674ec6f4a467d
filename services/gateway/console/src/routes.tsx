/** The map of the console: the address says which page, and all that it shows. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Frame } from "./shell/Frame";

/** What a list's address may say. */
export type ListSearch = {
  filter?: string;
  q?: string;
  sort?: string;
  columns?: string;
  group?: string;
  as?: "board";
  new?: true;
};

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function listSearch(given: Record<string, unknown>): ListSearch {
  const entries = (["filter", "q", "sort", "columns", "group"] as const).map((name) => [name, text(given[name])]);
  const search: ListSearch = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  if (given.as === "board") search.as = "board";
  if (given.new === true) search.new = true;
  return search;
}

/** What the charts are of, and in which steps of time. */
export type FiguresSearch = { of?: string; by?: "day" | "week" | "month" };

/** The part of time that the calendar shows. */
export type CalendarSearch = { by?: "day" | "week"; at?: string };

/** What is done about a process. */
export type ShapeSearch = { show?: "difference" | "versions" | "migrate" };

const oneOf = <Word extends string>(value: unknown, words: readonly Word[]) => words.find((word) => word === value);

/** A search without what is not said. */
const said = <Search extends object>(search: { [Name in keyof Search]: Search[Name] | undefined }): Search =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as Search;

const root = createRootRoute({ component: Frame });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (given: Record<string, unknown>): FiguresSearch =>
    said<FiguresSearch>({ of: text(given.of), by: oneOf(given.by, ["day", "week", "month"]) }),
  component: lazyRouteComponent(() => import("./pages/Home"), "Home"),
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyRouteComponent(() => import("./account/AccountPage"), "AccountPage"),
});

const portal = createRoute({
  getParentRoute: () => root,
  path: "/portal",
  component: lazyRouteComponent(() => import("./portal/PortalHome"), "PortalHome"),
});

/** What is ordered, where something of the catalogue is. */
export type Order = { service?: string; item?: string };

const report = createRoute({
  getParentRoute: () => root,
  path: "/portal/new/$collection",
  validateSearch: (given: Record<string, unknown>): Order => {
    const [service, item] = [text(given.service), text(given.item)];
    return { ...(service !== undefined && { service }), ...(item !== undefined && { item }) };
  },
  component: lazyRouteComponent(() => import("./portal/ReportPage"), "ReportPage"),
});

const calendar = createRoute({
  getParentRoute: () => root,
  path: "/calendar",
  validateSearch: (given: Record<string, unknown>): CalendarSearch =>
    said<CalendarSearch>({ by: oneOf(given.by, ["day", "week"]), at: text(given.at) }),
  component: lazyRouteComponent(() => import("./calendar/CalendarPage"), "CalendarPage"),
});

const duties = createRoute({
  getParentRoute: () => root,
  path: "/duties",
  component: lazyRouteComponent(() => import("./duties/DutiesPage"), "DutiesPage"),
});

const shapes = createRoute({
  getParentRoute: () => root,
  path: "/processes",
  component: lazyRouteComponent(() => import("./shape/ProcessesPage"), "ProcessesPage"),
});

const shape = createRoute({
  getParentRoute: () => root,
  path: "/processes/$name",
  validateSearch: (given: Record<string, unknown>): ShapeSearch =>
    said<ShapeSearch>({ show: oneOf(given.show, ["difference", "versions", "migrate"]) }),
  component: lazyRouteComponent(() => import("./shape/ShapePage"), "ShapePage"),
});

export const list = createRoute({
  getParentRoute: () => root,
  path: "/$collection",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./list/ListPage"), "ListPage"),
});

export const one = createRoute({
  getParentRoute: () => root,
  path: "/$collection/$number",
  component: lazyRouteComponent(() => import("./pages/One"), "One"),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, account, portal, report, calendar, duties, shapes, shape, list, one]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
