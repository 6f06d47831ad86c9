/**
 * Opens a link that is a secret in the user's browser. Its address is in a file that only its user can read, and that leads
 * on to it: the arguments of a process can be seen by everybody on the machine.
 */
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { join } from "node:path"

/** The link is for one login within minutes, so that the file is worth nothing later. */
const fileName = "inspect.html"

/** Whether a browser was asked to; it may still fail by itself. */
export const openBrowser = async (link: string, dataDir: string): Promise<boolean> => {
  const command = commandOf(process.env)
  if (command === null) return false
  const file = join(dataDir, fileName)
  try {
    writeFileSync(file, pageTo(link), { mode: 0o600 })
  } catch {
    return false
  }
  return new Promise((resolve) => {
    const [program = "", ...args] = withAddress(command, pathToFileURL(file).href)
    const child = spawn(program, args, { stdio: "ignore", detached: true })
    child.once("error", () => resolve(false)).once("spawn", () => resolve(true))
    child.unref()
  })
}

/**
 * The command that opens an address; `null`: there is none, or no screen. `BROWSER` is the user's own choice, and may need no screen:
 * a program with its arguments, of several with colons between them the first, and `%s` for the address.
 */
export const commandOf = (env: NodeJS.ProcessEnv): string | null => {
  const [chosen = ""] = (env["BROWSER"] ?? "").split(":")
  if (chosen.trim() !== "") return chosen
  if (process.platform === "darwin") return "open"
  const hasScreen = Boolean(env["DISPLAY"]) || Boolean(env["WAYLAND_DISPLAY"])
  return process.platform === "linux" && hasScreen ? "xdg-open" : null
}

export const withAddress = (command: string, address: string): ReadonlyArray<string> => {
  const words = command.trim().split(/\s+/)
  return command.includes("%s") ? words.map((word) => word.replaceAll("%s", address)) : [...words, address]
}

/** A link has no character that HTML or a script would read otherwise: an address, and a code in base64url. */
const pageTo = (link: string) =>
  `<!doctype html><meta charset="utf-8"><title>Troupe</title><meta http-equiv="refresh" content="0;url=${encodeURI(link)}">\n`
