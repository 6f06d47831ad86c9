/** Requests to a server over the network, as any client sends them, with the answers as they arrive. */
import { Effect } from "effect"
import { appToken } from "./callers.ts"

export interface CallOptions {
  readonly method?: string
  readonly token?: string | null
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
  readonly json: any
}

/** Clients of a server: `call` returns whole answers, `ask` returns the response of a stream. */
export const callsTo = (base: string) => {
  const request = (path: string, { body, headers, method, signal, token = appToken }: CallOptions = {}) =>
    fetch(`${base}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" }),
        ...headers
      },
      ...(body === undefined
        ? {}
        : body instanceof ReadableStream
          ? { body, duplex: "half" as const }
          : { body: typeof body === "string" || body instanceof FormData ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal })
    })
  const call = (path: string, options?: CallOptions) =>
    Effect.promise(async (): Promise<Answer> => {
      const response = await request(path, options)
      const text = await response.text()
      const json = response.headers.get("content-type")?.includes("json") === true ? JSON.parse(text) : undefined
      return { status: response.status, headers: response.headers, text, json }
    })
  return { base, call, ask: (path: string, options?: CallOptions) => Effect.promise(() => request(path, options)) }
}
