/** The argument of all commands that act on one session. */
import { Argument } from "effect/cli"

export const sessionId = Argument.String("id").pipe(
  Argument.withDescription("A session's id, as troupe sessions list has it")
)
