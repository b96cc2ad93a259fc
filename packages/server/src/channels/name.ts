import type { NameMarks } from './options.ts';

/** Bytes in a channel's name at most, whoever says it. */
const MAX_NAME_BYTES = 4096;

/** Control characters, and halves of a surrogate pair. */
const UNFIT = /[\p{Cc}\p{Cs}]/u;

const NOT_ASCII = /[^ -~]/;

/** The name is subscribed by token only. */
export function isPrivate(channel: string, marks: NameMarks): boolean {
  return marks.private_prefix !== '' && channel.startsWith(marks.private_prefix);
}

/** The text before the first boundary, the private prefix aside; "" for a name without namespace. */
export function namespaceName(channel: string, marks: NameMarks): string {
  if (marks.namespace_boundary === '') return '';
  const start = isPrivate(channel, marks) ? marks.private_prefix.length : 0;
  const end = channel.indexOf(marks.namespace_boundary, start);
  return end < 0 ? '' : channel.slice(start, end);
}

/** The part that a namespace's pattern is about: what follows the boundary, the whole name where there is none. */
export function nameInNamespace(channel: string, marks: NameMarks): string {
  const { namespace_boundary: boundary } = marks;
  if (boundary === '') return channel;
  const at = channel.indexOf(boundary, isPrivate(channel, marks) ? marks.private_prefix.length : 0);
  return at < 0 ? channel : channel.slice(at + boundary.length);
}

/** The name lists users. It limits who may subscribe only where the namespace says so. */
export function listsUsers(channel: string, marks: NameMarks): boolean {
  return marks.user_boundary !== '' && channel.includes(marks.user_boundary);
}

/**
 * Whether the user is one of those listed after the last user boundary: exactly, so that an empty place in the list
 * is the anonymous user. False for a name that lists none.
 */
export function admitsUser(channel: string, user: string, marks: NameMarks): boolean {
  const { user_boundary: boundary, user_separator: separator } = marks;
  if (!listsUsers(channel, marks)) return false;
  let start = channel.lastIndexOf(boundary) + boundary.length;
  for (;;) {
    const next = separator === '' ? -1 : channel.indexOf(separator, start);
    const end = next < 0 ? channel.length : next;
    if (end - start === user.length && channel.startsWith(user, start)) return true;
    if (next < 0) return false;
    start = next + separator.length;
  }
}

/** The rule for names that a backend says (server API, tokens): well-formed text, no control characters, 4096 bytes. */
export function isServerName(channel: string): boolean {
  return channel !== '' && fitsBytes(channel, MAX_NAME_BYTES) && !UNFIT.test(channel);
}

/** Well-formed text without control characters, of any length. */
export function isCleanText(text: string): boolean {
  return !UNFIT.test(text);
}

/** Printable ASCII. */
export function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/** Whether the text takes at most so many bytes in UTF-8. */
export function fitsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return false;
  return text.length * 3 <= limit || Buffer.byteLength(text) <= limit;
}
