/** Who may look at the dashboard, how they log in, and what ends that. */
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
  it.live("answers nobody who is nobody, on any of its addresses", () =>
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
          const { headers: told, json, status } = yield* call(`/inspect/api/${path}`, { headers })
          assert.strictEqual(status, 401, `${path} ${JSON.stringify(headers)}`)
          assert.containSubset(json, { ok: false, error: "unauthorized" })
          assert.strictEqual(told.get("www-authenticate"), "Bearer")
        }
      }
      // A bearer token that is none is not made good by a cookie.
      const cookie = cookieOf((yield* login(call, { token: adminToken })).headers)
      const both = yield* call("/inspect/api/me", { headers: { cookie, authorization: "Bearer nonsense" } })
      assert.strictEqual(both.status, 401)
    }).pipe(Effect.scoped)
  )

  it.live("knows the admin and an app by their tokens, and says who they are", () =>
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

  it.live("logs in with a token, keeps it out of reach of scripts and other sites, and logs out", () =>
    Effect.gen(function* () {
      const { call, mint } = yield* open()
      const token = yield* mint("desk")
      const told = yield* login(call, { token })
      assert.strictEqual(told.status, 200)
      assert.containSubset(told.json, { ok: true, admin: false, app: "desk" })
      assert.strictEqual(told.headers.get("cache-control"), "no-store")
      const [set = ""] = told.headers.getSetCookie()
      const attributes = set.toLowerCase().split("; ").slice(1)
      assert.includeMembers(attributes, ["httponly", "samesite=strict", "path=/inspect/", "max-age=43200"])
      assert.notInclude(attributes, "secure")
      for (const given of [token, Buffer.from(token).toString("base64url"), token.slice(4)]) {
        assert.notInclude(set, given)
        assert.notInclude(told.text, given)
      }

      const cookie = cookieOf(told.headers)
      assert.containSubset((yield* call("/inspect/api/me", { headers: { cookie } })).json, { app: "desk" })
      // Nothing of it opens the API itself.
      assert.strictEqual((yield* call("/sessions", { headers: { cookie } })).status, 401)

      const out = yield* call("/inspect/api/logout", { method: "POST", headers: { cookie, ...csrf } })
      assert.strictEqual(out.status, 200)
      assert.match(out.headers.getSetCookie()[0] ?? "", /^troupe_inspect=; Max-Age=0/)
    }).pipe(Effect.scoped)
  )

  it.live("marks the cookie Secure where the browser came by https", () =>
    Effect.gen(function* () {
      const { call, base } = yield* open()
      for (const headers of [{ "x-forwarded-proto": "https" }, { origin: base.replace("http:", "https:") }]) {
        const told = yield* call("/inspect/api/login", { body: { token: adminToken }, headers })
        assert.match(told.headers.getSetCookie()[0] ?? "", /; Secure/)
      }
    }).pipe(Effect.scoped)
  )

  it.live("refuses to log in with what is no token, no code, or no JSON", () =>
    Effect.gen(function* () {
      const { call } = yield* open()
      for (const body of [{ token: "" }, { token: "nonsense" }, { code: "" }, { code: "nonsense" }]) {
        const told = yield* login(call, body)
        assert.strictEqual(told.status, 401)
        assert.deepStrictEqual(told.headers.getSetCookie(), [])
      }
      for (const body of [{}, { token: 7 }, { token: "x".repeat(600) }, []]) {
        assert.strictEqual((yield* login(call, body)).status, 400)
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

  it.live("takes a POST with the cookie only with the header that no foreign page can send", () =>
    Effect.gen(function* () {
      const { call, create, mint } = yield* open()
      const token = yield* mint("desk")
      const id = yield* create(token)
      const cookie = cookieOf((yield* login(call, { token })).headers)
      const close = (headers: Readonly<Record<string, string>>) =>
        call(`/inspect/api/sessions/${id}/close`, { method: "POST", headers })
      for (const headers of [{ cookie }, { cookie, "x-troupe-inspect": "0" }]) {
        const told = yield* close(headers)
        assert.strictEqual(told.status, 403)
        assert.strictEqual(told.json.error, "csrf")
      }
      assert.strictEqual((yield* call(`/sessions/${id}`, { token })).json.state, "idle")
      assert.strictEqual((yield* close({ cookie, ...csrf })).status, 200)
      assert.strictEqual((yield* call(`/sessions/${id}`, { token })).json.state, "closed")
    }).pipe(Effect.scoped)
  )

  it.live("lets a one-time link in once", () =>
    Effect.gen(function* () {
      const { call, house } = yield* open()
      const code = Redacted.value(yield* Context.get(house, Access).issueCode)
      const told = yield* login(call, { code })
      assert.containSubset(told.json, { ok: true, admin: true })
      const cookie = cookieOf(told.headers)
      assert.containSubset((yield* call("/inspect/api/me", { headers: { cookie } })).json, { admin: true })
      const again = yield* login(call, { code })
      assert.strictEqual(again.status, 401)
      assert.match(again.json.detail, /used before/)
    }).pipe(Effect.scoped)
  )

  it.effect("lets no link in after 15 minutes, and no login last for longer than 12 hours", () =>
    Effect.gen(function* () {
      const { call, house } = yield* open()
      const code = Redacted.value(yield* Context.get(house, Access).issueCode)
      const cookie = cookieOf((yield* login(call, { token: adminToken })).headers)
      yield* TestClock.adjust("15 minutes")
      assert.strictEqual((yield* login(call, { code })).status, 401)
      const me = call("/inspect/api/me", { headers: { cookie } })
      assert.strictEqual((yield* me).status, 200)
      yield* TestClock.adjust("12 hours")
      assert.strictEqual((yield* me).status, 401)
    }).pipe(Effect.scoped)
  )

  it.live("keeps a login over a restart, until its app is revoked or the admin token is another", () =>
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

  it.live("keeps secrets out of the log", () =>
    Effect.gen(function* () {
      const { call, house, log, mint } = yield* open()
      const token = yield* mint("desk")
      const code = Redacted.value(yield* Context.get(house, Access).issueCode)
      yield* login(call, { token })
      yield* login(call, { code })
      const cookie = cookieOf((yield* login(call, { token: adminToken })).headers)
      yield* call("/inspect/api/me", { headers: { cookie } })
      const all = log.join("\n")
      for (const secret of [token, code, adminToken, cookie]) assert.notInclude(all, secret)
    }).pipe(Effect.scoped)
  )
})
