// Why a net is not imported: expected, so the importer's door (import.ts) answers it as a value.

/** `why` in words, beginning with `operator X` where one is to blame; without a full stop. */
export class Unimportable extends Error {}
