/**
 * What an operator lets an app ask for, from the admin's request to the refusal of the app's: a whole Troupe with real
 * directories, links, and processes of the demo agent.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { mkdirSync, realpathSync, renameSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import type { RunSpec } from "../../src/domain/Settings.ts"
import { fixture } from "../agent/child.ts"
import { adminToken, open, scratch } from "../inspect/harness.ts"

const openedWith = Effect.fnUntraced(function* (run: RunSpec) {
  const troupe = yield* open({ run })
  const { call } = troupe
  const bounded = (name: string, bounds: object) =>
    Effect.map(
      call("/admin/apps", { token: adminToken, body: { name, bounds } }),
      ({ json }): string => json.token as string
    )
  /** The status of a creation and its problem, or the session's id. */
  const create = (token: string, body: object) =>
    Effect.map(call("/sessions", { token, body: { agent: "demo", ...body } }), ({ json, status }) => ({
      status,
      error: json.error as string | undefined,
      detail: json.detail as string,
      id: json.session_id as string | undefined
    }))
  return { ...troupe, bounded, create }
})

const opened = openedWith({ command: ["no-such-program"] })

const refused = (detail: string) => ({
  status: 403,
  error: "not_allowed",
  detail: `${detail} Its operator can change that with \`troupe app limit\`.`,
  id: undefined
})

it.live("an app without bounds may ask for anything, also after its bounds were lifted", () =>
  Effect.gen(function* () {
    const { call, create, mint } = yield* opened
    const token = yield* mint("free")
    assert.strictEqual((yield* create(token, { permissions: "approve_all", cwd: "/" })).status, 200)
    const limit = (body: object) => call("/admin/apps/free/bounds", { token: adminToken, body })
    assert.deepStrictEqual((yield* limit({ max_permissions: "deny" })).json, {
      ok: true,
      name: "free",
      bounds: { max_permissions: "deny" }
    })
    assert.strictEqual((yield* create(token, { permissions: "approve_all" })).status, 403)
    assert.deepStrictEqual((yield* limit({})).json, { ok: true, name: "free", bounds: null })
    assert.strictEqual((yield* create(token, { permissions: "approve_all" })).status, 200)
  }).pipe(Effect.scoped)
)

it.live("a session that is wider than its app may ask for is refused with the bound, new or changed", () =>
  Effect.gen(function* () {
    const { bounded, call, create } = yield* opened
    const token = yield* bounded("web", { max_permissions: "ask", agents: ["demo"] })
    assert.deepStrictEqual(
      yield* create(token, { permissions: "approve_all" }),
      refused('permissions "approve_all" is wider than the operator allows this app: "ask" at most.')
    )
    // oxlint-disable-next-line unicorn/no-thenable -- the key of a rule
    const rules = { default: "ask", rules: [{ match: { kind: "read" }, then: "approve" }] }
    assert.deepStrictEqual(
      yield* create(token, { permissions: rules }),
      refused(
        'permissions.rules[0].then "approve", which needs "approve_all", is wider than the operator allows this app: "ask" at most.'
      )
    )
    assert.deepStrictEqual(
      yield* create(token, { agent: "claude" }),
      refused('agent "claude" is not among those that the operator allows this app: demo.')
    )
    const { id } = yield* create(token, { permissions: "ask" })
    const change = (permissions: unknown) => call(`/sessions/${id}`, { method: "PATCH", token, body: { permissions } })
    const wider = yield* change("approve_edits")
    assert.deepStrictEqual([wider.status, wider.json.error], [403, "not_allowed"])
    assert.strictEqual((yield* change("deny")).status, 200)
    // The admin's own sessions have no bounds.
    assert.strictEqual((yield* create(adminToken, { permissions: "approve_all" })).status, 200)
  }).pipe(Effect.scoped)
)

it.live("a run counts as claude", () =>
  Effect.gen(function* () {
    const { bounded, call } = yield* opened
    const run = (token: string) =>
      Effect.map(call("/run", { token, body: { prompt: "hello" } }), ({ json, status }) => [status, json.error])
    assert.deepStrictEqual(yield* run(yield* bounded("codex-only", { agents: ["codex"] })), [403, "not_allowed"])
    const [status] = yield* run(yield* bounded("claude-too", { agents: ["codex", "claude"] }))
    assert.strictEqual(status, 502)
  }).pipe(Effect.scoped)
)

it.live("a run's permissions are bounded as a session's, and are deny where an app with less than all names none", () =>
  Effect.gen(function* () {
    const { bounded, call } = yield* openedWith({
      command: [process.execPath, fixture("claude")],
      env: { FAKE_CLAUDE: "show" }
    })
    const run = (token: string, permissions?: string) =>
      call("/run", { token, body: { prompt: "hello", ...(permissions === undefined ? {} : { permissions }) } })
    const offline = yield* bounded("offline", { network: false })
    const wider = yield* run(offline, "approve_all")
    assert.deepStrictEqual([wider.status, wider.json.error], [403, "not_allowed"])
    assert.match(String(wider.json.detail), /gives the agent the network/)
    assert.include(JSON.stringify((yield* run(offline)).json), "--strict-mcp-config")
    const free = yield* bounded("free", {})
    assert.notInclude(JSON.stringify((yield* run(free)).json), "--permission")
    assert.include(JSON.stringify((yield* run(free, "approve_all")).json), "--allowedTools")
    for (const word of ["ask", "approve_edits"]) {
      const refused = yield* run(free, word)
      assert.deepStrictEqual([refused.status, refused.json.error], [422, "not_supported"])
    }
  }).pipe(Effect.scoped)
)

it.live("a directory is within the roots by its real path, and not by the beginning of its name", () =>
  Effect.gen(function* () {
    const { bounded, call, create } = yield* opened
    const place = realpathSync(yield* scratch)
    for (const name of ["repos/a", "repos-evil", "elsewhere"]) mkdirSync(join(place, name), { recursive: true })
    const root = join(place, "repos")
    symlinkSync(root, join(place, "link-to-repos"))
    symlinkSync(join(place, "elsewhere"), join(root, "way-out"))
    symlinkSync(join(root, "a"), join(place, "way-in"))
    // A root may be a link, too.
    const token = yield* bounded("web", { cwd_roots: [join(place, "link-to-repos")] })
    const within = (cwd: string) => Effect.map(create(token, { cwd }), ({ status }) => status)
    for (const cwd of [root, join(root, "a"), join(place, "way-in"), `${root}/../repos/a/`]) {
      assert.strictEqual(yield* within(cwd), 200, cwd)
    }
    for (const cwd of [join(place, "repos-evil"), join(root, "way-out"), `${root}/..`, "/", "relative"]) {
      assert.strictEqual(yield* within(cwd), 403, cwd)
    }
    assert.deepStrictEqual(
      yield* create(token, { cwd: "/" }),
      refused(`cwd is outside the directories that the operator allows this app: ${root}.`)
    )
    // A directory out of bounds is not told from one that does not exist; within bounds it is.
    assert.strictEqual(yield* within(join(place, "nothing")), 403)
    assert.strictEqual(yield* within(join(root, "nothing")), 400)
    // Troupe's own directories are not bounded.
    assert.strictEqual((yield* create(token, {})).status, 200)
    // Kept is where a link leads now: it may be turned later.
    const { id } = yield* create(token, { cwd: join(place, "way-in") })
    assert.strictEqual((yield* call(`/sessions/${id}`, { token })).json.cwd, join(root, "a"))
  }).pipe(Effect.scoped)
)

it.live(
  "an agent does not start where a directory of its session was turned out of the roots, or the bounds narrowed",
  () =>
    Effect.gen(function* () {
      const { bounded, call, create, turn } = yield* opened
      const place = realpathSync(yield* scratch)
      for (const name of ["repos/a/b", "elsewhere"]) mkdirSync(join(place, name), { recursive: true })
      const root = join(place, "repos")
      const token = yield* bounded("web", { cwd_roots: [root] })
      const cwd = join(root, "a", "b")
      const { id } = yield* create(token, { cwd })
      // What another session of the app might do that works in `a`.
      renameSync(cwd, join(root, "moved"))
      symlinkSync(join(place, "elsewhere"), cwd)
      const out = yield* turn(token, id!, "hello")
      assert.isFalse(out.ok)
      assert.match(out.error, /^config: cwd is outside the directories that the operator allows this app/)

      const other = yield* create(token, { cwd: join(root, "moved"), permissions: "ask" })
      assert.isTrue((yield* turn(token, other.id!, "hello")).ok)
      const idle = yield* create(token, { permissions: "ask" })
      yield* call("/admin/apps/web/bounds", { token: adminToken, body: { max_permissions: "deny" } })
      const narrowed = yield* turn(token, idle.id!, "hello")
      assert.match(
        narrowed.error,
        /^config: permissions "ask" is wider than the operator allows this app: "deny" at most/
      )
    }).pipe(Effect.scoped)
)

it.live("an app without the network approves edits of files, and leaves everything else to the operator", () =>
  Effect.gen(function* () {
    const { bounded, call, create } = yield* opened
    const token = yield* bounded("offline", { network: false })
    /** The path of the approval that a request of the demo agent of this kind becomes, in a session of its own. */
    const asked = Effect.fnUntraced(function* (kind: string) {
      const { id } = yield* create(token, { permissions: "ask" })
      yield* call(`/sessions/${id}/turn`, { token, body: { prompt: `ask ${kind}`, wait: false } })
      const pending = call(`/sessions/${id}/approvals`, { token })
      const { json } = yield* Effect.repeat(pending, {
        until: ({ json }) => json.count === 1,
        schedule: Schedule.spaced("20 millis")
      })
      return `/sessions/${id}/approvals/${json.approvals[0].approval_id}`
    })
    const answer = (path: string, decision: string, by = token) =>
      Effect.map(call(path, { token: by, body: { decision } }), ({ json, status }) => ({
        status,
        detail: json.detail as string | undefined
      }))
    for (const kind of ["execute", "fetch", "other"]) {
      const approval = yield* asked(kind)
      for (const decision of ["once", "session"]) {
        assert.deepStrictEqual(yield* answer(approval, decision), {
          status: 403,
          detail: `A yes to "${kind}" may give the agent the network, which the operator does not allow this app. It can deny it, and the admin can approve it. Its operator can change that with \`troupe app limit\`.`
        })
      }
      assert.strictEqual((yield* answer(approval, "once", adminToken)).status, 200)
      assert.strictEqual((yield* answer(yield* asked(kind), "deny")).status, 200)
    }
    for (const kind of ["read", "edit", "delete"]) {
      assert.strictEqual((yield* answer(yield* asked(kind), "once")).status, 200, kind)
    }
  }).pipe(Effect.scoped)
)

it.live("the operator sees the bounds of each app, and mistakes in them are refused", () =>
  Effect.gen(function* () {
    const { bounded, call } = yield* opened
    const bounds = { max_permissions: "ask", agents: ["codex"], cwd_roots: ["/srv/repos"], network: false }
    yield* bounded("web", bounds)
    yield* bounded("free", {})
    const { json } = yield* call("/admin/apps", { token: adminToken })
    assert.deepStrictEqual(
      json.apps.map((one: { readonly name: string; readonly bounds: unknown }) => [one.name, one.bounds]),
      [
        ["free", null],
        ["web", bounds]
      ]
    )
    const limit = (body: object, name = "web") =>
      Effect.map(call(`/admin/apps/${name}/bounds`, { token: adminToken, body }), ({ json, status }) => [
        status,
        json.detail
      ])
    assert.deepStrictEqual(yield* limit({ cwd_roots: ["srv"] }), [
      400,
      'cwd_roots must be absolute directories; "srv" is not.'
    ])
    assert.deepStrictEqual(yield* limit({ maxPermissions: "ask" }), [
      400,
      "maxPermissions is not a known field (did you mean `max_permissions`?)."
    ])
    assert.strictEqual((yield* limit(bounds, "nobody"))[0], 404)
  }).pipe(Effect.scoped)
)
