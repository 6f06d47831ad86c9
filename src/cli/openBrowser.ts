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
  const program = programs[process.platform]
  const hasScreen =
    process.platform !== "linux" || Boolean(process.env["DISPLAY"]) || Boolean(process.env["WAYLAND_DISPLAY"])
  if (program === undefined || !hasScreen) return false
  const file = join(dataDir, fileName)
  try {
    writeFileSync(file, pageTo(link), { mode: 0o600 })
  } catch {
    return false
  }
  return new Promise((resolve) => {
    const child = spawn(program, [pathToFileURL(file).href], { stdio: "ignore", detached: true })
    child.once("error", () => resolve(false)).once("spawn", () => resolve(true))
    child.unref()
  })
}

const programs: Partial<Record<NodeJS.Platform, string>> = { linux: "xdg-open", darwin: "open" }

/** A link has no character that HTML or a script would read otherwise: an address, and a code in base64url. */
const pageTo = (link: string) =>
  `<!doctype html><meta charset="utf-8"><title>Troupe</title><meta http-equiv="refresh" content="0;url=${encodeURI(link)}">\n`
