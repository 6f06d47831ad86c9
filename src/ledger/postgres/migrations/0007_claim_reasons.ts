/** Of a change of owner, what had become of the owner before: only the commit that makes it can tell. NULL: not known. */
export default ["ALTER TABLE claims ADD COLUMN owner_before text"]
