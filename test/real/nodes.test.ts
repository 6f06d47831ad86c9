/** Real agents whose node is killed: on another node, with a home of its own, they know what was said, there and back. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { emptySchema, server as postgres } from "../ledger/postgres/schemas.ts"
import { claude, codex, codexAcp } from "./harness/agents.ts"
import * as Installation from "./harness/Installation.ts"
import { recalled } from "./harness/open.ts"
import type { Session } from "./harness/App.ts"
import type { Server } from "./harness/Server.ts"
import { isShort } from "./harness/short.ts"

/** An installation is a machine: it has a home, a home of each agent, a data dir and a model of its own. */
const startNode = (
  database: string,
  node: string,
  { serve }: Installation.Installation,
  more: Readonly<Record<string, string>> = {}
) =>
  serve(
    {
      ...more,
      TROUPE_DATABASE_URL: database,
      TROUPE_CLUSTER_SECRET: "a-secret-of-the-nodes-of-this-test",
      TROUPE_NODE: node,
      // A node that starts when the one before is dead is one that this did not know, and waits for it the longer.
      TROUPE_LEDGER_PATIENCE: "1 second",
      // One lives at a time, so none calls another.
      TROUPE_NODE_URL: "http://127.0.0.1:1"
    },
    ["--cluster"]
  )

const killed = (server: Server) => {
  server.signal("SIGKILL")
  return server.ended
}

/** The first turn after its node's death, as soon as another one has the session. */
const firstTurn = (session: Session, prompt: string) =>
  session
    .turn(prompt)
    .pipe(
      Effect.repeat({ schedule: Schedule.spaced("500 millis"), until: ({ status }) => status !== 503 }),
      Effect.timeout("1 minute")
    )

describe.skipIf(postgres === null).each(isShort ? [codex, claude] : [codex, claude, codexAcp])(
  "$name",
  ({ name: agent }) => {
    it.live("goes on with its conversation on another node, and on the first one again", () =>
      Effect.gen(function* () {
        const database = yield* emptySchema
        const [here, there] = [yield* Installation.make, yield* Installation.make]
        const first = yield* startNode(database, "first", here)
        const app = yield* first.app("scene")
        const session = yield* app.create({ agent, cwd: here.cwd })
        const said = (yield* session.turn("the bird is a heron")).body.final_text
        yield* session.turn("the tree is an alder")
        yield* killed(first)

        const second = yield* startNode(database, "second", there)
        const moved = second.knownApp(app.token).session(session.id)
        const { body } = yield* firstTurn(moved, "RECALL")
        assert.include(body, { ok: true, context_lost: false, context_as_of: 2 }, second.log())
        assert.includeMembers([...recalled(body)], ["the bird is a heron", "the tree is an alder"])
        // The whole of it, and not only what Troupe has: this model was asked for the first time.
        const asked = there.model.asked().find(({ prompt }) => prompt.includes("RECALL"))
        assert.includeMembers([...(asked?.texts ?? [])], ["the bird is a heron", "the tree is an alder"])
        assert.include(JSON.stringify(asked?.request), said.trim())
        assert.include((yield* moved.turn("the fish is a pike")).body, { ok: true, context_as_of: null })
        assert.match(second.log(), /here as of turn 2 \(Placed\)/)
        // In the middle of a turn: what was said in it is not there when another node goes on.
        yield* moved.submit("SLOW:600x50")
        yield* moved.hears("the first words", ({ params, ...rest }) =>
          JSON.stringify(params?.update ?? rest).includes("w1 ")
        )
        yield* killed(second)

        const again = yield* startNode(database, "first", here)
        const back = again.knownApp(app.token).session(session.id)
        const third = yield* firstTurn(back, "RECALL")
        assert.include(third.body, { ok: true, context_lost: false, context_as_of: 4 }, again.log())
        assert.includeMembers(
          [...recalled(third.body)],
          ["the bird is a heron", "the tree is an alder", "the fish is a pike"]
        )
        assert.notInclude(recalled(third.body).join("\n"), "SLOW")
        // Its own file there was the beginning of what came back.
        assert.match(again.log(), /here as of turn 4 \(Replaced\)/)
      }).pipe(Effect.scoped)
    )
  }
)

describe.skipIf(postgres === null)("codex with one home for all nodes", () => {
  it.live("goes on from the file that both have, there and back, and nothing is stored of it", () =>
    Effect.gen(function* () {
      const database = yield* emptySchema
      const [here, there] = [yield* Installation.make, yield* Installation.make]
      const shared = { TROUPE_HOMES: "shared", CODEX_HOME: here.file("../codex") }
      const first = yield* startNode(database, "first", here, shared)
      const app = yield* first.app("scene")
      const session = yield* app.create({ agent: "codex", cwd: here.cwd })
      yield* session.turn("the bird is a heron")
      yield* killed(first)

      const second = yield* startNode(database, "second", there, shared)
      const moved = second.knownApp(app.token).session(session.id)
      const known = { ok: true, context_lost: false, context_as_of: null }
      const { body } = yield* firstTurn(moved, "RECALL")
      assert.include(body, known, second.log())
      assert.includeMembers([...recalled(body)], ["the bird is a heron"])
      yield* moved.turn("the fish is a pike")
      yield* killed(second)

      const again = yield* startNode(database, "first", here, shared)
      const third = yield* firstTurn(again.knownApp(app.token).session(session.id), "RECALL")
      assert.include(third.body, known, again.log())
      assert.includeMembers([...recalled(third.body)], ["the bird is a heron", "the fish is a pike"])
      for (const { log } of [second, again]) assert.notInclude(log(), "is here as of turn")
    }).pipe(Effect.scoped)
  )
})
