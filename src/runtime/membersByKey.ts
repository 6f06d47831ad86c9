/** Adds a member to the set of its key. Returns what takes it out again, and with the last one the set. */
export const addMember = <Key, Member>(sets: Map<Key, Set<Member>>, key: Key, member: Member): (() => void) => {
  const members = sets.get(key) ?? new Set()
  sets.set(key, members)
  members.add(member)
  return () => {
    members.delete(member)
    if (members.size === 0 && sets.get(key) === members) sets.delete(key)
  }
}

/** The members of all keys. */
export const countMembers = (sets: ReadonlyMap<unknown, ReadonlySet<unknown>>): number =>
  [...sets.values()].reduce((sum, { size }) => sum + size, 0)
