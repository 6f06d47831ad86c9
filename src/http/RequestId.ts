/** The name of one request: in its answer's header, in its problem body, in the log. */
import { Context } from "effect"
import { randomUUID } from "node:crypto"

export const RequestId = Context.Reference<string>("troupe/http/RequestId", { defaultValue: () => "none" })

const sane = /^[A-Za-z0-9._-]{1,128}$/

/** The client's own where it can stand in a header and a log, else a new one. */
export const requestIdOf = (header: string | undefined): string =>
  header !== undefined && sane.test(header) ? header : randomUUID()
