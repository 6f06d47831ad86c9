/**
 * What the warden is told, a JSON array a line: a lease before its first process starts, each process group of it with
 * its leader's start time (`Leader`), that such a group has ended, that the kernel has no process of the lease any more, and,
 * by a node among others, until when all of them may run (`Instant`).
 */
export type WardenLine =
  | readonly ["hold", lease: string]
  | readonly ["group", lease: string, group: number, startTime: string | null]
  | readonly ["ended", lease: string, group: number]
  | readonly ["release", lease: string]
  | readonly ["until", wall: number, monotonic: number]

export const encode = (line: WardenLine): string => `${JSON.stringify(line)}\n`

/** `null`: the line is not whole, as the last one of a process that was killed in the middle of it. */
export const decode = (text: string): WardenLine | null => {
  try {
    return JSON.parse(text) as WardenLine
  } catch {
    return null
  }
}
