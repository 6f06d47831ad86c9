/** Keeps a map within its bound by forgetting the oldest entries: a map's order is that of insertion. */
export const forgetOldest = <A>(map: Map<string, A>, limit: number): void => {
  for (const id of map.keys()) {
    if (map.size <= limit) return
    map.delete(id)
  }
}
