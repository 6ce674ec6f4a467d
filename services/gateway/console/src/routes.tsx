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

const root = createRootRoute({ component: Frame });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
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
  routeTree: root.addChildren([overview, account, portal, report, list, one]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
