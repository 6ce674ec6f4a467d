// Made by `npm run types` from /api/v1/openapi.json.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Attachments: {
            items: {
                /** Format: date-time */
                at: string;
                by: {
                    id: string;
                    name: string;
                };
                digest: string;
                media_type: string;
                name: string;
                rev: number;
                size: number;
            }[];
        };
        Comments: {
            items: {
                /** Format: date-time */
                at: string;
                by: {
                    id: string;
                    name: string;
                };
                rev: number;
                text: string;
            }[];
        };
        Group: {
            /** Format: date-time */
            closed_at: string | null;
            data: components["schemas"]["GroupData"];
            definition: number;
            /** Format: uuid */
            id: string;
            number: string;
            offers?: components["schemas"]["Offer"][];
            /** Format: date-time */
            opened_at: string;
            opened_by: string;
            /** @constant */
            process: "group";
            rev: number;
            /** @enum {unknown} */
            state: "active" | "dissolved";
            /** Format: date-time */
            updated_at: string;
        };
        GroupData: {
            members?: string[];
            name: string;
            roles?: string[];
        };
        History: {
            items: {
                actor: {
                    id: string;
                    name: string;
                };
                /** Format: date-time */
                at: string;
                attachment?: Record<string, never>;
                causation?: string | null;
                changes: Record<string, never>;
                channel?: string;
                comment?: string;
                correlation?: string;
                erased?: Record<string, never>;
                erasure?: Record<string, never>;
                event: string;
                from?: string;
                id: string;
                implied?: boolean;
                link?: Record<string, never>;
                /** Format: date-time */
                recorded_at: string;
                rev: number;
                role?: string;
                to?: string;
                transition?: string;
                type: string;
                unlink?: Record<string, never>;
            }[];
            next: string | null;
        };
        Links: {
            items: {
                /** Format: date-time */
                at: string;
                confirmed: boolean;
                relation: string;
                to: {
                    id: string | null;
                    number: string;
                    process: string;
                };
            }[];
        };
        Offer: {
            label: string;
            name: string;
            needs: string[];
            refused_because: string | null;
        };
        ProblemDetails: {
            /** @description Stable, for programs. */
            code: string;
            detail: string;
            errors: {
                code: string;
                message: string;
                /** @description JSON pointer to the value at fault. */
                path: string;
            }[];
            /** @description The request's id. */
            instance?: string;
            status: number;
            title: string;
            type: string;
        };
        SignIn: {
            login: string;
            /** Format: password */
            password: string;
        } | {
            /** Format: password */
            token: string;
        } | {
            /** Format: password */
            ticket: string;
        };
        Who: {
            /** @description What changes of a session need as `x-csrf-token`; null where no cookie let you in. */
            csrf_token: string | null;
            groups: string[];
            /** @description `person:PER0000001`, or `key:` and what signed in. */
            id: string;
            name: string;
            roles: string[];
            scopes: string[];
            /** @description The id of the session's record, which is one of `sessions`; null where no cookie let you in. */
            session: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
