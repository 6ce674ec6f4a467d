/** The main pages: who looks at each, and what is there once it is drawn. */

export type MainPage = { login: string; path: (number: string) => string; shows: string };

export const PAGES: Record<string, MainPage> = {
  overview: { login: "ben", path: () => "/", shows: '[data-drawn="true"]' },
  list: { login: "ada", path: () => "/incidents", shows: "tr[data-number]" },
  board: { login: "ada", path: () => "/incidents?as=board", shows: "li[draggable]" },
  record: { login: "ada", path: (number) => `/incidents/${number}`, shows: "svg[role=img]" },
  new: { login: "ada", path: () => "/incidents?new=true", shows: '[role="dialog"] input' },
  calendar: { login: "ben", path: () => "/calendar", shows: 'a[href^="/changes/"]' },
  duties: { login: "ben", path: () => "/duties", shows: "tr[data-number]" },
  processes: { login: "ben", path: () => "/processes", shows: "tbody tr" },
  shape: { login: "ben", path: () => "/processes/incident", shows: '[role="textbox"]' },
  account: { login: "ben", path: () => "/account", shows: "h2" },
  portal: { login: "cleo", path: () => "/portal", shows: 'a[href^="/portal/new/"]' },
};
