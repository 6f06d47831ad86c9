/**
 * The models that codex offers, with the efforts of each (`model/list`), and what its configuration chooses (`config/read`).
 *
 * The list is requested once, beside the first turn: no start waits for it, and none fails for it. A codex that does not
 * answer offers nothing.
 */
import { Effect } from "effect"
import type { Scope } from "effect"
import { cut } from "../../domain/cut.ts"
import { listIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Choice } from "../../domain/Session.ts"
import type { Peer } from "../JsonRpc.ts"
import type { Configuration } from "./configuration.ts"

export interface CodexModel {
  readonly id: string
  readonly name: string
  readonly description: string | null
  /** Codex's own lists leave it out. */
  readonly hidden: boolean
  readonly isDefault: boolean
  readonly efforts: ReadonlyArray<Choice>
  readonly defaultEffort: string | null
}

export interface Offered {
  readonly models: ReadonlyArray<CodexModel>
  /** Of codex's configuration; `null`: it names none. */
  readonly model: string | null
  readonly effort: string | null
}

export interface Models {
  /** What has come so far. */
  readonly now: () => Offered
  /** What there is when codex has answered, or its time is over. */
  readonly settled: Effect.Effect<Offered>
}

/** 0.171 answers in 10 ms; where it renews its list from the network it may take seconds. */
const withinMillis = 5_000

const maxModels = 100
const maxCharacters = 500

export const nothing: Offered = { models: [], model: null, effort: null }

/** What a spare was answered while it waited. */
const answered = new WeakMap<Peer, unknown>()

const list = (peer: Peer) =>
  peer
    .request("model/list", { includeHidden: true, limit: maxModels }, { timeoutMillis: withinMillis })
    .pipe(Effect.catch(() => Effect.succeed(null)))

/** Requests the list for the session that comes. */
export const ask = (peer: Peer): Effect.Effect<void> =>
  Effect.map(list(peer), (reply) => {
    if (reply !== null) answered.set(peer, reply)
  })

export const make = Effect.fnUntraced(function* (
  peer: Peer,
  configuration: Configuration
): Effect.fn.Return<Models, never, Scope.Scope> {
  let offered = nothing
  const request = Effect.gen(function* () {
    const [reply, { model, model_reasoning_effort: effort }] = yield* Effect.all(
      [
        answered.has(peer) ? Effect.succeed(answered.get(peer)) : list(peer),
        configuration.pipe(
          Effect.map(({ config }) => config),
          Effect.catch(() => Effect.succeed<JsonObject>({}))
        )
      ],
      { concurrency: "unbounded" }
    )
    offered = { models: modelsIn(reply), model: textIn(model), effort: textIn(effort) }
    return offered
  })
  const settled = yield* Effect.cached(request)
  yield* Effect.forkScoped(settled)
  return { now: () => offered, settled }
})

const modelsIn = (reply: unknown): ReadonlyArray<CodexModel> =>
  listIn(objectIn(reply)["data"])
    .slice(0, maxModels)
    .flatMap((value) => {
      const entry = objectIn(value)
      const id = textIn(entry["model"]) ?? textIn(entry["id"])
      if (id === null) return []
      return [
        {
          id,
          name: textIn(entry["displayName"]) ?? id,
          description: textIn(entry["description"]),
          hidden: entry["hidden"] === true,
          isDefault: entry["isDefault"] === true,
          efforts: listIn(entry["supportedReasoningEfforts"]).slice(0, 16).flatMap(effortOf),
          defaultEffort: textIn(entry["defaultReasoningEffort"])
        }
      ]
    })

const effortOf = (value: unknown): ReadonlyArray<Choice> => {
  const { description, reasoningEffort } = objectIn(value)
  const id = textIn(reasoningEffort)
  return id === null ? [] : [choice(id, id, textIn(description))]
}

export const choice = (id: string, name: string, description: string | null): Choice => ({
  id,
  name,
  ...(description === null || description === "" ? {} : { description: cut(description, maxCharacters) })
})
