/** Where the console begins. */

import "@fontsource-variable/inter/wght.css";
import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles.css";
import "./app.css";

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/client";
import { whoami } from "./api/queries";
import { Speaking } from "./i18n/Speaking";
import { Door } from "./session/Door";
import { theme } from "./theme";
import { Notices } from "./ui/Notice";
import { router } from "./routes";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // Events say what changed; reading again on every focus would only flicker.
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof Problem && (error.status === 0 || error.status === 503),
    },
  },
});

client.getQueryCache().subscribe(({ type, query }) => {
  const { error } = query.state;
  if (type === "updated" && error instanceof Problem && error.status === 401) {
    client.setQueryData(whoami.queryKey, null);
  }
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={client}>
        <Speaking>
          <Door>
            <RouterProvider router={router} />
          </Door>
          <Notices />
        </Speaking>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
