/** Bad usage in sentences: the library of the command line has a text of several lines for each error. */
import type { CliError } from "effect/cli"

/** All errors of one invocation. */
export const usageText = (errors: ReadonlyArray<CliError.CliError>): string => {
  // What follows a flag that a command does not have is its value, and no subcommand.
  const isMisplaced = errors[0]?._tag === "UnrecognizedOption"
  const told = isMisplaced ? errors.filter(({ _tag }) => _tag !== "UnknownSubcommand") : errors
  return told.map(sentencesOf).join(" ")
}

const sentencesOf = (error: CliError.CliError): string => {
  switch (error._tag) {
    case "UnrecognizedOption": {
      const command = error.command?.join(" ") ?? "troupe"
      return `${command} has no flag ${error.option}${ending(error.suggestions, ", or it belongs behind a subcommand")}`
    }
    case "UnknownSubcommand":
      return `${error.parent?.join(" ") ?? "troupe"} has no command ${JSON.stringify(error.subcommand)}${ending(error.suggestions)}`
    case "InvalidValue":
      return error.kind === "flag" && error.value === ""
        ? `--${error.option} has no value: it takes ${accepted(error.expected)}.`
        : `${error.kind === "argument" ? `<${error.option}>` : `--${error.option}`} is ${JSON.stringify(error.value)}: it takes ${accepted(error.expected)}.`
    default:
      return `${error.message.replace(/\s*\n\s*/g, " ")}.`
  }
}

const ending = (suggestions: ReadonlyArray<string>, otherwise = ""): string =>
  suggestions.length === 0 ? `${otherwise}.` : `. Did you mean ${listed(suggestions)}?`

/** Of a choice, the library has the words in quotes with `|` between them. */
const accepted = (expected: string): string => {
  const words = expected.split(" | ").map((word) => /^"(.*)"$/.exec(word)?.[1])
  return words.every((word) => word !== undefined) ? listed(words as ReadonlyArray<string>) : expected
}

const listed = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`
