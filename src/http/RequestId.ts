/** The id of one request: in its response's header, in its problem body, in the log. */
import { Context } from "effect"
import { randomUUID } from "node:crypto"

export const RequestId = Context.Reference<string>("troupe/http/RequestId", { defaultValue: () => "none" })

const safe = /^[A-Za-z0-9._-]{1,128}$/

/** The client's own id where it is safe in a header and a log, else a new one. */
export const requestIdOf = (header: string | undefined): string =>
  header !== undefined && safe.test(header) ? header : randomUUID()
