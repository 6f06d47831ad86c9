/**
 * Answers codex's requests. Every one is answered, because codex waits for ever for an answer.
 *
 * Requests to run a command, change files or call an MCP tool are passed on for a decision, and questions to a person
 * (`Questions.ts`). A request for wider permissions is declined; tools of ours get the empty answer, since there are none.
 * An unknown request gets -32601.
 */
import { Clock, Deferred, Effect } from "effect"
import { cut } from "../../domain/cut.ts"
import { objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import { simpleCommand, unwrapped } from "../../domain/simpleCommand.ts"
import type { ApprovalDecision, ApprovalRequest } from "../Agent.ts"
import { RpcError } from "../RpcError.ts"
import { changesTitle } from "./items.ts"
import type { Questions } from "./Questions.ts"
import type { ApprovalContext, Translator } from "./Translator.ts"

export interface ApprovalsOptions {
  readonly translator: Translator
  readonly approve: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  readonly questions: Questions
  readonly toWireLine: (raw: string) => string
}

export interface Approvals {
  readonly answer: (method: string, value: unknown, id: unknown, raw: string) => Effect.Effect<unknown, RpcError>
  /** `serverRequest/resolved`: codex needs no answer to a request any more. */
  readonly resolved: (params: unknown) => Effect.Effect<void>
}

export const make = ({ approve, questions, toWireLine, translator }: ApprovalsOptions): Approvals => {
  /** By codex's request id: settles an open request without a decision. */
  const open = new Map<unknown, Deferred.Deferred<ApprovalDecision>>()
  let count = 0

  /** `describe` gets what is known of the item; `reply` expresses the decision in the words of this request. */
  const ask = (
    params: JsonObject,
    requestId: unknown,
    raw: string,
    describe: (context: ApprovalContext) => Pick<ApprovalRequest, "kind" | "title" | "action">,
    reply: (decision: ApprovalDecision) => unknown
  ) =>
    Effect.suspend(() => {
      const context = translator.markApproval(params, true)
      const { toolCallId, turn } = context
      const id = `approval-${(count += 1)}`
      const resolution = Deferred.makeUnsafe<ApprovalDecision>()
      open.set(requestId, resolution)
      return approve({ id, turn, toolCallId, ...describe(context), raw: params, wire: toWireLine(raw) }).pipe(
        Effect.raceFirst(Deferred.await(resolution)),
        Effect.ensuring(Effect.sync(() => open.delete(requestId)))
      )
    }).pipe(
      Effect.map((decision) => {
        if (decision !== "deny") translator.markApproval(params, false)
        return reply(decision)
      })
    )

  const answer: Approvals["answer"] = (method, value, id, raw) => {
    const params = objectIn(value)
    switch (method) {
      case "item/commandExecution/requestApproval":
        return ask(
          params,
          id,
          raw,
          () => describedCommand(params),
          (decision) => ({ decision: replyWords[decision] })
        )
      case "item/fileChange/requestApproval":
        return ask(
          params,
          id,
          raw,
          ({ changes }) => ({
            kind: "edit",
            title: withReason(changes.length === 0 ? "change files" : changesTitle(changes), params),
            action: {
              _tag: "Edit",
              paths: changes.flatMap(({ movedTo, path }) => (movedTo === null ? [path] : [path, movedTo]))
            }
          }),
          // A `grantRoot` would open a whole directory for the session; only this change is allowed.
          (decision) => ({
            decision: params["grantRoot"] == null || decision === "deny" ? replyWords[decision] : "accept"
          })
        )
      case "mcpServer/elicitation/request":
        // Codex asks for the permission of an MCP tool by an elicitation with nothing to fill in.
        return objectIn(params["_meta"])["codex_approval_kind"] === "mcp_tool_call"
          ? ask(
              params,
              id,
              raw,
              () => ({
                kind: "other",
                title: `${textIn(params["serverName"]) ?? "MCP"}: ${textIn(params["message"]) ?? "call a tool"}`,
                action: { _tag: "McpTool", server: textIn(params["serverName"]), tool: null }
              }),
              (decision) =>
                decision === "deny" ? { action: "decline", content: null } : { action: "accept", content: {} }
            )
          : questions.elicitation(params, id, raw)
      case "item/permissions/requestApproval":
        return Effect.succeed({ permissions: {}, scope: "turn" })
      case "item/tool/requestUserInput":
        return questions.userInput(params, id, raw)
      case "item/tool/call":
        return Effect.succeed({
          contentItems: [{ type: "inputText", text: "This tool is not available here." }],
          success: false
        })
      case "currentTime/read":
        return Effect.map(Clock.currentTimeMillis, (now) => ({ currentTimeAt: Math.floor(now / 1_000) }))
      default:
        return Effect.fail(new RpcError({ code: -32601, message: `Troupe does not answer ${method}.` }))
    }
  }

  const resolved: Approvals["resolved"] = (params) =>
    Effect.suspend(() => {
      const id = objectIn(params)["requestId"]
      const resolution = open.get(id)
      return resolution === undefined ? questions.resolved(id) : Effect.asVoid(Deferred.succeed(resolution, "deny"))
    })

  return { answer, resolved }
}

/** codex calls `awk 'BEGIN{system(…)}'` a read: its own reading of a command (`commandActions`) decides nothing. */
const describedCommand = (params: JsonObject): Pick<ApprovalRequest, "kind" | "title" | "action"> => {
  const text = unwrapped(textIn(params["command"]) ?? "")
  const network = objectIn(params["networkApprovalContext"])
  // The model chooses it, so it need not be the session's.
  const directory = textIn(params["cwd"])
  const host = textIn(network["host"])
  if (params["networkApprovalContext"] != null) {
    return { kind: "fetch", title: withReason(text || `connect to ${host}`, params), action: { _tag: "Network", host } }
  }
  return {
    kind: "execute",
    title: withReason(text, params),
    action: { _tag: "Command", text, argv: simpleCommand(text), directories: directory === null ? [] : [directory] }
  }
}

const replyWords = { once: "accept", session: "acceptForSession", deny: "decline" } as const satisfies Record<
  ApprovalDecision,
  string
>

const withReason = (title: string, params: JsonObject): string => {
  const reason = textIn(params["reason"])
  return cut(reason === null || reason === "" ? title : `${title} (${reason})`, 500)
}
