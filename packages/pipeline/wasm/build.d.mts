/** The module's bytes; throws with the compiler's own words, a warning too. */
export declare function compile(): Promise<Uint8Array>;
