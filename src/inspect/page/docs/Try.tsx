/** A request to try: its parameters and its body to change, the same as a line of a shell, and its answer. */
import { useSignal } from "@preact/signals"
import { exampleOf } from "./document.ts"
import type { ApiDocument, Endpoint, Parameter } from "./document.ts"
import { curlOf, send } from "./send.ts"
import type { Received, Request } from "./send.ts"
import { lastSession } from "./state.ts"

/** What the field begins with: the session that was created last is the one that is meant. */
const valueOf = ({ in: where, name }: Parameter, path: string, given: Readonly<Record<string, string>>): string =>
  given[name] ?? (where === "path" && name === "id" && path.includes("/sessions/") ? lastSession.value : "")

export const Try = ({
  body: first,
  document,
  endpoint: { method, operation, path }
}: {
  readonly document: ApiDocument
  readonly endpoint: Endpoint
  readonly body?: unknown
}) => {
  const content = operation.requestBody?.content ?? {}
  const schema = content["application/json"]?.schema
  const takesFile = content["multipart/form-data"] !== undefined
  const given = useSignal<Readonly<Record<string, string>>>({})
  const body = useSignal(schema === undefined ? "" : JSON.stringify(first ?? exampleOf(document, schema), null, 2))
  const file = useSignal<File | null>(null)
  const received = useSignal<Received | null>(null)
  const running = useSignal<AbortController | null>(null)

  const request = (): Request => {
    let filled = path
    const query = new URLSearchParams()
    const headers: Record<string, string> = schema === undefined ? {} : { "content-type": "application/json" }
    for (const parameter of operation.parameters) {
      const value = valueOf(parameter, path, given.value)
      if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value))
      else if (value !== "" && parameter.in === "query") query.set(parameter.name, value)
      else if (value !== "") headers[parameter.name] = value
    }
    const form = new FormData()
    if (file.value !== null) form.append("file", file.value)
    return {
      method,
      path: query.size === 0 ? filled : `${filled}?${query}`,
      headers,
      ...(schema !== undefined ? { body: body.value } : takesFile ? { body: form } : {})
    }
  }

  const submit = async (event: Event) => {
    event.preventDefault()
    running.value?.abort()
    const mine = new AbortController()
    running.value = mine
    received.value = null
    try {
      await send(request(), mine.signal, (one) => (received.value = one))
    } catch (cause) {
      if (!mine.signal.aborted)
        received.value = { status: "no answer", isOk: false, headers: "", text: String(cause), isWhole: true }
    } finally {
      if (running.value === mine) running.value = null
    }
  }

  return (
    <form class="try" onSubmit={submit} aria-label={`${method} ${path}`}>
      {operation.parameters.map((parameter) => (
        <label key={parameter.name}>
          <span>
            <code>{parameter.name}</code> {parameter.required ? "" : `(optional, ${parameter.in})`}
          </span>
          <input
            value={valueOf(parameter, path, given.value)}
            required={parameter.required}
            spellcheck={false}
            onInput={({ currentTarget }) => (given.value = { ...given.value, [parameter.name]: currentTarget.value })}
          />
        </label>
      ))}
      {schema === undefined ? null : (
        <label>
          <span>Body</span>
          <textarea
            spellcheck={false}
            rows={Math.min(16, body.value.split("\n").length + 1)}
            value={body.value}
            onInput={({ currentTarget }) => (body.value = currentTarget.value)}
          />
        </label>
      )}
      {takesFile ? (
        <label>
          <span>File</span>
          <input
            type="file"
            required
            onChange={({ currentTarget }) => (file.value = currentTarget.files?.[0] ?? null)}
          />
        </label>
      ) : null}
      <div class="actions">
        <button type="submit">Send</button>
        {running.value === null ? null : (
          <button type="button" onClick={() => running.value?.abort()}>
            Stop
          </button>
        )}
      </div>
      <details>
        <summary>In a shell</summary>
        <pre>{curlOf(request())}</pre>
      </details>
      {received.value === null ? null : (
        <output>
          <strong class={received.value.isOk ? "good" : "bad"}>{received.value.status}</strong>
          <pre class="dim">{received.value.headers}</pre>
          <pre>{received.value.text}</pre>
        </output>
      )}
    </form>
  )
}
