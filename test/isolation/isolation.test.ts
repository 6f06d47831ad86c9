/**
 * Every route of the server with every kind of caller. The routes come from its router and the bodies from the OpenAPI
 * document, so a new route is swept without a change here, and fails where `samples.ts` does not suffice to call it.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { fixture } from "../agent/child.ts"
import type { Document } from "../http/openApi.ts"
import { adminToken, open as openTroupe } from "../inspect/harness.ts"
import type { RunningTroupe } from "../inspect/harness.ts"
import { connect } from "../inspect/statelyClient.ts"
import { routesOf } from "./routes.ts"
import type { Route } from "./routes.ts"
import {
  isAdmins,
  nameFor,
  open,
  ownedSession,
  paramsOf,
  expectedRefusals,
  requestOf,
  storedOf,
  takesIdle
} from "./samples.ts"
import type { Values } from "./samples.ts"

/** One server for all tests: two apps with sessions in which agents work, and the token of a third, which is revoked. */
class World extends Context.Service<World>()("test/isolation/World", {
  make: Effect.gen(function* () {
    const troupe = yield* openTroupe({
      limits: { maxProcesses: 64 },
      run: { command: [process.execPath, fixture("claude")], env: { FAKE_CLAUDE: "say hello" } }
    })
    const routes = yield* routesOf(troupe)
    const document = (yield* troupe.call("/openapi.json")).json as Document
    const ours = yield* troupe.mint("ours")
    const theirs = yield* troupe.mint("theirs")
    const revoked = yield* troupe.mint("gone")
    yield* troupe.mint("spare")
    yield* troupe.apps.revoke("gone")
    const session = yield* ownedSession(troupe, ours, "words-of-ours")
    const own = yield* ownedSession(troupe, theirs, "words-of-theirs")
    return { troupe, routes, document, ours, theirs, revoked, session, own }
  })
}) {
  static readonly layer = Layer.effect(World, World.make)
}

type Request = ReturnType<typeof requestOf>

/** The status, the headers and the text; of a stream that goes on, its beginning. With what differs each time made equal. */
const answerTo = (troupe: RunningTroupe, { path, ...request }: Request, token: string | null) =>
  Effect.gen(function* () {
    const response = yield* troupe.ask(path, {
      ...request,
      token,
      headers: { ...request.headers, "x-request-id": "same" }
    })
    const headers = [...response.headers].filter(([name]) => name !== "date")
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true
    const text = yield* Effect.promise(() => (isStream ? beginningOf(response) : response.text()))
    return { status: response.status, headers: JSON.stringify(headers), text }
  })

const beginningOf = async (response: Response): Promise<string> => {
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return new TextDecoder().decode(value)
}

/** The same answer as it would be for another id. */
const without = (answer: Effect.Success<ReturnType<typeof answerTo>>, id: string) => ({
  ...answer,
  headers: answer.headers.replaceAll(id, "ID").replace(/"content-length","\d+"/, ""),
  text: answer.text.replaceAll(id, "ID")
})

/** Clients of OpenAI's, and of JSON-RPC, read another code, in another place. */
const codeIn = (text: string): unknown => {
  const { error } = JSON.parse(text)
  if (error.code === "invalid_api_key") return "unauthorized"
  return error.data?.code ?? error
}

const unknownLike = (id: string) => `${id.slice(0, 4)}${"x".repeat(id.length - 4)}`

const takesFiles = (document: Document, { method, path }: Route): boolean => {
  const operation = document.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()]
  const reference = operation?.requestBody?.content["application/json"]?.schema.$ref ?? ""
  return "files" in (document.components.schemas[reference.replace("#/components/schemas/", "")]?.properties ?? {})
}

layer(World.layer, { excludeTestServices: true, timeout: "60 seconds" })("isolation", (it) => {
  it.effect("the OpenAPI document has every route outside the dashboard and the doors", () =>
    Effect.gen(function* () {
      const { document, routes } = yield* World
      const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`)
      )
      const others = routes
        .map(({ name }) => name)
        .filter((name) => !/ \/(inspect|v1|ag-ui|acp|mcp|docs|openapi\.json|$)/.test(name))
      assert.sameMembers(others, documented)
      assert.isAbove(routes.length - others.length, 20)
    })
  )

  it.effect("every route answers its owner with success, so each is swept with a request that works", () =>
    Effect.gen(function* () {
      const { document, ours, routes, session, troupe } = yield* World
      for (const route of routes) {
        const isChange =
          route.method !== "GET" && paramsOf(route).some((name) => /^((response|session)_)?id$/.test(name))
        const { values } = isChange
          ? yield* ownedSession(troupe, ours, "words", { isIdle: takesIdle.has(route.name) })
          : session
        const request = requestOf(route, document, { ...values, name: nameFor(route) })
        const token = isAdmins(route) ? adminToken : ours
        if (route.name === "GET /inspect/stately") {
          const { opened, socket } = connect(troupe, route.path, { authorization: `Bearer ${token}` })
          assert.strictEqual(yield* Effect.promise(() => opened), 101)
          socket.terminate()
          continue
        }
        const { status, text } = yield* answerTo(troupe, request, token)
        const isExpected = status < 300 || JSON.parse(text).error === expectedRefusals[route.name]
        assert.isTrue(isExpected, `${route.name}: ${text}. Give it what it needs in samples.ts.`)
      }
    })
  )

  it.effect(
    "no route but the open ones answers without a token, or with a wrong or a revoked one, all byte for byte",
    () =>
      Effect.gen(function* () {
        const { document, ours, revoked, routes, session, troupe } = yield* World
        const before = yield* storedOf(troupe, ours, session)
        for (const route of routes) {
          if (open.has(route.name)) continue
          const request = requestOf(route, document, { ...session.values, name: "ours" })
          const answers = yield* Effect.forEach(
            [null, "", `trp_${"x".repeat(43)}`, `${ours}x`, ours.slice(0, -1), revoked, adminToken.slice(0, -1)],
            (token) => answerTo(troupe, request, token)
          )
          for (const answer of answers) {
            assert.deepStrictEqual([answer.status, codeIn(answer.text)], [401, "unauthorized"], route.name)
            assert.deepStrictEqual(answer, answers[0], route.name)
          }
          // A body or a query that is wrong is none of their business either.
          if (route.method === "GET") continue
          const { status } = yield* answerTo(troupe, { ...request, body: { unknown_key: 1 } }, null)
          assert.strictEqual(status, 401, route.name)
        }
        assert.deepStrictEqual(yield* storedOf(troupe, ours, session), before)
      })
  )

  it.effect("an app's token is not enough for any route of the admin, whatever the id in it", () =>
    Effect.gen(function* () {
      const { document, ours, routes, session, troupe } = yield* World
      const before = yield* storedOf(troupe, ours, session)
      const admins = routes.filter(isAdmins)
      assert.isAbove(admins.length, 10)
      for (const route of admins) {
        const answerWith = (values: Values) => answerTo(troupe, requestOf(route, document, values), ours)
        const answer = yield* answerWith({ ...session.values, name: "ours" })
        assert.deepStrictEqual([answer.status, JSON.parse(answer.text).error], [403, "forbidden"], route.name)
        if (route.path.startsWith("/inspect/")) continue
        assert.deepStrictEqual(yield* answerWith({ id: "ses_none", name: "nobody" }), answer, route.name)
      }
      assert.deepStrictEqual(yield* storedOf(troupe, ours, session), before)
      assert.strictEqual((yield* troupe.call("/sessions", { token: ours })).status, 200)
    })
  )

  it.effect(
    "another app's ids are answered as those that never existed, byte for byte, and nothing happens to them",
    () =>
      Effect.gen(function* () {
        const { document, ours, own, routes, session, theirs, troupe } = yield* World
        const before = yield* storedOf(troupe, ours, session)
        const swept: Array<string> = []
        for (const route of routes.filter((route) => !isAdmins(route) || route.path.startsWith("/inspect/"))) {
          for (const param of paramsOf(route)) {
            // The session's id, with all that is found in it; or an approval's alone, in a session of the caller's own.
            const foreign = session.values[param]
            if (foreign === undefined || /^\d+$/.test(foreign)) continue
            const rest = param === "id" || param === "session_id" ? session.values : own.values
            const answerFor = (id: string) =>
              Effect.map(answerTo(troupe, requestOf(route, document, { ...rest, [param]: id }), theirs), (answer) =>
                without(answer, id)
              )
            const answer = yield* answerFor(foreign)
            assert.strictEqual(answer.status, 404, `${route.name}, ${param}: ${answer.text}`)
            assert.deepStrictEqual(answer, yield* answerFor(unknownLike(foreign)), `${route.name}, ${param}`)
            swept.push(`${route.name} ${param}`)
          }
        }
        assert.isAbove(swept.length, 27, swept.join("\n"))
        assert.deepStrictEqual(yield* storedOf(troupe, ours, session), before)
      })
  )

  it.effect("another app's files are answered as those that never existed, in every body that takes files", () =>
    Effect.gen(function* () {
      const { document, ours, routes, theirs, troupe } = yield* World
      const upload = requestOf(
        routes.find(({ name }) => name === "POST /files")!,
        document,
        {}
      )
      const file: string = JSON.parse((yield* answerTo(troupe, upload, ours)).text).file_id
      const own = yield* ownedSession(troupe, theirs, "words", { isIdle: true })
      const swept: Array<string> = []
      for (const route of routes) {
        if (!takesFiles(document, route)) continue
        const request = requestOf(route, document, own.values)
        const answerFor = (id: string) =>
          Effect.map(
            answerTo(troupe, { ...request, body: { ...(request.body as object), files: [id] } }, theirs),
            (answer) => without(answer, id)
          )
        const answer = yield* answerFor(file)
        assert.isAtLeast(answer.status, 400, `${route.name}: ${answer.text}`)
        assert.deepStrictEqual(answer, yield* answerFor(unknownLike(file)), route.name)
        swept.push(route.name)
      }
      assert.sameMembers(swept, ["POST /sessions/:id/turn", "POST /sessions/:id/turn/stream", "POST /run"])
    })
  )

  it.effect(
    "no answer to an app has anything of another app's, also of lists, with a page that was another app's",
    () =>
      Effect.gen(function* () {
        const { document, ours, own, routes, session, theirs, troupe } = yield* World
        const second = yield* ownedSession(troupe, ours, "words-of-ours", { isIdle: true })
        const { json: page } = yield* troupe.call("/sessions?limit=1", { token: ours })
        const { json: rows } = yield* troupe.call("/inspect/api/sessions?limit=1", { token: ours })
        const cursors: Readonly<Record<string, string>> = {
          "GET /sessions": page.next_cursor,
          "GET /inspect/api/sessions": rows.next_cursor
        }
        const marks = [session.id, second.id, session.values["approval"]!, "words-of-ours", '"ours"', "/ours", ours]
        for (const route of routes) {
          if (isAdmins(route) || route.method !== "GET") continue
          const request = requestOf(route, document, { ...own.values, name: "demo" })
          const cursor = cursors[route.name]
          const paths = [request.path, ...(cursor === undefined ? [] : [`${request.path}?cursor=${cursor}`])]
          for (const path of paths) {
            const { text } = yield* answerTo(troupe, { ...request, path }, theirs)
            for (const mark of marks) assert.isFalse(text.includes(mark), `${route.name} has ${mark}: ${text}`)
          }
        }
        assert.isString(cursors["GET /sessions"])
        assert.isString(cursors["GET /inspect/api/sessions"])
      })
  )
})
