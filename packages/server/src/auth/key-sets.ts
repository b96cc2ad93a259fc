import { clientError } from '@gyre/protocol';
import { download } from './download.ts';
import type { SignatureCheck } from './jwt.ts';
import { KeySet } from './key-set.ts';

/** Where a key set is fetched from. */
export interface KeyEndpoint {
  readonly url: string;
  /** Only from public addresses. */
  readonly guarded: boolean;
}

export interface KeySetsOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: { readonly warn?: (message: string, fields?: object) => void };
}

/** How long a set is taken for true; a failing endpoint makes it longer. */
const FRESH = 3_600_000;
/** An endpoint is asked again because of an unknown key, or after a failure, only after this time. */
const PAUSE = 10_000;
/** A key that a set did not have is not looked for again. */
const MISSING = 30_000;
const TRIES = 2;
/** Bounds: endpoints that are remembered, and missing keys of each. The longest unused ones give way. */
const MAX_ENDPOINTS = 1000;
const MAX_MISSING = 1000;

interface State {
  readonly endpoint: KeyEndpoint;
  /** The last good one. */
  set?: KeySet;
  fetchedAt: number;
  /** The endpoint is left in peace until then. */
  quietUntil: number;
  failed: boolean;
  /** Key ids, and until when they are known to be missing. */
  readonly missing: Map<string, number>;
  fetching?: Promise<void> | undefined;
}

/**
 * Public keys by endpoint and key id: what is known under one address says nothing about another. However many
 * tokens come, an endpoint is asked once at first, once an hour, and once in ten seconds for keys that it did not have;
 * whoever needs the same answer waits for the same request. Where the endpoint fails, the last good keys stay.
 */
export class KeySets {
  readonly #options: KeySetsOptions;
  readonly #states = new Map<string, State>();

  constructor(options: KeySetsOptions) {
    this.#options = options;
  }

  /**
   * The check for a key, undefined where the endpoint has no such key.
   * @throws ClientError 100, temporary, where that cannot be told now: the endpoint fails or was asked just before
   */
  async find(endpoint: KeyEndpoint, kid: string): Promise<SignatureCheck | undefined> {
    const state = this.#state(endpoint);
    const { now } = this.#options;
    if (state.set !== undefined && now() < state.fetchedAt + FRESH) {
      const check = state.set.check(kid);
      if (check !== undefined) return check;
      if ((state.missing.get(kid) ?? 0) > now()) return undefined;
    }
    const asked = await this.#ask(state);
    const check = state.set?.check(kid);
    if (check !== undefined) return check;
    if (!asked || state.failed) throw clientError('internal');
    remember(state.missing, kid, now() + MISSING, MAX_MISSING);
    return undefined;
  }

  #state(endpoint: KeyEndpoint): State {
    const key = `${endpoint.guarded ? 'guarded ' : ''}${endpoint.url}`;
    const state = this.#states.get(key) ?? {
      endpoint,
      fetchedAt: 0,
      quietUntil: 0,
      failed: false,
      missing: new Map<string, number>(),
    };
    remember(this.#states, key, state, MAX_ENDPOINTS);
    return state;
  }

  /** False where the endpoint may not be asked now. */
  async #ask(state: State): Promise<boolean> {
    if (state.fetching === undefined && this.#options.now() < state.quietUntil) return false;
    state.fetching ??= this.#fetch(state).finally(() => {
      state.fetching = undefined;
    });
    await state.fetching;
    return true;
  }

  async #fetch(state: State): Promise<void> {
    const { now, log } = this.#options;
    const began = now();
    const url = new URL(state.endpoint.url);
    let failure: unknown;
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        const set = new KeySet(await download(url, state.endpoint.guarded));
        // A key that is unknown to the very first set may be asked for at once: it may be newer.
        if (state.set !== undefined) state.quietUntil = began + PAUSE;
        state.set = set;
        state.fetchedAt = began;
        state.failed = false;
        return;
      } catch (error) {
        failure = error;
      }
    }
    state.failed = true;
    state.quietUntil = began + PAUSE;
    // Not the whole address: there may be credentials in it.
    const fields = { endpoint: url.host + url.pathname, because: String(failure) };
    log.warn?.('token keys cannot be fetched', { ...fields, former_keys: state.set !== undefined });
  }
}

/** Puts an entry last, and lets the first ones go where there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
