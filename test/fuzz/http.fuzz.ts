/** Requests over real connections to a whole server: bodies, addresses, headers, cursors of streams. */
import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { adminToken } from "../inspect/harness.ts"
import type { Route } from "../isolation/routes.ts"
import { anyText, anyValue, changed, damaged, jsonOf } from "./arbitraries.ts"
import { fuzz } from "./fuzz.ts"
import { assertNoFault, everyHundred, request, sendRaw, validBodies, withServer } from "./server.ts"
import type { Fuzzed } from "./server.ts"

/** Each may start a process, at each request; what they do with their input is tested without. */
const startsProcesses = /^(POST \/run|GET \/agents)/

/** A session that was closed: whatever is valid of a turn is refused only after everything of it was read. */
const closedSession = async ({ run, token, troupe }: Fuzzed) => {
  const id = await run(troupe.create(token))
  await run(troupe.call(`/sessions/${id}`, { method: "DELETE", token }))
  return id
}

const encoded = (text: string) => encodeURIComponent(text.toWellFormed())

/** The route's address with these values in it, one after the other. */
const addressOf = (route: Route, values: ReadonlyArray<string>) => {
  let next = 0
  return route.path.replaceAll(/:\w+|\*/g, () => values[next++ % values.length] ?? "x")
}

it("a body is taken or refused, whatever is in it", () =>
  withServer(async (fuzzed) => {
    const { document, port, routes, token } = fuzzed
    const id = await closedSession(fuzzed)
    const look = everyHundred(fuzzed)
    const changing = routes.filter(({ method, name }) => method !== "GET" && !startsProcesses.test(name))
    const json = fc.oneof(changed(validBodies(document)), anyValue).map(jsonOf)
    await fuzz({
      name: "HTTP bodies",
      share: 0.15,
      arbitrary: fc.record({
        route: fc.constantFrom(...changing),
        value: fc.constantFrom(id, "ses_none"),
        body: fc.oneof(
          { weight: 3, arbitrary: json.map((text) => Buffer.from(text)) },
          { weight: 1, arbitrary: damaged(json) }
        ),
        type: fc.constantFrom(
          ...Array<string>(8).fill("application/json"),
          "text/plain",
          "application/json; charset=x",
          "multipart/form-data"
        ),
        bearer: fc.constantFrom(token, adminToken)
      }),
      run: async ({ bearer, body, route, type, value }) => {
        const bytes = request(
          route.method,
          addressOf(route, [value]),
          [`authorization: Bearer ${bearer}`, `content-type: ${type}`],
          body
        )
        const answer = await sendRaw(port, bytes, true)
        assert.isAbove(answer.status, 0, `${route.name} ${body.toString()}`)
        assertNoFault(answer, `${route.name} ${body.toString()}`)
        look()
      }
    })
  }))

it("an address and headers are answered, whatever is in them", () =>
  withServer(async (fuzzed) => {
    const { port, routes, token } = fuzzed
    const id = await closedSession(fuzzed)
    const look = everyHundred(fuzzed)
    const names = [
      "authorization",
      "content-type",
      "content-encoding",
      "content-length",
      "transfer-encoding",
      "idempotency-key",
      "last-event-id",
      "x-request-id",
      "x-forwarded-proto",
      "origin",
      "host",
      "cookie",
      "accept-encoding",
      "if-none-match",
      "expect",
      "upgrade",
      "connection",
      "range"
    ]
    const parameters = [
      "limit",
      "cursor",
      "after",
      "state",
      "from",
      "to",
      "q",
      "app",
      "agent",
      "format",
      "texts",
      "ticket",
      "session",
      "wait"
    ]
    // As a client that escapes nothing would send it, too.
    const part = fc.oneof(
      anyText.map(encoded),
      anyText.map((text) => text.replaceAll(/[\r\n ]/g, "")),
      fc.constant(id)
    )
    const calm = routes.filter(({ name }) => !startsProcesses.test(name))
    await fuzz({
      name: "HTTP addresses and headers",
      share: 0.12,
      arbitrary: fc.record({
        route: fc.constantFrom(...calm),
        method: fc.constantFrom(
          "GET",
          "GET",
          "GET",
          "POST",
          "PATCH",
          "DELETE",
          "HEAD",
          "OPTIONS",
          "PUT",
          "TRACE",
          "BREW"
        ),
        isRoutes: fc.boolean(),
        values: fc.array(part, { minLength: 1, maxLength: 2 }),
        query: fc.array(fc.tuple(fc.oneof(fc.constantFrom(...parameters), part), part), { maxLength: 3 }),
        headers: fc.array(
          fc.tuple(
            fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: anyText }),
            anyText
          ),
          { maxLength: 4 }
        ),
        isKnown: fc.boolean()
      }),
      run: async ({ headers, isKnown, isRoutes, method, query, route, values }) => {
        const search = query.map(([name, value]) => `${name}=${value}`).join("&")
        const bytes = request(
          isRoutes ? route.method : method,
          `${addressOf(route, values)}${search === "" ? "" : `?${search}`}`,
          [
            ...(isKnown ? [`authorization: Bearer ${token}`] : []),
            ...headers.map(([name, value]) => `${name}: ${value}`)
          ]
        )
        assertNoFault(await sendRaw(port, bytes), bytes.toString("latin1").slice(0, 2_000))
        look()
      }
    })
  }))

it("a stream begins where its cursor says, or refuses it", () =>
  withServer(async (fuzzed) => {
    const { port, run, token, troupe } = fuzzed
    const id = await run(troupe.create(token))
    await run(troupe.turn(token, id, "hello"))
    const look = everyHundred(fuzzed)
    const cursor = fc.oneof(
      anyText,
      fc.maxSafeInteger().map(String),
      fc.tuple(fc.maxSafeInteger(), fc.maxSafeInteger()).map(([event, step]) => `e${event}.s${step}`),
      fc.tuple(fc.uuid(), fc.integer()).map(([boot, seq]) => `${boot}.${seq}`),
      fc.bigInt().map(String)
    )
    await fuzz({
      name: "cursors",
      share: 0.05,
      arbitrary: fc.record({
        path: fc.constantFrom(`/sessions/${id}/events`, `/inspect/api/sessions/${id}/stream`, "/inspect/api/steps"),
        after: fc.option(cursor, { nil: null }),
        header: fc.option(
          cursor.map((text) => text.replaceAll(/[\r\n]/g, "")),
          { nil: null }
        )
      }),
      run: async ({ after, header, path }) => {
        const bytes = request("GET", `${path}${after === null ? "" : `?after=${encoded(after)}`}`, [
          `authorization: Bearer ${token}`,
          ...(header === null ? [] : [`last-event-id: ${header}`])
        ])
        const answer = await sendRaw(port, bytes, true)
        assert.include([200, 400, 431], answer.status, `${bytes.toString("latin1")}\n${answer.text}`)
        look()
      }
    })
  }))
