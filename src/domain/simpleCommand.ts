/**
 * The words of a command line that is one simple command, in the sense of POSIX's shell; `null`: it is anything else, or
 * could be.
 *
 * It is read strictly. A line with an operator, an expansion, a wildcard, a comment, an assignment, an escape or any
 * control character is not simple, although some of those are harmless: what a rule approves must be exactly what runs.
 */
export const simpleCommand = (line: string): ReadonlyArray<string> | null => {
  if (line.length > maxCharacters || !printable.test(line)) return null
  const words: Array<string> = []
  let rest = line.replace(/^ +/, "")
  while (rest !== "") {
    const matched = word.exec(rest)
    if (matched === null) return null
    words.push(unquoted(matched[0]))
    const after = rest.slice(matched[0].length)
    if (after !== "" && !after.startsWith(" ")) return null
    rest = after.replace(/^ +/, "")
  }
  const [program] = words
  // An assignment (`PATH=. ls`) is no program, nor is a word of the shell's own.
  if (program === undefined || program === "" || program.includes("=") || shellWords.has(program)) return null
  return words
}

const maxCharacters = 8_192

/** Spaces are the only white space; what is not seen could be taken for a separator. */
const printable = /^(?: |[^\p{C}\p{Z}])*$/u

/** Plain characters, '…' and "…" without an expansion, side by side. */
const word = /^(?:[^\s'"\\;|&$()<>`*?[\]{}~#!]|'[^']*'|"[^"\\$`!]*")+/

const unquoted = (text: string): string =>
  text.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double)

/** Reserved words, and built-ins that run other words or change what later words mean. */
const shellWords: ReadonlySet<string> = new Set(
  "if then else elif fi do done case esac while until for in function select time coproc eval exec source . command builtin alias unalias trap set export".split(
    " "
  )
)

/**
 * Whether this is a shell of the system. A model can name the shell in which codex runs its command: one of the same name
 * in the repository would be a program of the repository.
 */
export const isSystemShell = (program: string): boolean =>
  /^(?:(?:\/usr)?(?:\/local)?\/bin\/|\/opt\/homebrew\/bin\/|\/run\/current-system\/sw\/bin\/)?(?:bash|sh|zsh|dash)$/.test(
    program
  )

/**
 * The command line inside `bash -lc '…'` and its kin, which agents wrap around what they run; the line itself where there
 * is no such wrapping.
 */
export const unwrapped = (line: string): string => {
  const words = simpleCommand(line) ?? shellWrapped(line)
  if (words === null || words.length !== 3) return line
  const [shell = "", option = "", script = ""] = words
  return isSystemShell(shell) && /^-l?c$/.test(option) ? script : line
}

/** The script may contain anything between single quotes: `sh -c 'a; b'`. A quote in it is written `'\''` or `'"'"'`. */
const shellWrapped = (line: string): ReadonlyArray<string> | null => {
  const [, shell, option, quoted] = /^(\S+) (-l?c) '((?:[^']|'\\''|'"'"')*)'$/.exec(line) ?? []
  if (shell === undefined || option === undefined || quoted === undefined) return null
  return [shell, option, quoted.replaceAll("'\\''", "'").replaceAll(`'"'"'`, "'")]
}
