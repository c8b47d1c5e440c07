declare const __VERSION__: string;

/** The version of this module, which is that of the gateway it came with. */
export const VERSION: string = __VERSION__;
