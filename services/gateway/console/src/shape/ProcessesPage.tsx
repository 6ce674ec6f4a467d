/** All processes, each with the version in force: what can be shaped. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { processes } from "../api/queries";
import { spoken } from "../fields/words";
import { useLanguage } from "../i18n/words";
import { ProblemBox } from "../ui/ProblemBox";
import { versions } from "./queries";
import styles from "./ProcessesPage.module.css";

export function ProcessesPage() {
  const { say, code } = useLanguage();
  const known = useQuery(processes);
  const all = (known.data ?? []).toSorted((one, other) => (one.service ?? "").localeCompare(other.service ?? ""));
  const published = useQueries({ queries: all.map(({ process }) => versions(process)) });
  const format = new Intl.NumberFormat(code);
  useEffect(() => {
    document.title = `${say("nav.processes")} · ${say("app.name")}`;
  }, [say]);
  return (
    <>
      <h1 className={styles.title}>{say("nav.processes")}</h1>
      <ProblemBox error={known.error} />
      <div className={styles.frame} tabIndex={0} role="region" aria-label={say("nav.processes")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say("shape.process")}</th>
              <th scope="col">{say("shape.service")}</th>
              <th scope="col">{say("shape.inForce")}</th>
              <th scope="col">{say("shape.records")}</th>
              <th scope="col">{say("shape.elsewhere")}</th>
              <th scope="col">{say("shape.clauses")}</th>
            </tr>
          </thead>
          <tbody>
            {all.map((process, index) => {
              const items = published[index]?.data?.items ?? [];
              const open = (isPresent: boolean) => items.filter((one) => one.is_present === isPresent).reduce((sum, { records }) => sum + records.open, 0);
              return (
                <tr key={process.process}>
                  <th scope="row">
                    <Link to="/processes/$name" params={{ name: process.process }}>
                      {process.title}
                    </Link>
                  </th>
                  <td>{spoken(process.service ?? "")}</td>
                  <td>{say("shape.version", { version: process.version })}</td>
                  <td>{format.format(open(true))}</td>
                  <td>{open(false) > 0 ? format.format(open(false)) : ""}</td>
                  <td>{process.clauses.join(", ")}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
