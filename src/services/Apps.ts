/**
 * Apps and their tokens: authenticates callers, and creates, rotates and revokes tokens.
 *
 * A token is `trp_` and 43 characters (256 random bits). The ledger stores only its SHA-256, and comparing takes the same
 * time whether it matches or not. The admin token gives access to `/admin` and to all that an app may do. Nothing is
 * cached: a token that another process revoked (`troupe app revoke` beside a running server) is refused at its next use.
 */
import { Clock, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { hash as digest, hkdfSync, timingSafeEqual } from "node:crypto"
import { isAbsolute } from "node:path"
import type { AppBounds } from "../domain/appBounds.ts"
import { AppName, newAppToken } from "../domain/Ids.ts"
import { AppExists, AppNotFound, InvalidRequest } from "../domain/Refusal.ts"
import type { Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { AppRecord, LedgerWrite, LedgerError } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"
import { checkStorable } from "./checkStorable.ts"
import type { Caller } from "./Sessions.ts"

export interface MintOptions {
  readonly adopt?: boolean | undefined
  readonly bounds?: AppBounds | undefined
  readonly token?: Redacted.Redacted<string> | undefined
}

export class Apps extends Context.Service<
  Apps,
  {
    /** `None`: unknown, revoked or malformed; a caller is not told which. */
    readonly authenticate: (token: Redacted.Redacted<string>) => Effect.Effect<Option.Option<Caller>, Unavailable>
    /**
     * The returned token is stored nowhere. A revoked name may be taken again. What the revoked app owned (sessions, files,
     * usage, memories, skills) then goes on under another name, such as `desk~1`, which no app can take; with `adopt` the
     * new app owns it. `token`: a new one that the caller has kept already; absent: one is made.
     */
    readonly mint: (
      name: string,
      options?: MintOptions
    ) => Effect.Effect<
      { readonly name: AppName; readonly token: Redacted.Redacted<string> },
      AppExists | InvalidRequest | Unavailable
    >
    /**
     * What the app may ask for from now on, in place of all its bounds before; without any it may ask for anything.
     * A session that is beyond them starts no further process. Returns the bounds as they are stored.
     */
    readonly limit: (
      name: string,
      bounds: AppBounds
    ) => Effect.Effect<AppBounds | null, AppNotFound | InvalidRequest | Unavailable>
    /** The old token is refused from now on. */
    readonly rotate: (
      name: string
    ) => Effect.Effect<{ readonly name: AppName; readonly token: Redacted.Redacted<string> }, AppNotFound | Unavailable>
    /** The app's sessions stay until they are swept. */
    readonly revoke: (name: string) => Effect.Effect<void, AppNotFound | Unavailable>
    /** All apps, revoked ones included. */
    readonly list: Effect.Effect<ReadonlyArray<AppRecord>, Unavailable>
    /** 32 secret bytes for one purpose, the same at every start as long as the admin token is the same. */
    readonly keyFor: (purpose: string) => Effect.Effect<Redacted.Redacted<Uint8Array>>
  }
>()("troupe/services/Apps") {
  static readonly layer = (options: {
    readonly adminToken: Redacted.Redacted<string>
  }): Layer.Layer<Apps, never, Ledger> => Layer.effect(Apps, make(options))
}

/** Actors of the audit trail: an app with such a name could not be distinguished from them. */
const reservedNames: ReadonlySet<string> = new Set(["admin", "troupe"])

const tokenShape = /^trp_[A-Za-z0-9_-]{43}$/

const isAppName = Schema.is(AppName)

const keyBytes = 32

const make = Effect.fnUntraced(function* (options: { readonly adminToken: Redacted.Redacted<string> }) {
  const ledger = yield* Ledger
  const adminHash = hashOf(Redacted.value(options.adminToken))

  const activeApp = (name: string) =>
    ledger.apps.pipe(Effect.map((apps) => apps.find((app) => app.name === name && app.revokedAt === null)))

  /** Writes the entry and its line in the audit trail, which belongs to no session. */
  const write = (
    action: string,
    entry: Extract<LedgerWrite, { readonly name: AppName; readonly at: number }>,
    detail: Readonly<Record<string, unknown>> = {}
  ) =>
    ledger.write([
      entry,
      {
        _tag: "Audited",
        record: { at: entry.at, session: null, app: entry.name, action, actor: "admin", detail }
      }
    ])

  // Without a span: it is asked with each request.
  const authenticate = Effect.fnUntraced(function* (token: Redacted.Redacted<string>) {
    const text = Redacted.value(token)
    const hash = hashOf(text)
    if (isSame(hash, adminHash)) return Option.some<Caller>({ _tag: "Admin" })
    if (!tokenShape.test(text)) return Option.none<Caller>()
    const row = yield* ledger.appByToken(hash)
    return Option.isSome(row) && isSame(hash, row.value.tokenHash)
      ? Option.some<Caller>({ _tag: "App", app: row.value.app, since: row.value.createdAt })
      : Option.none<Caller>()
  }, unavailable)

  const mint = Effect.fn("Apps.mint")(function* (
    name: string,
    { adopt = false, bounds = {}, token = newAppToken() }: MintOptions = {}
  ) {
    if (!isAppName(name)) {
      return yield* new InvalidRequest({
        field: "name",
        problem: "must be 1 to 63 characters of a-z, 0-9, '.', '_' or '-', beginning with a letter or digit."
      })
    }
    if (reservedNames.has(name)) return yield* new InvalidRequest({ field: "name", problem: `must not be ${name}.` })
    const stored = yield* storedBounds(bounds)
    const apps = yield* ledger.apps
    const revoked = apps.find((app) => app.name === name)
    if (revoked?.revokedAt === null) return yield* new AppExists({ name })
    const predecessors = apps.filter((app) => app.name.startsWith(`${name}~`)).length
    const predecessor = adopt || revoked === undefined ? {} : { predecessor: formerName(name, predecessors + 1) }
    const at = yield* Clock.currentTimeMillis
    const tokenHash = hashOf(Redacted.value(token))
    const entry = { _tag: "AppInserted", name, at, tokenHash, bounds: stored, ...predecessor } as const
    yield* write("app_create", entry, stored === null ? {} : { bounds: stored }).pipe(
      // Another process may have taken the name since it was looked up.
      Effect.catch(
        Effect.fnUntraced(function* (error) {
          return yield* (yield* activeApp(name)) === undefined ? error : new AppExists({ name })
        })
      )
    )
    return { name, token }
  }, unavailable)

  /** Runs a change of the active app of that name, or fails where there is none. */
  const change = Effect.fnUntraced(function* <A>(
    name: string,
    apply: (app: AppName, at: number) => Effect.Effect<A, LedgerError>
  ) {
    const app = yield* activeApp(name)
    if (app === undefined) return yield* new AppNotFound({ name })
    return yield* apply(app.name, yield* Clock.currentTimeMillis)
  }, unavailable)

  return Apps.of({
    authenticate,
    mint,
    rotate: Effect.fn("Apps.rotate")((name: string) =>
      change(name, (app, at) => {
        const token = newAppToken()
        const tokenHash = hashOf(Redacted.value(token))
        return Effect.as(write("app_rotate", { _tag: "AppTokenReplaced", name: app, at, tokenHash }), {
          name: app,
          token
        })
      })
    ),
    limit: Effect.fn("Apps.limit")(function* (name: string, bounds: AppBounds) {
      const stored = yield* storedBounds(bounds)
      return yield* change(name, (app, at) =>
        Effect.as(write("app_limit", { _tag: "AppBounded", name: app, at, bounds: stored }, { bounds: stored }), stored)
      )
    }),
    revoke: Effect.fn("Apps.revoke")((name: string) =>
      change(name, (app, at) => write("app_revoke", { _tag: "AppRevoked", name: app, at }))
    ),
    list: unavailable(ledger.apps),
    keyFor: (purpose) =>
      Effect.sync(() => {
        const key = hkdfSync("sha256", Redacted.value(options.adminToken), "", `troupe ${purpose}`, keyBytes)
        return Redacted.make(new Uint8Array(key))
      })
  })
})

/** `null`: nothing is bounded. */
const storedBounds = Effect.fnUntraced(function* (bounds: AppBounds) {
  yield* checkStorable({ bounds })
  const relative = bounds.cwdRoots?.find((root) => !isAbsolute(root))
  if (relative !== undefined) {
    const problem = `must be absolute directories; ${JSON.stringify(relative)} is not.`
    return yield* new InvalidRequest({ field: "cwd_roots", problem })
  }
  return Object.keys(bounds).length === 0 ? null : bounds
})

/** Of a revoked app whose name was taken again: a tilde is in no name that can be minted. */
const formerName = (name: string, nth: number) => `${name}~${nth}` as AppName

const hashOf = (token: string) => digest("sha256", token, "hex")

/** Both are SHA-256 in hex, so they have the same length. */
const isSame = (a: string, b: string) => timingSafeEqual(Buffer.from(a), Buffer.from(b))
