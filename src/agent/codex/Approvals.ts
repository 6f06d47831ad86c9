/**
 * What codex asks of us, always answered: an unanswered request makes it wait for ever.
 *
 * Leave to run a command, change files or call an MCP tool is asked of whoever decides. A wish for wider permissions is
 * declined without asking; questions to a person, forms and tools of ours get the empty answer, since there is nobody
 * and nothing behind them. What nobody knows is -32601.
 */
import { Clock, Deferred, Effect } from "effect"
import type { ApprovalDecision, ApprovalRequest } from "../Agent.ts"
import { RpcError } from "../JsonRpc.ts"
import { changesTitle } from "./items.ts"
import { commandIn, commandKindIn } from "./wire.ts"
import { listIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { ApprovalContext, Translator } from "./Translator.ts"

export interface ApprovalsOptions {
  readonly translator: Translator
  readonly approve: (request: ApprovalRequest) => Effect.Effect<ApprovalDecision>
  /** A line as it may be kept. */
  readonly toWireLine: (raw: string) => string
}

export const make = ({ approve, toWireLine, translator }: ApprovalsOptions) => {
  const open = new Map<unknown, Deferred.Deferred<ApprovalDecision>>()
  let asked = 0

  /** `describe` gets what is known of the item; `reply` puts the decision in the words of this request. */
  const ask = (
    params: JsonObject,
    requestId: unknown,
    raw: string,
    describe: (asked: ApprovalContext) => { readonly kind: string; readonly title: string },
    reply: (decision: ApprovalDecision) => unknown
  ) =>
    Effect.suspend(() => {
      const about = translator.markApproval(params, true)
      const { turn, toolCallId } = about
      const id = `approval-${(asked += 1)}`
      const resolved = Deferred.makeUnsafe<ApprovalDecision>()
      open.set(requestId, resolved)
      return approve({ id, turn, toolCallId, ...describe(about), raw: params, wire: toWireLine(raw) }).pipe(
        Effect.raceFirst(Deferred.await(resolved)),
        Effect.ensuring(Effect.sync(() => open.delete(requestId)))
      )
    }).pipe(
      Effect.map((decision) => {
        if (decision !== "deny") translator.markApproval(params, false)
        return reply(decision)
      })
    )

  const answer = (method: string, value: unknown, id: unknown, raw: string): Effect.Effect<unknown, RpcError> => {
    const params = objectIn(value)
    switch (method) {
      case "item/commandExecution/requestApproval":
        return ask(
          params,
          id,
          raw,
          () => ({
            kind: params["networkApprovalContext"] == null ? commandKindIn(params) : "fetch",
            title: withReason(commandIn(params), params)
          }),
          (decision) => ({ decision: replyWords[decision] })
        )
      case "item/fileChange/requestApproval":
        return ask(
          params,
          id,
          raw,
          ({ changes }) => ({
            kind: "edit",
            title: withReason(changes.length === 0 ? "change files" : changesTitle(changes), params)
          }),
          // A `grantRoot` would open a whole directory for the session: this one change is granted, and no more.
          (decision) => ({
            decision: params["grantRoot"] == null || decision === "deny" ? replyWords[decision] : "accept"
          })
        )
      case "mcpServer/elicitation/request":
        // Codex asks leave for an MCP tool through an elicitation with nothing to fill in.
        return objectIn(params["_meta"])["codex_approval_kind"] === "mcp_tool_call"
          ? ask(
              params,
              id,
              raw,
              () => ({
                kind: "other",
                title: `${textIn(params["serverName"]) ?? "MCP"}: ${textIn(params["message"]) ?? "call a tool"}`
              }),
              (decision) =>
                decision === "deny" ? { action: "decline", content: null } : { action: "accept", content: {} }
            )
          : Effect.succeed({ action: "decline", content: null })
      case "item/permissions/requestApproval":
        return Effect.succeed({ permissions: {}, scope: "turn" })
      case "item/tool/requestUserInput":
        return Effect.succeed({
          answers: Object.fromEntries(
            listIn(params["questions"]).map((question) => [textIn(objectIn(question)["id"]) ?? "", { answers: [] }])
          )
        })
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

  /** `serverRequest/resolved`: codex has done with a question. One that has no answer yet needs none any more. */
  const resolved = (params: unknown) =>
    Effect.suspend(() => {
      const question = open.get(objectIn(params)["requestId"])
      return question === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(question, "deny"))
    })

  return { answer, resolved }
}

const replyWords = { once: "accept", session: "acceptForSession", deny: "decline" } as const satisfies Record<
  ApprovalDecision,
  string
>

const withReason = (title: string, params: JsonObject): string => {
  const reason = textIn(params["reason"])
  return (reason === null || reason === "" ? title : `${title} (${reason})`).slice(0, 500)
}
