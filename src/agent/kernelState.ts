/** What the kernel says of a process besides that it is there: what it waits for. Read only for who looks. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

/** Of a process with more open files it is not looked whether one of them is a connection. */
const mostFiles = 512

/** The kernel's function in which it sleeps, such as `do_wait`; `null`: in none, or that is not told. */
export const waitsIn = (pid: number): string | null => {
  const name = read(`/proc/${pid}/wchan`)?.trim() ?? ""
  return name === "" || name === "0" ? null : name
}

/** By the pid of a process that waits for a lock of a file: the process that has it. */
export const lockHolders = (table: string | null = read("/proc/locks")): ReadonlyMap<number, number> => {
  const holders = new Map<string, number>()
  const waiters: Array<readonly [pid: number, lock: string]> = []
  for (const line of (table ?? "").split("\n")) {
    // `7: FLOCK  ADVISORY  WRITE 1234 08:02:131 0 EOF`, and `7: -> FLOCK …` for one that waits for it.
    const found = /^(\d+): (-> )?\S+\s+\S+\s+\S+\s+(-?\d+) /.exec(line)
    if (found === null) continue
    const [, lock = "", waits, pid = ""] = found
    if (waits === undefined) holders.set(lock, Number(pid))
    else waiters.push([Number(pid), lock])
  }
  return new Map(waiters.flatMap(([pid, lock]) => (holders.has(lock) ? [[pid, holders.get(lock) ?? 0]] : [])))
}

/** The other ends of its open network connections; `null`: that could not be seen. */
export const connections = (pid: number): ReadonlyArray<string> | null => {
  const sockets = socketsOf(pid)
  if (sockets === null) return null
  const found = new Set<string>()
  for (const table of ["tcp", "tcp6"]) {
    for (const line of (read(`/proc/${pid}/net/${table}`) ?? "").split("\n").slice(1)) {
      const [, , remote = "", state, , , , , , inode = ""] = line.trim().split(/\s+/)
      // 01: established.
      if (state === "01" && sockets.has(inode)) found.add(addressOf(remote))
    }
  }
  return [...found]
}

const socketsOf = (pid: number): ReadonlySet<string> | null => {
  try {
    const files = readdirSync(`/proc/${pid}/fd`).slice(0, mostFiles)
    return new Set(files.flatMap((file) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${file}`))?.[1] ?? []))
  } catch {
    return null
  }
}

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path)
  } catch {
    return ""
  }
}

/** `0100007F:1F90` is 127.0.0.1:8080: the kernel writes each word of an address in the order of this machine's bytes. */
export const addressOf = (hex: string): string => {
  const [address = "", port = ""] = hex.split(":")
  const bytes = (address.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).toReversed())
  const number = Number.parseInt(port, 16)
  const isMapped = bytes.length === 16 && /^0{20}ffff/i.test(bytes.join(""))
  const shown = isMapped ? bytes.slice(12) : bytes
  if (shown.length === 4) return `${shown.map((byte) => Number.parseInt(byte, 16)).join(".")}:${number}`
  const groups = (shown.join("").match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16))
  return `[${groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::")}]:${number}`
}

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return null
  }
}
