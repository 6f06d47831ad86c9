/** A session as a file: what it contains, what it never contains, and that nothing in it is executed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ownMessages } from "../../machines/session/settlements.ts"
import { redact } from "../../src/agent/redact.ts"
import type { Detail, Exported, TranscriptEvent } from "../../src/inspect/sessionContract.ts"
import { asHtml } from "../../src/inspect/export/file.ts"
import { hidden, keepingTexts, ownWords, withoutTexts } from "../../src/inspect/export/redaction.ts"
import { adminToken, open } from "./harness.ts"
import { api, at, until } from "./sessionApi.ts"

const sentence = "the fox said <script>alert(1)</script> to nobody"
/** Has the shape of a key, and is not one. */
const secret = ["sk", "abcdefghijklmnop1234"].join("-")

const event = (update: object): TranscriptEvent => ({
  seq: 1,
  turn: 1,
  at: 1,
  message: { jsonrpc: "2.0", method: "session/update", params: { sessionId: "t-1", update } }
})
const updateOf = ({ message }: TranscriptEvent) =>
  (message as { readonly params: { readonly update: Record<string, unknown> } }).params.update

describe("an event without its texts", () => {
  it("keeps the protocol's words, and of every other text its length", () => {
    const redacted = withoutTexts.event(
      event({
        sessionUpdate: "tool_call",
        toolCallId: "call-1",
        kind: "execute",
        status: "completed",
        title: "cat /etc/passwd",
        rawInput: { command: ["cat", "/etc/passwd"], kind: "a secret kind", "/srv/a file": 1, id: "someone" },
        content: [{ type: "content", content: { type: "text", text: "root:x:0" } }],
        _meta: { status: "free text" }
      })
    )
    assert.deepStrictEqual(updateOf(redacted), {
      sessionUpdate: "tool_call",
      toolCallId: "call-1",
      kind: "execute",
      status: "completed",
      title: "[redacted: 15 characters]",
      rawInput: {
        command: ["[redacted: 3 characters]", "[redacted: 11 characters]"],
        kind: "[redacted: 13 characters]",
        "[redacted: 11 characters] 2": 1,
        id: "[redacted: 7 characters]"
      },
      content: [{ type: "content", content: { type: "text", text: "[redacted: 8 characters]" } }],
      _meta: { status: "[redacted: 9 characters]" }
    })
  })

  it("replaces a sentence in a field of the protocol", () => {
    const redacted = updateOf(
      withoutTexts.event(event({ sessionUpdate: "x", status: "please keep this", kind: "a.b-c" }))
    )
    assert.deepStrictEqual([redacted["status"], redacted["kind"]], [hidden("please keep this"), "a.b-c"])
  })
})

describe("a failure's message without its texts", () => {
  it("keeps how a process ended, and of what the agent wrote the length", () => {
    for (const [message, kept] of [
      [
        "The agent process ended with exit code 3: cannot read /home/me/.key",
        `The agent process ended with exit code 3: ${hidden(": cannot read /home/me/.key")}`
      ],
      ["The agent process was killed by SIGKILL.", "The agent process was killed by SIGKILL."],
      ["The agent process ended with exit code 0", "The agent process ended with exit code 0"],
      ["my secret ended with exit code 7", `${hidden("my secret")} ended with exit code 7`],
      ["no code at all", hidden("no code at all")],
      ["ended with exit code 7days", hidden("ended with exit code 7days")],
      ["", ""]
    ] as const)
      assert.strictEqual(ownWords(message), kept)
  })

  it("keeps what the machine says itself", () => {
    for (const message of ownMessages) assert.strictEqual(ownWords(message), message)
    assert.isAbove(ownMessages.size, 4)
  })
})

describe("an event with its texts", () => {
  it("contains no secret", () => {
    const redacted = JSON.stringify(
      keepingTexts((text) => redact(text, ["hunter2-hunter2"])).event(
        event({ sessionUpdate: "x", text: `${secret} hunter2-hunter2 fine` })
      )
    )
    assert.notInclude(redacted, secret)
    assert.notInclude(redacted, "hunter2")
    assert.include(redacted, "fine")
  })
})

/** A session with every kind of text: a prompt, an answer, a tool, an approval, a failure. */
const talkative = Effect.gen(function* () {
  const troupe = yield* open()
  const token = yield* troupe.mint("ours")
  const id = yield* troupe.create(token, { permissions: "approve_all", meta: { customer: "Ms. Smith" } })
  yield* troupe.turn(token, id, sentence)
  yield* troupe.turn(token, id, `tool echo ${secret}`)
  yield* troupe.turn(token, id, "fail model")
  yield* troupe.call(api(id, "/close"), { token, body: {} })
  return { ...troupe, token, id }
})

const exported = (text: string) => JSON.parse(text) as Exported

describe("an exported session", () => {
  it.live("has its complete structure and no text", () =>
    Effect.gen(function* () {
      const { call, id, token } = yield* talkative
      const { headers, text } = yield* call(api(id, "/export"), { token })
      assert.strictEqual(headers.get("content-disposition"), `attachment; filename="troupe-${id}.json"`)
      assert.strictEqual(headers.get("cache-control"), "no-store")
      for (const word of ["fox", "script", secret, "Smith", "echo sk", "/tmp/", "You said"])
        assert.notInclude(text, word)

      const { cut, detail, events, me, steps, texts, troupe } = exported(text)
      assert.deepStrictEqual([texts, cut, troupe.format], [false, null, 1])
      assert.strictEqual(me.bounds.restart_intensity, 3)
      const now = (yield* call(api(id), { token })).json as Detail
      assert.deepStrictEqual([steps.length, events.length], [now.last_step, now.last_event])
      assert.deepStrictEqual(
        detail.turns.map(({ prompt, status }) => [status, prompt]),
        now.turns.map(({ prompt, status }) => [status, hidden(prompt)])
      )
      assert.deepStrictEqual(
        detail.processes.map(({ generation }) => generation),
        now.processes.map(({ generation }) => generation)
      )
      assert.deepStrictEqual(detail.session.meta, { customer: hidden("Ms. Smith") })
      assert.strictEqual(detail.session.cwd, hidden(now.session.cwd))
      const stored = yield* call(api(id, "/steps?limit=1000"), { token })
      assert.deepStrictEqual(
        steps.map(({ commands, from, seq, to }) => [seq, from, to, commands]),
        stored.json.steps.map(({ commands, from, seq, to }: (typeof steps)[number]) => [seq, from, to, commands])
      )
    }).pipe(Effect.scoped)
  )

  it.live("says how its processes ended, how turns failed and how much was used, and nothing that was written", () =>
    Effect.gen(function* () {
      const { call, create, mint, turn } = yield* open()
      const token = yield* mint("ours")
      const id = yield* create(token, { permissions: "approve_all" })
      yield* turn(token, id, "hello to the fox")
      yield* turn(token, id, "crash 7")
      yield* call(api(id, "/close"), { token, body: {} })
      const { text } = yield* call(api(id, "/export"), { token })
      const { detail, events, steps } = exported(text)
      const death = detail.processes.find(({ is_failure }) => is_failure)
      assert.deepStrictEqual([death?.death?.code, death?.death?.signal], [7, null])
      assert.match(death?.exit ?? "", /^The agent process ended with exit code 7/)
      assert.match(death?.death?.stderr ?? "", /^\[redacted: \d+ characters\]$/)
      const failed = detail.turns[1]
      assert.deepStrictEqual([failed?.status, failed?.failure?.class], ["failed", "crash"])
      assert.match(failed?.failure?.message ?? "", /^The agent process ended with exit code 7/)
      const exit = steps.find(({ event }) => event.type === "process.exited")?.event
      assert.deepStrictEqual(exit?.["exit"], { code: 7, signal: null })
      assert.include(JSON.stringify(events), "ended with exit code 7")
      assert.isAbove(detail.session.usage.total_tokens, 0)
      for (const word of ["fox", "exits as it was asked to", "About to crash", "/tmp/"]) assert.notInclude(text, word)
    }).pipe(Effect.scoped)
  )

  it.live("has the texts where they are asked for, and no secret", () =>
    Effect.gen(function* () {
      const { call, id, token } = yield* talkative
      const { text } = yield* call(api(id, "/export?texts=1"), { token })
      assert.notInclude(text, secret)
      const { detail, events, texts } = exported(text)
      assert.isTrue(texts)
      assert.strictEqual(detail.turns[0]?.prompt, sentence)
      assert.include(JSON.stringify(events), "You said")
      assert.deepStrictEqual(detail.session.meta, { customer: "Ms. Smith" })
    }).pipe(Effect.scoped)
  )

  it.live("is refused in an unknown format", () =>
    Effect.gen(function* () {
      const { call, create, mint } = yield* open()
      const id = yield* create(yield* mint("ours"))
      for (const [query, said] of [
        ["format=pdf", "must be one of json, html, svg, dot, mermaid."],
        ["texts=yes", "must be one of 0, 1."],
        ["format=svg&texts=yes", "must be one of 0."],
        ["format=svg&texts=1", "svg has no texts."]
      ] as const) {
        const { json, status } = yield* call(api(id, `/export?${query}`), { token: adminToken })
        assert.deepStrictEqual([status, json.error], [400, "invalid_request"], query)
        assert.include(json.detail, said)
      }
    }).pipe(Effect.scoped)
  )

  it.live("is the chart of its machine as well, with the state that it is in marked and no text", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const { call, create, mint, turn } = troupe
      const token = yield* mint("ours")
      const id = yield* create(token, { permissions: "ask" })
      const chart = Effect.fnUntraced(function* (format: string) {
        const { headers, status, text } = yield* call(api(id, `/export?format=${format}&texts=0`), { token })
        assert.strictEqual(status, 200, text)
        return { text, name: headers.get("content-disposition"), type: headers.get("content-type") }
      })
      assert.include((yield* chart("svg")).text, "it stands in idle.asleep</title>")
      yield* Effect.forkScoped(turn(token, id, "ask-tool echo the fox"))
      yield* until(troupe, token, id, at("turning.asking"))

      const svg = yield* chart("svg")
      assert.deepStrictEqual([svg.type, svg.name], ["image/svg+xml", `attachment; filename="troupe-${id}.svg"`])
      assert.include(svg.text, "it stands in turning.asking</title>")
      assert.match(svg.text, /class="state active"[^>]*><title>turning\.asking/)
      const dot = yield* chart("dot")
      assert.deepStrictEqual(
        [dot.type, dot.name],
        ["text/vnd.graphviz; charset=utf-8", `attachment; filename="troupe-${id}.dot"`]
      )
      assert.match(dot.text, /"turning\.asking" \[.*class="active"/)
      const mermaid = yield* chart("mermaid")
      assert.deepStrictEqual(
        [mermaid.type, mermaid.name],
        ["application/vnd.mermaid", `attachment; filename="troupe-${id}.mmd"`]
      )
      assert.include(mermaid.text, "class turning_asking active\n")
      for (const { text } of [svg, dot, mermaid]) assert.notInclude(text, "fox")
      yield* call(api(id, "/close"), { token, body: {} })
      assert.include((yield* chart("svg")).text, "it stands in closed</title>")
    }).pipe(Effect.scoped)
  )
})

describe("the page of an exported session", () => {
  const template = "<!doctype html><body><!--troupe-export--><script>run()</script></body>"
  const data = { detail: { session: { session_id: sentence } }, note: "<!-- <script> </script>" } as unknown as Exported

  const built = Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "troupe-page-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )

  it.effect("contains the session as data that neither ends its script element nor begins another", () =>
    Effect.gen(function* () {
      const page = yield* built
      yield* Effect.promise(() => writeFile(join(page, "export.html"), template))
      const html = yield* asHtml(data, page)
      assert.strictEqual(html.split("<script").length, 3)
      assert.strictEqual(html.split("</script>").length, 3)
      const [, json = ""] = /<script type="application\/json" id="troupe-export">(.*?)<\/script>/s.exec(html) ?? []
      assert.notInclude(json, "<")
      assert.deepStrictEqual(JSON.parse(json), data)
      assert.isTrue(html.endsWith("<script>run()</script></body>"))
    }).pipe(Effect.scoped)
  )

  it.effect("fails where it is not built, and says what to do", () =>
    Effect.gen(function* () {
      const page = yield* built
      const refused = yield* Effect.flip(asHtml(data, page))
      assert.strictEqual(refused.status, 503)
      assert.include(refused.detail, "npm run page")
      yield* Effect.promise(() => writeFile(join(page, "export.html"), "<!doctype html>"))
      assert.strictEqual((yield* Effect.flip(asHtml(data, page))).status, 503)
    }).pipe(Effect.scoped)
  )
})
