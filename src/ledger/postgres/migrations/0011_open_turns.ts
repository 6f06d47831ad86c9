/** A session with a turn that has no outcome does not sleep: that is found by the index of those that don't (decision 0049). */
export default ["DROP INDEX IF EXISTS turns_open"]
