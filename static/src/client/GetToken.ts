/** Answers a token for the conversation; called again when the one in use has expired or is about to. */
export type GetToken<Context extends unknown[] = []> = (...context: Context) => string | Promise<string>;
