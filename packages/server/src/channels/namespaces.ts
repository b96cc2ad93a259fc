import { admitsUser, fitsBytes, isAscii, isCleanText, isPrivate, isServerName } from './name.ts';
import { listsUsers, nameInNamespace, namespaceName } from './name.ts';
import { Namespace } from './namespace.ts';
import type { ChannelSection } from './options.ts';

/** Everything that the configuration says about channels, by a channel's name. Built once, never changed. */
export class Namespaces {
  readonly #section: ChannelSection;
  readonly #without: Namespace;
  readonly #byName = new Map<string, Namespace>();

  /** @throws Error where a `channel_regex` is not a pattern */
  constructor(section: ChannelSection) {
    this.#section = section;
    this.#without = new Namespace('channel.without_namespace', section.without_namespace, section);
    for (const options of section.namespaces) {
      const path = `channel.namespaces[${options.name}]`;
      this.#byName.set(options.name, new Namespace(path, options, section));
    }
  }

  /** The namespace that a channel is of, undefined where there is no such namespace. */
  find(channel: string): Namespace | undefined {
    const name = namespaceName(channel, this.#section);
    return name === '' ? this.#without : this.#byName.get(name);
  }

  /** A client may use a name of this length. */
  isShortEnough(channel: string): boolean {
    return fitsBytes(channel, this.#section.max_length);
  }

  /** The name keeps the rules for names that clients say; `namespace` is the one that it is of. */
  isClientName(channel: string, namespace: Namespace): boolean {
    if (!this.isShortEnough(channel)) return false;
    if (namespace.pattern === undefined) return isAscii(channel);
    return isCleanText(channel) && namespace.pattern.test(nameInNamespace(channel, this.#section));
  }

  /** The name keeps the rules for names that a backend says. */
  isServerName(channel: string): boolean {
    return isServerName(channel);
  }

  isPrivate(channel: string): boolean {
    return isPrivate(channel, this.#section);
  }

  /** Only users that the name lists may subscribe; `namespace` is the one that it is of. */
  isUserLimited(channel: string, namespace: Namespace): boolean {
    return namespace.options.allow_user_limited_channels && listsUsers(channel, this.#section);
  }

  /** The user is one of those that the name lists. */
  admitsUser(channel: string, user: string): boolean {
    return admitsUser(channel, user, this.#section);
  }

  /** The name of a user's personal channel; `namespace` is a name, "" for none. */
  personal(user: string, namespace: string): string {
    const { namespace_boundary: boundary, user_boundary: userBoundary } = this.#section;
    return (namespace === '' ? '' : namespace + boundary) + userBoundary + user;
  }
}
