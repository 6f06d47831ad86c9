/** What a run asks of its thread: a turn of the thread's session, or the rest of one that waited for an answer. */
import type { Backend, SessionBackend, SessionInfo } from "../../backend/Backend.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import type { ContentBlock } from "../../domain/PromptContent.ts"
import { textIn, objectIn } from "../../domain/json.ts"
import type { CreateSession } from "../../domain/Session.ts"
import { promptOf, storeUploads } from "../prompt.ts"
import { invalid, unsupported } from "./errors.ts"
import { fingerprintOf } from "../fingerprint.ts"
import { nullOfMissing } from "../nullOfMissing.ts"
import type { RunInput } from "./input.ts"
import { answerAll, interruptIdOf, turnIn, unknownInterrupt } from "./interrupts.ts"
import { refusedRun, streamRun } from "./stream.ts"

/** Of a thread, among the names that the app's sessions have. */
const nameOf = (threadId: string) => `ag-ui ${threadId}`
const submissionOf = (runId: string) => `ag-ui ${runId}`
/** In the session's `meta`. */
const metaKey = "ag-ui"

/** `agent`: of the path; `null`: that of the thread, or the default one. */
export const run = async (backend: Backend, agent: string | null, input: RunInput): Promise<Response> => {
  const id = backend.idOfName(nameOf(input.threadId))
  const session = backend.session(id)
  if (input.resume.length > 0) return resumed(session, id, agent, input)
  const known = await viewOf(session)
  if (known !== null) {
    checkThread(known, agent, input)
    const before = await session.submitted(submissionOf(input.runId), input.fingerprint)
    if (before !== null) return streamRun({ session, input, place: { session: id, turn: before.index }, wished: null })
  }
  checkAsked(input)
  if (known === null) {
    await backend.createNamed(nameOf(input.threadId), openingOf(agent, input))
    // Another run of the thread may have been quicker, with an opening of its own.
    checkThread(await session.view(), agent, input)
  }
  try {
    const turn = await submit(backend, session, input, known === null)
    return streamRun({ session, input, place: { session: id, turn }, wished: null })
  } catch (error) {
    const open = error instanceof TroupeError && error.code === "turn_in_progress" ? await session.approvals() : []
    if (open.length === 0) throw error
    return refusedRun(input, unanswered(open.map((approval) => interruptIdOf(approval.id, approval.turn))))
  }
}

const unanswered = (interrupts: ReadonlyArray<string>) =>
  new TroupeError({
    code: "interrupt_pending",
    status: 409,
    message: `This thread waits for an answer. Send a run that resumes ${interrupts.join(", ")}; cancelled declines.`
  })

/** `null`: there is no such thread. */
const viewOf = (session: SessionBackend): Promise<SessionInfo | null> => session.view().catch(nullOfMissing)

const resumed = async (
  session: SessionBackend,
  id: string,
  agent: string | null,
  input: RunInput
): Promise<Response> => {
  const view = await viewOf(session)
  if (view === null) throw noThread(input.threadId)
  checkThread(view, agent, input)
  try {
    const turn = turnIn(input.resume)
    await checkNothingNew(session, turn, input)
    const wished = await answerAll(session, input.resume)
    return streamRun({ session, input, place: { session: id, turn }, wished })
  } catch (error) {
    if (!(error instanceof TroupeError)) throw error
    return refusedRun(input, error)
  }
}

/** A message that stands behind the turn's own would be lost. */
const checkNothingNew = async (
  session: SessionBackend,
  turn: number,
  { messages, resume }: RunInput
): Promise<void> => {
  if (!messages.endsWithUser) return
  const { prompt } = await session.turn(turn).catch((error: unknown) => {
    throw error instanceof TroupeError && error.status === 404 ? unknownInterrupt(resume[0]?.interruptId ?? "") : error
  })
  const said = messages.prompt.flatMap((block) => (block.type === "text" ? [block.text] : []))
  if (said.every((text) => prompt.includes(text))) return
  throw unsupported(
    "messages",
    "end with a new message of the user, and a run that resumes takes none. Nothing was answered: resume without it, and post it as the next run."
  )
}

export const stop = async (backend: Backend, threadId: string): Promise<Response> => {
  const session = backend.session(backend.idOfName(nameOf(threadId)))
  if ((await viewOf(session)) === null) throw noThread(threadId)
  return Response.json({ ok: true, interrupted: await session.interrupt() })
}

const noThread = (threadId: string) =>
  new TroupeError({
    code: "session_not_found",
    status: 404,
    message: `This app has no thread ${JSON.stringify(threadId)}. A thread begins with its first run, and is gone with its session.`
  })

const checkAsked = ({ messages }: RunInput): void => {
  if (!messages.endsWithUser)
    throw invalid("messages", "must end with a message of the user: that is what the agent is asked.")
  const isEmpty = messages.prompt.every((block) => block.type === "text" && block.text === "")
  if (isEmpty && messages.files.length === 0 && messages.uploads.length === 0)
    throw invalid("messages", "must end with a message of the user that says something.")
}

const submit = async (backend: Backend, session: SessionBackend, input: RunInput, isNew: boolean): Promise<number> => {
  const { fingerprint, messages, runId, wishes } = input
  const files = await storeUploads(backend, messages)
  const { index } = await session.submit({
    prompt: promptOf([...contextOf(input), ...messages.prompt]),
    ...(files.length === 0 ? {} : { files }),
    // An agent that a prompt has reached has its own memory of them.
    ...(messages.history.length === 0 ? {} : { messages: messages.history }),
    ...(isNew ? {} : { model: wishes.model, mode: wishes.mode, effort: wishes.effort }),
    idempotencyKey: submissionOf(runId),
    fingerprint
  })
  return index
}

const contextOf = ({ context }: RunInput): ReadonlyArray<ContentBlock> =>
  context.length === 0
    ? []
    : [
        {
          type: "text",
          text: ["Context:", ...context.map(({ description, value }) => `- ${description}: ${value}`)].join("\n")
        }
      ]

const systemOf = ({ messages: { system } }: RunInput) => (system.length === 0 ? undefined : system.join("\n\n"))

/** What a session keeps for its life. */
const openingParts = (input: RunInput) => {
  const { cwd, mcpServers, permissions } = input.wishes
  return {
    "forwardedProps.troupe.cwd": cwd,
    "forwardedProps.troupe.mcpServers": mcpServers,
    "forwardedProps.troupe.permissions": permissions,
    "messages (system and developer)": systemOf(input)
  }
}

/** New sessions ask: there is somebody at the client, whom interrupts reach. */
const openingOf = (agent: string | null, input: RunInput): CreateSession => {
  const { cwd, effort, mcpServers, mode, model, permissions = "ask" } = input.wishes
  const prints = Object.entries(openingParts(input)).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, fingerprintOf(value)] as const]
  )
  return {
    ...(agent === null ? {} : { agent }),
    cwd,
    effort,
    mode,
    model,
    permissions,
    questions: "ask",
    systemPrompt: systemOf(input),
    ...(mcpServers === undefined ? {} : { mcpServers }),
    meta: { [metaKey]: { threadId: input.threadId, opening: Object.fromEntries(prints) } }
  }
}

const checkThread = (view: SessionInfo, agent: string | null, input: RunInput): void => {
  if (view.state === "closed") {
    throw new TroupeError({
      code: "session_closed",
      status: 410,
      message: `The session of the thread ${JSON.stringify(input.threadId)} is closed. Begin another thread; its first run may bring the messages of this one.`
    })
  }
  if (agent !== null && agent !== view.agent) {
    throw unsupported("The path", `names ${agent}, and this thread is one of ${view.agent}: a thread keeps its agent.`)
  }
  const opening = objectIn(objectIn(view.meta[metaKey])["opening"])
  for (const [name, value] of Object.entries(openingParts(input))) {
    if (value === undefined || textIn(opening[name]) === fingerprintOf(value)) continue
    throw unsupported(
      name,
      "must be as in the thread's first run, or be left out: a session keeps what it was opened with."
    )
  }
}
