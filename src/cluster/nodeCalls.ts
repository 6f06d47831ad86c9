/** What a node asks of another one: the messages of sessions, to hold off, and how it is, as calls over HTTP. */
import { Rpc, RpcGroup } from "effect/rpc"
import { Schema } from "effect"
import { NodeToken } from "../domain/Ids.ts"
import { NodeExamined } from "./sharedSettings.ts"
import { NodeState } from "../supervision/NodeState.ts"
import { sessionMessages } from "../supervision/sessionMessages.ts"

const call = <const Tag extends string, Q extends Schema.Top, A extends Schema.Top, E extends Schema.Top>(
  tag: Tag,
  { answer, error, request }: { readonly request: Q; readonly answer: A; readonly error: E }
) => Rpc.make(tag, { payload: request, success: answer, error })

export const nodeCalls = RpcGroup.make(
  call("submit", sessionMessages.submit),
  call("interrupt", sessionMessages.interrupt),
  call("steer", sessionMessages.steer),
  call("answer", sessionMessages.answer),
  call("close", sessionMessages.close),
  call("change", sessionMessages.change),
  call("chooseAgent", sessionMessages.chooseAgent),
  call("unpark", sessionMessages.unpark),
  call("hibernate", sessionMessages.hibernate),
  call("release", sessionMessages.release),
  call("adopt", sessionMessages.adopt),
  call("look", sessionMessages.look),
  /** `asked`: the node that is meant, since its next start has its address. The answer is that of `ThisNode.holdOff`. */
  Rpc.make("holdOff", { payload: { asked: NodeToken }, success: Schema.NullOr(Schema.Finite) }),
  Rpc.make("state", { success: NodeState }),
  Rpc.make("examine", { success: NodeExamined })
)

/** Below a node's address. */
export const nodeCallsPath = "/node/calls"
