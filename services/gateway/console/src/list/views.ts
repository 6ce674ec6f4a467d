/** Lists that somebody saved, as the gateway's own database keeps them. */

import type { RecordView } from "../api/model";
import { some } from "../api/queries";
import type { ListSearch } from "../routes";

export const VIEWS = "views";
const SHOWN = 50;

/** Those of one process, or of all. */
export const savedViews = (process?: string) =>
  some(VIEWS, { filter: `${process === undefined ? "" : `record.of == '${process}' && `}record.state == 'active'`, sort: "name" }, SHOWN);

/** What a view shows, as the address of a list says it. */
export const searchOf = (view: RecordView): ListSearch => JSON.parse(String(view.data.query)) as ListSearch;
