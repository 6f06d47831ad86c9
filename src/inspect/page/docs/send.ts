/** Sends a request of this page and gives its answer piece by piece, as streams last. */
import { lastSession, token } from "./state.ts"

export interface Request {
  readonly method: string
  /** With its query, from the root of the API. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | FormData
}

export interface Received {
  readonly status: string
  readonly isOk: boolean
  readonly headers: string
  readonly text: string
  readonly isWhole: boolean
}

/** Of a stream that lasts, the end of what has come. */
const mostChars = 200_000

const shownHeaders = ["content-type", "location", "retry-after", "ratelimit", "x-request-id"]

export const send = async (
  { body, headers, method, path }: Request,
  signal: AbortSignal,
  onReceived: (received: Received) => void
): Promise<void> => {
  // Relative to this page, which is beside the API's root, also below a prefix.
  const response = await fetch(path.slice(1), {
    method,
    headers: { ...(token.value === "" ? {} : { authorization: `Bearer ${token.value}` }), ...headers },
    ...(body === undefined ? {} : { body }),
    signal
  })
  const head = {
    status: `${response.status} ${response.statusText}`,
    isOk: response.ok,
    headers: shownHeaders
      .flatMap((name) => (response.headers.has(name) ? [`${name}: ${response.headers.get(name)}`] : []))
      .join("\n")
  }
  let text = ""
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text = (text + decoder.decode(chunk, { stream: true })).slice(-mostChars)
    onReceived({ ...head, text, isWhole: false })
  }
  const isJson = response.headers.get("content-type")?.includes("json") === true
  onReceived({ ...head, text: isJson ? pretty(text) : text, isWhole: true })
}

const pretty = (text: string): string => {
  try {
    const value = JSON.parse(text) as { readonly session_id?: unknown }
    if (typeof value.session_id === "string") lastSession.value = value.session_id
    return JSON.stringify(value, null, 2)
  } catch {
    return text
  }
}

/** The same request in a shell. The token is in a variable, so that it gets into no history. */
export const curlOf = ({ body, headers, method, path }: Request): string =>
  [
    `curl -N ${shell(new URL(path.slice(1), document.baseURI).href)}`,
    ...(method === "GET" || (method === "POST" && body !== undefined) ? [] : [`-X ${method}`]),
    `-H "authorization: Bearer $TROUPE_TOKEN"`,
    ...Object.entries(headers).map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : typeof body === "string" ? [`-d ${shell(body)}`] : ["-F file=@FILE"])
  ].join(" \\\n  ")

const shell = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
