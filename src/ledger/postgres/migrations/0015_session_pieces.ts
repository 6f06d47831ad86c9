/** A row of a turn's events may have some of the session's among them: a program that does not know it would find none behind those. */
export default ["UPDATE schema_use SET usable_from = 15"]
