/** What was found wrong (`errors`, which end the start) or doubtful (`warnings`). Each is one sentence. */
export interface Findings {
  readonly errors: string[];
  readonly warnings: string[];
}

/** A configuration that cannot be used; `messages` tell everything that was found, the message is all of them. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly messages: readonly string[];
  /** What else was found doubtful. */
  readonly warnings: readonly string[];

  constructor(messages: readonly string[], warnings: readonly string[] = []) {
    super(messages.join('\n'));
    this.messages = messages;
    this.warnings = warnings;
  }
}

/** A sentence about an option: its path, where its value came from, what is to be said. */
export function about(path: string, source: string | undefined, text: string): string {
  return source === undefined ? `${path}: ${text}` : `${path} (set by ${source}): ${text}`;
}

/** How a rule tells what it found: the option, and the sentence. */
export type Say = (path: string, text: string) => void;
