/** `troupe sessions`: what a running server does with sessions, over HTTP. Each command is a file in `sessions/`. */
import { Command } from "effect/cli"
import { approve } from "./sessions/approve.ts"
import { audit } from "./sessions/audit.ts"
import { close } from "./sessions/close.ts"
import { create } from "./sessions/create.ts"
import { interrupt } from "./sessions/interrupt.ts"
import { list } from "./sessions/list.ts"
import { messages } from "./sessions/messages.ts"
import { move } from "./sessions/move.ts"
import { show } from "./sessions/show.ts"
import { tail } from "./sessions/tail.ts"
import { threads } from "./sessions/threads.ts"
import { turn } from "./sessions/turn.ts"
import { unpark } from "./sessions/unpark.ts"

export const sessionsCommand = Command.make("sessions").pipe(
  Command.withDescription("The sessions of a running server: open them, have turns in them, look at them, close them"),
  Command.withSubcommands([
    list,
    create,
    turn,
    show,
    tail,
    messages,
    approve,
    interrupt,
    close,
    threads,
    audit,
    unpark,
    move
  ])
)
