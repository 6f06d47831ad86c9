/** Who may use the dashboard's API, how a caller logs in, and what ends a login. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Access } from "../../src/inspect/Inspect.ts"
import { adminToken, cookieOf, csrf, open, scratch } from "./harness.ts"

const login = (call: Effect.Success<ReturnType<typeof open>>["call"], body: object) =>
  call("/inspect/api/login", { body })

const inScope = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>, scope: Scope.Scope) =>
  Effect.provideService(effect, Scope.Scope, scope)

const paths = ["me", "sessions", "steps", "approvals", "coverage", "sessions/ses_x"]

describe("the dashboard's API", () => {
  it.live("refuses a request without a valid credential, at every address", () =>
    Effect.gen(function* () {
      const { call } = yield* open()
      for (const path of paths) {
        for (const headers of [
          {},
          { authorization: "Bearer nonsense" },
          { authorization: `Bearer trp_${"x".repeat(43)}` },
          { authorization: "Basic eDp5" },
          { cookie: "troupe_inspect=nonsense" },
          { cookie: `troupe_inspect=${"A".repeat(200)}` }
        ]) {
          const { headers: reply, json, status } = yield* call(`/inspect/api/${path}`, { headers })
          assert.strictEqual(status, 401, `${path} ${JSON.stringify(headers)}`)
          assert.containSubset(json, { ok: false, error: "unauthorized" })
          assert.strictEqual(reply.get("www-authenticate"), "Bearer")
        }
      }
      // A cookie does not make up for an invalid bearer token.
      const cookie = cookieOf((yield* login(call, { token: adminToken })).headers)
      const both = yield* call("/inspect/api/me", { headers: { cookie, authorization: "Bearer nonsense" } })
      assert.strictEqual(both.status, 401)
    }).pipe(Effect.scoped)
  )

  it.live("names the admin or the app that a token belongs to", () =>
    Effect.gen(function* () {
      const { call, mint } = yield* open()
      const token = yield* mint("desk")
      const admin = yield* call("/inspect/api/me", { token: adminToken })
      assert.containSubset(admin.json, { ok: true, admin: true, app: null })
      assert.containSubset(admin.json.bounds, { restart_intensity: 3, hibernate_after_millis: 300_000 })
      const app = yield* call("/inspect/api/me", { token })
      assert.containSubset(app.json, { ok: true, admin: false, app: "desk", boot: admin.json.boot })
    }).pipe(Effect.scoped)
  )

  it.live("logs a token in by a cookie that scripts and other sites cannot use, and logs it out", () =>
    Effect.gen(function* () {
      const { call, mint } = yield* open()
      const token = yield* mint("desk")
      const reply = yield* login(call, { token })
      assert.strictEqual(reply.status, 200)
      assert.containSubset(reply.json, { ok: true, admin: false, app: "desk" })
      assert.strictEqual(reply.headers.get("cache-control"), "no-store")
      const [set = ""] = reply.headers.getSetCookie()
      const attributes = set.toLowerCase().split("; ").slice(1)
      assert.includeMembers(attributes, ["httponly", "samesite=strict", "path=/inspect/", "max-age=43200"])
      assert.notInclude(attributes, "secure")
      for (const given of [token, Buffer.from(token).toString("base64url"), token.slice(4)]) {
        assert.notInclude(set, given)
        assert.notInclude(reply.text, given)
      }

      const cookie = cookieOf(reply.headers)
      assert.containSubset((yield* call("/inspect/api/me", { headers: { cookie } })).json, { app: "desk" })
      // The cookie is not valid for the public API.
      assert.strictEqual((yield* call("/sessions", { headers: { cookie } })).status, 401)

      const out = yield* call("/inspect/api/logout", { method: "POST", headers: { cookie, ...csrf } })
      assert.strictEqual(out.status, 200)
      assert.match(out.headers.getSetCookie()[0] ?? "", /^troupe_inspect=; Max-Age=0/)
    }).pipe(Effect.scoped)
  )

  it.live("marks the login cookie Secure where the browser uses https", () =>
    Effect.gen(function* () {
      const { call, base } = yield* open()
      for (const headers of [{ "x-forwarded-proto": "https" }, { origin: base.replace("http:", "https:") }]) {
        const reply = yield* call("/inspect/api/login", { body: { token: adminToken }, headers })
        assert.match(reply.headers.getSetCookie()[0] ?? "", /; Secure/)
      }
    }).pipe(Effect.scoped)
  )

  it.live("refuses a login whose token, code or body is invalid", () =>
    Effect.gen(function* () {
      const { call } = yield* open()
      for (const body of [{ token: "" }, { token: "nonsense" }, { code: "" }, { code: "nonsense" }]) {
        const reply = yield* login(call, body)
        assert.strictEqual(reply.status, 401)
        assert.deepStrictEqual(reply.headers.getSetCookie(), [])
      }
      for (const body of [{}, { token: 7 }, { token: "x".repeat(600) }, []]) {
        assert.strictEqual((yield* login(call, body)).status, 400)
      }
      for (const [path, body, detail] of [
        ["login", { tokn: adminToken }, "tokn is not a known field (did you mean `token`?)."],
        ["login", { token: adminToken, code: "x" }, "body must have either token or code."],
        ["sessions/ses_1/close", { now: 1 }, "now is not a known field. This request takes no body."],
        [
          "sessions/ses_1/approvals/apr_1",
          { decison: "deny" },
          "decison is not a known field (did you mean `decision`?); decision is missing."
        ]
      ] as const) {
        const { json, status } = yield* call(`/inspect/api/${path}`, { body, token: adminToken })
        assert.deepStrictEqual([status, json.detail], [400, detail])
      }
      const form = yield* call("/inspect/api/login", {
        method: "POST",
        body: `{"token":"${adminToken}"}`,
        headers: { "content-type": "text/plain" }
      })
      assert.strictEqual(form.status, 415)
      const foreign = yield* call("/inspect/api/login", {
        body: { token: adminToken },
        headers: { origin: "https://evil.example" }
      })
      assert.strictEqual(foreign.status, 403)
    }).pipe(Effect.scoped)
  )

  it.live("accepts a POST with the cookie only with the header that no foreign page can send", () =>
    Effect.gen(function* () {
      const { call, create, mint } = yield* open()
      const token = yield* mint("desk")
      const id = yield* create(token)
      const cookie = cookieOf((yield* login(call, { token })).headers)
      const close = (headers: Readonly<Record<string, string>>) =>
        call(`/inspect/api/sessions/${id}/close`, { method: "POST", headers })
      for (const headers of [{ cookie }, { cookie, "x-troupe-inspect": "0" }]) {
        const reply = yield* close(headers)
        assert.strictEqual(reply.status, 403)
        assert.strictEqual(reply.json.error, "csrf")
      }
      assert.strictEqual((yield* call(`/sessions/${id}`, { token })).json.state, "idle")
      assert.strictEqual((yield* close({ cookie, ...csrf })).status, 200)
      assert.strictEqual((yield* call(`/sessions/${id}`, { token })).json.state, "closed")
    }).pipe(Effect.scoped)
  )

  it.live("accepts a one-time login link once", () =>
    Effect.gen(function* () {
      const { call, dashboard } = yield* open()
      const code = Redacted.value((yield* Context.get(dashboard, Access).issueCode).code)
      const reply = yield* login(call, { code })
      assert.containSubset(reply.json, { ok: true, admin: true })
      const cookie = cookieOf(reply.headers)
      assert.containSubset((yield* call("/inspect/api/me", { headers: { cookie } })).json, { admin: true })
      const again = yield* login(call, { code })
      assert.strictEqual(again.status, 401)
      assert.match(again.json.detail, /used before/)
    }).pipe(Effect.scoped)
  )

  it.effect("ends a login link after 15 minutes and a login after 12 hours", () =>
    Effect.gen(function* () {
      const { call, dashboard } = yield* open()
      const code = Redacted.value((yield* Context.get(dashboard, Access).issueCode).code)
      const cookie = cookieOf((yield* login(call, { token: adminToken })).headers)
      yield* TestClock.adjust("15 minutes")
      assert.strictEqual((yield* login(call, { code })).status, 401)
      const me = call("/inspect/api/me", { headers: { cookie } })
      assert.strictEqual((yield* me).status, 200)
      yield* TestClock.adjust("12 hours")
      assert.strictEqual((yield* me).status, 401)
    }).pipe(Effect.scoped)
  )

  it.live("keeps a login over a restart until its app is revoked or the admin token changes", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const first = yield* Scope.make()
      const before = yield* inScope(open({ dataDir }), first)
      const token = yield* before.mint("desk")
      const app = cookieOf((yield* login(before.call, { token })).headers)
      const admin = cookieOf((yield* login(before.call, { token: adminToken })).headers)
      yield* Scope.close(first, Exit.void)

      const second = yield* Scope.make()
      const after = yield* inScope(open({ dataDir }), second)
      const me = (cookie: string) => after.call("/inspect/api/me", { headers: { cookie } })
      assert.containSubset((yield* me(app)).json, { app: "desk" })
      assert.containSubset((yield* me(admin)).json, { admin: true })
      yield* Effect.orDie(after.apps.revoke("desk"))
      assert.strictEqual((yield* me(app)).status, 401)
      yield* Scope.close(second, Exit.void)

      const third = yield* open({ dataDir, adminToken: "another-admin-token" })
      assert.strictEqual((yield* third.call("/inspect/api/me", { headers: { cookie: admin } })).status, 401)
    }).pipe(Effect.scoped)
  )

  it.live("writes no token, code or cookie to the log", () =>
    Effect.gen(function* () {
      const { call, dashboard, log, mint } = yield* open()
      const token = yield* mint("desk")
      const code = Redacted.value((yield* Context.get(dashboard, Access).issueCode).code)
      yield* login(call, { token })
      yield* login(call, { code })
      const cookie = cookieOf((yield* login(call, { token: adminToken })).headers)
      yield* call("/inspect/api/me", { headers: { cookie } })
      const all = log.join("\n")
      for (const secret of [token, code, adminToken, cookie]) assert.notInclude(all, secret)
    }).pipe(Effect.scoped)
  )
})
