/** A part of a path. What can't be decoded is the id of nothing. */
export const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
