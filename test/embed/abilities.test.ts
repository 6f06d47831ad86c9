/** What sessions and turns can bring besides text, through the library, with real processes of the demo agent. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { ContentBlock, CreateSession, Troupe } from "../../src/promise.ts"

const secret = "s3cr3t-of-the-session"
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64"
)
const image: ContentBlock = { type: "image", mimeType: "image/png", data: png.toString("base64") }

describe("sessions and turns of the demo agent", () => {
  let directory: string
  let troupe: Troupe
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "troupe-abilities-"))
    troupe = await openTroupe({
      dataDir: join(directory, "data"),
      defaultAgent: "demo",
      mcpServers: { tickets: { command: "serve-tickets", env: { KEY: secret } } },
      drainMillis: 500
    })
  })
  afterEach(async () => {
    await troupe.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const refusal = async (promise: Promise<unknown>) => {
    const error = await promise.then(
      () => assert.fail("nothing was refused"),
      (error: unknown) => error
    )
    if (!(error instanceof TroupeError)) throw error
    return `${error.code}: ${error.message}`
  }
  const refusedSession = (request: CreateSession) => refusal(troupe.createSession(request))

  it("a prompt's images and resources reach the agent in order, and its text is in the transcript", async () => {
    const session = await troupe.createSession({ permissions: "approve_all" })
    const turn = await session.turn([
      { type: "text", text: "Look at this" },
      image,
      { type: "resource_link", name: "notes", uri: "file:///srv/notes.md" },
      { type: "resource", resource: { uri: "file:///srv/new.ts", text: "let unsaved = 1" } }
    ])
    assert.include(turn.finalText, "image/png")
    assert.include(turn.finalText, "file:///srv/notes.md")
    assert.include(turn.finalText, "file:///srv/new.ts")
    const [said] = await session.messages()
    assert.strictEqual(
      said?.content,
      "Look at this\n[image/png]\n[notes](file:///srv/notes.md)\n[file:///srv/new.ts]\nlet unsaved = 1"
    )
  })

  it("an attached image is an image for an agent that sees them, whatever its name says", async () => {
    const session = await troupe.createSession({ permissions: "approve_all" })
    const isImage = await troupe.storeFile("picture.txt", png)
    const isNone = await troupe.storeFile("picture.png", Buffer.from("no image at all"))
    const turn = await session.turn("What is it?", { files: [isImage.id, isNone.id] })
    assert.strictEqual(turn.finalText.match(/image\/png/g)?.length, 1, turn.finalText)
    assert.include(turn.finalText, `/${isImage.id}/`)
    assert.include(turn.finalText, `/${isNone.id}/`)
  })

  it("content that is none is refused by its place, and nothing is stored", async () => {
    const session = await troupe.createSession()
    const blank = await refusal(session.turn([{ type: "text", text: " " }]))
    assert.match(blank, /^invalid_request: prompt must hold something to say/)
    const noBase64 = await refusal(session.turn([{ ...image, data: "not base64!" } as ContentBlock]))
    assert.strictEqual(noBase64, "invalid_request: prompt[0].data must be base64.")
    const otherType = await refusal(session.turn([{ ...image, mimeType: "image/gif" } as ContentBlock]))
    assert.strictEqual(otherType, "invalid_request: prompt[0].mimeType is image/gif, and the data is image/png.")
    const noBlock = await refusal(session.turn([{ type: "video" } as unknown as ContentBlock]))
    assert.match(noBlock, /^invalid_request: prompt\[0\] is no content block/)
    const files = join(directory, "data", "files")
    assert.deepStrictEqual(existsSync(files) ? readdirSync(files, { recursive: true }) : [], [".incoming"])
  })

  it("model, effort and mode hold for the session, and others for one turn alone", async () => {
    const session = await troupe.createSession({
      permissions: "approve_all",
      model: "demo-large",
      effort: "high",
      mode: "plan"
    })
    const first = await session.turn("session")
    assert.include(first.finalText, "Model demo-large, effort high, mode plan.")
    const view = await session.view()
    assert.deepInclude(view, { model: "demo-large", effort: "high", mode: "plan" })
    assert.deepStrictEqual(
      view.choices?.models.map(({ id }) => id),
      ["demo-small", "demo-large"]
    )
    const other = await session.turn("session", { model: "demo-small", effort: "low" })
    assert.include(other.finalText, "Model demo-small, effort low, mode plan.")
    const again = await session.turn("session")
    assert.include(again.finalText, "Model demo-large, effort high, mode plan.")
    await session.change({ effort: "medium", mode: null })
    const changed = await session.turn("session")
    assert.include(changed.finalText, "Model demo-large, effort medium, mode ")
    assert.notInclude(changed.finalText, "mode plan")
  })

  it("a session's MCP servers, directories and variables reach its agent, and their secrets no reader", async () => {
    const session = await troupe.createSession({
      permissions: "approve_all",
      additionalDirectories: [directory],
      mcpServers: ["tickets", { name: "own", command: "serve", env: { TOKEN: secret } }]
    })
    const turn = await session.turn("session")
    assert.include(turn.finalText, "tickets")
    assert.include(turn.finalText, "own")
    assert.include(turn.finalText, directory)
    const { mcpServers } = await session.view()
    assert.deepStrictEqual(mcpServers, ["tickets", { name: "own", command: "serve", env: { TOKEN: "[redacted]" } }])
    assert.notInclude(JSON.stringify(await session.view()), secret)
    assert.notInclude(JSON.stringify(await session.turns()), secret)
  })

  it("what the operator or the agent does not have is refused with the reason", async () => {
    assert.match(
      await refusedSession({ mcpServers: ["ticket"] }),
      /^invalid_request: mcp_servers\[0\] is "ticket", which the operator's configuration .* Did you mean "tickets"\?$/
    )
    assert.match(
      await refusedSession({ mcpServers: [{ name: "a b", command: "x" }] }),
      /^invalid_request: mcpServers\[0\]/
    )
    assert.match(
      await refusedSession({ mcpServers: ["tickets", "tickets"] }),
      /^invalid_request: mcp_servers\[1\] has the name "tickets" of one before it/
    )
    assert.match(
      await refusedSession({ env: { HOME: "/x" } }),
      /^not_supported: env.HOME is no variable that a session of demo may set: agents.demo.sessionEnv .* allows none/
    )
    assert.match(
      await refusedSession({ additionalDirectories: ["relative"] }),
      /^invalid_request: additional_directories\[0\] must be an absolute path/
    )
    assert.match(
      await refusedSession({ additionalDirectories: [join(directory, "gone")] }),
      /^invalid_request: additional_directories\[0\] must be a directory that exists/
    )
  })

  it("a turn's answer is checked by its schema, and a mismatch says why", async () => {
    const session = await troupe.createSession()
    const outputSchema = { type: "object", required: ["n"], properties: { n: { type: "integer" } } }
    const turn = await session.turn('{"n": 3}', { outputSchema })
    // The demo agent echoes what it is told, the schema included: no JSON by itself.
    assert.deepInclude(turn, { ok: true, structured: null, schemaMismatch: "The answer is no JSON." })
    const plain = await session.turn('{"n": 3}')
    assert.deepInclude(plain, { structured: null, schemaMismatch: null })
    const noSchema = await refusal(session.turn("x", { outputSchema: { type: "nonsense" } }))
    assert.match(noSchema, /^invalid_request: output_schema is no JSON Schema that stands alone/)
  })

  it("a fork knows what was said before, has its own directory, and goes its own way", async () => {
    const session = await troupe.createSession({ permissions: "approve_all", meta: { ticket: 1 } })
    await session.turn("the bird is a heron")
    const { cwd } = await session.view()
    writeFileSync(join(cwd, "note.txt"), "kept")
    const fork = await session.fork()
    const recalled = await fork.turn("recall")
    assert.include(recalled.finalText, "the bird is a heron")
    const view = await fork.view()
    assert.deepInclude(view, { permissions: "approve_all", meta: { ticket: 1 }, agent: "demo" })
    assert.notStrictEqual(view.threadId, (await session.view()).threadId)
    assert.notStrictEqual(view.cwd, cwd)
    assert.strictEqual(readFileSync(join(view.cwd, "note.txt"), "utf8"), "kept")
    await fork.turn("the fish is a carp")
    assert.notInclude((await session.turn("recall")).finalText, "carp")
  })

  it("a fork is refused before the first turn, while a turn runs, and at a turn that the agent can't name", async () => {
    const session = await troupe.createSession({ permissions: "approve_all" })
    assert.match(await refusal(session.fork()), /^not_supported: The session's agent has said nothing yet/)
    await session.turn("one")
    await session.turn("two")
    assert.match(
      await refusal(session.fork({ turnIndex: 1 })),
      /^not_supported: demo can be forked after its last turn only/
    )
    assert.match(await refusal(session.fork({ turnIndex: 9 })), /^turn_not_found: /)
    const running = session.turn("slow 1000 50")
    for await (const _ of running) break
    assert.match(await refusal(session.fork()), /^turn_in_progress: /)
    await session.interrupt()
    await running
    assert.include((await (await session.fork()).turn("recall")).finalText, "two")
  })

  it("a conversation is listed, and taken up by its id, while no other session has it", async () => {
    const session = await troupe.createSession({ permissions: "approve_all" })
    await session.turn("the bird is a heron")
    const { cwd, threadId } = await session.view()
    const { items } = await troupe.threads("demo")
    assert.include(
      items.map(({ id }) => id),
      threadId
    )
    const adoption = { permissions: "approve_all", cwd, threadId: threadId! } as const
    assert.match(await refusedSession(adoption), /^thread_taken: /)
    const theirs = troupe.as("theirs")
    assert.deepStrictEqual((await theirs.threads("demo")).items, [])
    await session.close()
    const adopted = await troupe.createSession({ permissions: "approve_all", threadId: threadId! })
    const recalled = await adopted.turn("recall")
    assert.include(recalled.finalText, "the bird is a heron")
    assert.deepInclude(recalled, { contextLost: false, contextAsOf: null, workdirLost: false, threadId })
    await adopted.close()
    assert.match(await refusal(theirs.createSession({ threadId: threadId! })), /^thread_taken: /)
  })
})
