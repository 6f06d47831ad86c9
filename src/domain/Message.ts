/** A message of a conversation, as events and results carry it. */
import { Schema } from "effect"

import { loose } from "./events/loose.ts"

/** OpenAI's shape, whose own keys are snake_case on both sides. */
export const Message = Schema.Struct({
  role: Schema.Literals(["user", "assistant", "tool", "system"]),
  content: Schema.NullOr(Schema.String),
  reasoning: Schema.optionalKey(Schema.String),
  tool_calls: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        id: Schema.String,
        type: Schema.Literal("function"),
        function: Schema.Struct({ name: Schema.String, arguments: Schema.String })
      })
    )
  ),
  tool_call_id: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "Message", description: "A conversation message in OpenAI's shape." })

/** A message as an app keeps it, which may have more to it. */
export const GivenMessage = loose(Message.fields, {
  identifier: "GivenMessage",
  description: "A conversation message in OpenAI's shape, whose content is text. What else it has is ignored."
})
