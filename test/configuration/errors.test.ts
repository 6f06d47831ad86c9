/** How a wrong setting is rejected. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { keys, names, placeOf } from "../../src/configuration/keys.ts"
import { load } from "./load.ts"
import type { Given } from "./load.ts"

const problem = (given: Given) =>
  load(given).pipe(
    Effect.flip,
    Effect.map(({ problem }) => problem)
  )

describe("a bad configuration is rejected in one line that says where, what, and what is accepted", () => {
  const wrong: ReadonlyArray<readonly [Given, string]> = [
    [{ flags: { port: "99999" } }, `--port is "99999": it takes a whole number from 0 to 65535 (0 picks a free one).`],
    [
      { env: { TROUPE_POOL_WAIT: "30" } },
      `TROUPE_POOL_WAIT is "30": it takes a duration such as "30 seconds" (a number and millis, seconds, minutes, hours, days or weeks).`
    ],
    [
      { env: { TROUPE_TURN_TIMEOUT: "0 seconds" } },
      `TROUPE_TURN_TIMEOUT is "0 seconds": it takes a duration such as "10 minutes" (a number and millis, seconds, minutes, hours, days or weeks), and not zero.`
    ],
    [{ env: { TROUPE_HOMES: "nfs" } }, `TROUPE_HOMES is "nfs": it takes local, shared or capsule.`],
    [
      { env: { TROUPE_NODE_LEASE: "2900 millis" } },
      `TROUPE_NODE_LEASE is "2900 millis": it takes a duration such as "4 seconds" (a number and millis, seconds, minutes, hours, days or weeks), and not less than 3 seconds.`
    ],
    [
      { env: { TROUPE_SESSION_TTL: "never" } },
      `TROUPE_SESSION_TTL is "never": it takes a duration such as "24 hours" (a number and millis, seconds, minutes, hours, days or weeks), or "off".`
    ],
    [
      { file: { maxFile: 33554432 } },
      `maxFile in troupe.config.json is 33554432: it takes a size from 1 KiB to 1 TiB such as "32 MiB" (a number and B, kB, MB, GB, KiB, MiB or GiB).`
    ],
    [
      { file: { logLevel: "loud" } },
      `logLevel in troupe.config.json is "loud": it takes trace, debug, info, warn, error or none.`
    ],
    [
      { env: { TROUPE_ADMIN_TOKEN: "short secret" } },
      "TROUPE_ADMIN_TOKEN is not usable: it takes at least 16 printable characters without spaces."
    ],
    [
      { env: { TROUPE_DATABASE_URL: "mysql://user:secret@db/troupe" } },
      "TROUPE_DATABASE_URL is not usable: it takes an address such as postgres://user:password@host:5432/troupe."
    ],
    [{ file: { maxSesions: 3 } }, "maxSesions in troupe.config.json is no setting. Did you mean maxSessions?"],
    [
      { file: { agents: { codex: { protocol: "codex-app-server", comand: ["codex"] } } } },
      "agents.codex.comand in troupe.config.json is no setting. Did you mean agents.codex.command?"
    ],
    [
      { file: { agents: { mine: { protocol: "acp" } } } },
      `agents.mine in troupe.config.json does not say what to launch: it takes "command" (such as ["claude-agent-acp"]) or "registry" (such as "gemini").`
    ],
    [
      { env: { TROUPE_REVIEW_MEMORY_INTERVAL: "-1" } },
      `TROUPE_REVIEW_MEMORY_INTERVAL is "-1": it takes a whole number from 0 to 1000000 user turns (0 turns memory reviews off).`
    ],
    [
      { file: { reviews: { baseUrl: "api.openai.com" } } },
      `reviews.baseUrl in troupe.config.json is "api.openai.com": it takes an http or https address such as https://api.openai.com/v1.`
    ],
    [
      { env: { TROUPE_REVIEW_API_KEY: "sk with a blank" } },
      "TROUPE_REVIEW_API_KEY is not usable: it takes the key as its provider gave it out, without spaces."
    ],
    [
      { file: { reviews: { skillTool: "perhaps" } } },
      `reviews.skillTool in troupe.config.json is "perhaps": it takes true or false.`
    ],
    [
      { file: { reviews: { itterations: 3 } } },
      "reviews.itterations in troupe.config.json is no setting. Did you mean reviews.iterations?"
    ],
    [
      { file: { reviews: 10 } },
      "reviews in troupe.config.json is 10: it takes an object with any of enabled, memoryInterval, skillInterval, skillTool, apiKey, baseUrl, model, iterations, inputTokens."
    ],
    [{ file: { reviewModel: "x" } }, "reviewModel in troupe.config.json is no setting. Did you mean reviews?"],
    [{ file: [1] }, "troupe.config.json is [1]: it takes a JSON object."]
  ]

  it.effect.each(wrong.map(([given, says]) => ({ given, says })))("$says", ({ given, says }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* problem(given), says)
    })
  )

  it.effect("an error names the key of an agent that is wrong, and shows no secret of its environment", () =>
    Effect.gen(function* () {
      const protocol = yield* problem({ file: { agents: { mine: { protocol: "acpp", command: ["x"] } } } })
      assert.match(protocol, /^agents\.mine\.protocol in troupe\.config\.json: .*"acpp"\.$/)
      const secret = yield* problem({ file: { agents: { mine: { protocol: "acp", env: { KEY: 8675309 } } } } })
      assert.strictEqual(secret, "agents.mine.env.KEY in troupe.config.json: it takes text.")
    })
  )

  it.effect("an error says where a file is no JSON, and that a named one is missing", () =>
    Effect.gen(function* () {
      assert.match(yield* problem({ file: `{ "port": }` }), /^troupe\.config\.json is no JSON: Unexpected token/)
      const afterComment = yield* problem({ file: `{\n  // a comment\n  "port": }` })
      assert.match(afterComment, /^troupe\.config\.json is no JSON: Unexpected token '}'.*"port": }/s)
      assert.match(yield* problem({ config: "none.json" }), /^The configuration file none\.json can't be read: ENOENT/)
    })
  )

  it.effect("an error is one line without anything that a terminal obeys, whatever the names in the file are", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(load({ file: { "a\u001b[2J\nb\u202e": 1 } }))
      assert.match(message, /^a\\u001b\[2J\\u000ab\\u202e in troupe\.config\.json /)
    })
  )

  it.effect("every key rejects a value that it does not take", () =>
    Effect.gen(function* () {
      for (const name of names) {
        const [first, second] = placeOf(name)
        const wrong = { an: "object" }
        const says = yield* problem({ file: { [first]: second === undefined ? wrong : { [second]: wrong } } })
        assert.match(says, new RegExp(`^${placeOf(name).join("\\.")} in .* it takes `))
        assert.notInclude(keys[name].takes, "undefined")
      }
    })
  )
})
