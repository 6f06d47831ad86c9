/**
 * Where what a request has made is found: the header `location`. It is relative to the address of the request, so it is right
 * behind a proxy and below a prefix, too.
 */

/** Describes the header in OpenAPI, on the answer with this status. */
export const withLocation =
  (status: 200 | 202, description: string) =>
  (operation: Record<string, unknown>): Record<string, unknown> => {
    const responses = operation["responses"] as Record<string, { readonly headers?: object }>
    const answer = responses[status]
    const location = { description, schema: { type: "string", format: "uri-reference" } }
    return {
      ...operation,
      responses: { ...responses, [status]: { ...answer, headers: { ...answer?.headers, location } } }
    }
  }
