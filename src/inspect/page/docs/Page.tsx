/** The page of the API: the token, a session by two requests that work as they are, and every endpoint to read and to try. */
import { useSignal } from "@preact/signals"
import { endpointsOf } from "./document.ts"
import type { ApiDocument, Endpoint } from "./document.ts"
import { Body, Prose } from "./Fields.tsx"
import { keepToken, token } from "./state.ts"
import { Try } from "./Try.tsx"

interface Documented {
  readonly document: ApiDocument
}

const Token = () => (
  <form class="token" onSubmit={(event) => event.preventDefault()}>
    <label>
      <span>Token</span>
      <input
        type="password"
        autocomplete="off"
        placeholder="trp_… (from the server's start, or troupe app create NAME)"
        value={token.value}
        onInput={({ currentTarget }) => keepToken(currentTarget.value)}
      />
    </label>
    <button type="button" disabled={token.value === ""} onClick={() => keepToken("")}>
      Forget
    </button>
    <p class="dim">Kept in this tab, also when you load the page again, until it is closed or you have it forgotten.</p>
  </form>
)

/** The agent `demo` is always there, and calls no model. */
const FirstSession = ({ document }: Documented) => {
  const endpoints = endpointsOf(document)
  const byId = (id: string) => endpoints.find(({ operation }) => operation.operationId === id)
  const [create, stream] = [byId("sessions.create"), byId("turns.stream")]
  if (create === undefined || stream === undefined) return null
  return (
    <section aria-label="A first session">
      <h2>A first session</h2>
      <p>
        With the built-in agent <code>demo</code>, which needs no account. Put your token above, and send both.
      </p>
      <h3>1. Open a session</h3>
      <Try document={document} endpoint={create} body={{ agent: "demo" }} />
      <h3>2. Send it a turn, and watch it happen</h3>
      <Try document={document} endpoint={stream} body={{ prompt: "think\nSay hello." }} />
    </section>
  )
}

const Details = ({ document, endpoint }: Documented & { readonly endpoint: Endpoint }) => {
  const { description, parameters, requestBody, responses } = endpoint.operation
  const [schema] = Object.values(requestBody?.content ?? {}).map(({ schema }) => schema)
  return (
    <>
      {description === undefined ? null : (
        <p>
          <Prose text={description} />
        </p>
      )}
      {parameters.map(({ in: where, name, schema }) => (
        <p key={name}>
          <code>{name}</code> <span class="dim">{where}</span> <Prose text={schema.description ?? ""} />
        </p>
      ))}
      {schema === undefined ? null : (
        <>
          <h4>Body</h4>
          <Body document={document} schema={schema} />
        </>
      )}
      <h4>Answers</h4>
      {Object.entries(responses).map(([status, { content = {}, description }]) => (
        <div key={status} class="answer">
          <code>{status}</code> <Prose text={description} />{" "}
          {Object.values(content).map(({ schema }, nth) => (
            <Body key={nth} document={document} schema={schema} />
          ))}
        </div>
      ))}
      <h4>Try it</h4>
      <Try document={document} endpoint={endpoint} />
    </>
  )
}

const Row = ({ document, endpoint }: Documented & { readonly endpoint: Endpoint }) => {
  const { method, operation, path } = endpoint
  const isOpen = useSignal(location.hash === `#${operation.operationId}`)
  return (
    <details
      id={operation.operationId}
      class="endpoint"
      open={isOpen.value}
      onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}
    >
      <summary>
        <b class={`method ${method.toLowerCase()}`}>{method}</b> <code>{path}</code>{" "}
        <span class="dim">{operation.summary}</span>
      </summary>
      {isOpen.value ? <Details document={document} endpoint={endpoint} /> : null}
    </details>
  )
}

export const Page = ({ document }: Documented) => {
  const endpoints = endpointsOf(document)
  return (
    <main>
      <header>
        <h1>{document.info.title}'s API</h1>
        <nav>
          {document.tags.map(({ name }) => (
            <a key={name} href={`#${name}`}>
              {name}
            </a>
          ))}
          <a href="openapi.json">openapi.json</a>
        </nav>
      </header>
      <p>
        <Prose text={document.info.description} />
      </p>
      <Token />
      <FirstSession document={document} />
      {document.tags.map(({ description, name }) => (
        <section key={name} id={name} aria-label={name}>
          <h2>{name}</h2>
          <p>
            <Prose text={description} />
          </p>
          {endpoints
            .filter(({ operation }) => operation.tags.includes(name))
            .map((endpoint) => (
              <Row key={endpoint.operation.operationId} document={document} endpoint={endpoint} />
            ))}
        </section>
      ))}
    </main>
  )
}
