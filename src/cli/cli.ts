/**
 * The command line as a whole: `troupe COMMAND`, its output streams and its exit codes.
 *
 * Results go to stdout, everything else to stderr. The exit code is 0 for success, 1 for failure, 2 for bad usage, and
 * 128 and the signal's number for a command that a signal ended.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer } from "effect"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import { unknownVariables } from "../configuration/unknownVariables.ts"
import { endingOf } from "./failures.ts"
import { usageText } from "./usageText.ts"
import * as Signals from "./Signals.ts"
import { version } from "./version.ts"

/** Commands are loaded by name: the server is most of the program, and the other commands start without it. */
export const commands = {
  serve: async () => (await import("./commands/serve.ts")).serveCommand,
  demo: async () => (await import("./commands/demo.ts")).demoCommand,
  chat: async () => (await import("./commands/chat.ts")).chatCommand,
  migrate: async () => (await import("./commands/migrate.ts")).migrateCommand,
  backup: async () => (await import("./commands/backup.ts")).backupCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  app: async () => (await import("./commands/app.ts")).appCommand,
  webhook: async () => (await import("./commands/webhook.ts")).webhookCommand,
  node: async () => (await import("./commands/node.ts")).nodeCommand,
  sessions: async () => (await import("./commands/sessions.ts")).sessionsCommand,
  why: async () => (await import("./commands/why.ts")).whyCommand,
  inspect: async () => (await import("./commands/inspect.ts")).inspectCommand,
  top: async () => (await import("./commands/top.ts")).topCommand,
  mcp: async () => (await import("./commands/mcp.ts")).mcpCommand,
  ask: async () => (await import("./commands/ask.ts")).askCommand,
  run: async () => (await import("./commands/run.ts")).runCommand,
  acp: async () => (await import("./commands/acp.ts")).acpCommand,
  machines: async () => (await import("./commands/machines.ts")).machinesCommand
}
type Name = keyof typeof commands

const isName = (word: string | undefined): word is Name => word !== undefined && Object.hasOwn(commands, word)

/** Has all commands where none is named, for help and for suggestions of a similar name. */
const troupeFor = async (word: string | undefined) => {
  const names = isName(word) ? [word] : (Object.keys(commands) as Array<Name>)
  return Command.make("troupe").pipe(
    Command.withDescription("A supervisor for coding-agent sessions"),
    Command.withSubcommands(await Promise.all(names.map((name) => commands[name]())))
  )
}

/** Bad usage prints one line that names `--help`, instead of the whole help. */
const presenterOf = (asJson: boolean): CliOutput.Presenter => ({
  present: Effect.fnUntraced(function* (event) {
    if (event._tag !== "InvalidInvocation") return yield* CliOutput.defaultPresenter.present(event)
    const detail = `${usageText(event.errors)} See ${event.commandPath.join(" ")} --help.`
    yield* Console.error(asJson ? JSON.stringify({ ok: false, error: "bad_usage", detail }) : `troupe: ${detail}`)
  })
})

const environmentOf = (asJson: boolean) =>
  Layer.mergeAll(
    NodeServices.layer,
    CliOutput.layerPresenter(presenterOf(asJson)),
    CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
  )

/** Runs the command of the arguments; the exit code. */
export const run = async (args: ReadonlyArray<string>): Promise<number> => {
  const asJson = args.includes("--json")
  for (const warning of unknownVariables(process.env)) {
    process.stderr.write(`${asJson ? JSON.stringify({ warning }) : `troupe: ${warning}`}\n`)
  }
  const troupe = await troupeFor(args[0])
  const exit = await Effect.runPromiseExit(
    Signals.under(Command.runWith(troupe, { version, renderErrors: true })(args)).pipe(
      Effect.provide(environmentOf(asJson))
    )
  )
  if (Exit.isSuccess(exit)) return 0
  const { exitCode, report } = endingOf(exit.cause)
  if (report !== null) {
    const line = asJson
      ? JSON.stringify({ ok: false, error: report.code, detail: report.message })
      : `troupe: ${report.message}`
    process.stderr.write(`${line}\n`)
  }
  return Cause.hasInterruptsOnly(exit.cause) ? 130 : exitCode
}
