import type { HistoryOptions, PublishOptions, SubscriptionGrant } from '@gyre/broker';
import type { ChannelOptions, ChannelSection, DataFormat } from './options.ts';
import { compilePattern, type Pattern } from '../regex.ts';

/** What a subscriber asked for and may have. */
export interface Asked {
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly joinLeave: boolean;
  readonly delta: boolean;
}

/** What a backend changes of the channel's options for one subscription; what is absent stays. */
export interface Override {
  readonly presence?: boolean;
  readonly joinLeave?: boolean;
  readonly forcePushJoinLeave?: boolean;
  readonly forcePositioning?: boolean;
  readonly forceRecovery?: boolean;
}

const nothingAsked: Asked = { positioned: false, recoverable: false, joinLeave: false, delta: false };

/** The options of a namespace, made ready once so that nothing has to be worked out for each command. */
export class Namespace {
  readonly options: ChannelOptions;
  /** The channels are streams, the only kind that is served. */
  readonly streams: boolean;
  /** Undefined where publications are not kept. */
  readonly history: HistoryOptions | undefined;
  readonly format: DataFormat;
  /** How publications go into the channels. */
  readonly publishOptions: PublishOptions & { readonly delta: boolean };
  /** The same with the format, as the server API asks for it. */
  readonly publishRule: PublishOptions & { readonly delta: boolean; readonly format: DataFormat };
  /** What names have to match after the namespace. */
  readonly pattern: Pattern | undefined;
  /** Grants made so far, by what was asked: subscriptions share them. */
  readonly #grants: (SubscriptionGrant | undefined)[] = [];

  /**
   * @param path where the options stand in the configuration, for error messages
   * @throws Error where `channel_regex` is not a pattern
   */
  constructor(path: string, options: ChannelOptions, section: ChannelSection) {
    this.options = options;
    this.streams = options.subscription_type === '' || options.subscription_type === 'stream';
    this.history = historyOf(options, section);
    this.format = options.publication_data_format || section.publication_data_format;
    this.publishOptions = Object.freeze({
      delta: options.delta_publish,
      ...(this.history === undefined ? {} : { history: this.history }),
    });
    this.publishRule = Object.freeze({ ...this.publishOptions, format: this.format });
    this.pattern = options.channel_regex === '' ? undefined : patternAt(path, options.channel_regex);
  }

  /**
   * What a subscription may do, without `chanInfo`, `data` and `expireAt`. Without an override the same object is given
   * to all who asked for the same.
   */
  grant(asked: Asked = nothingAsked, override?: Override): SubscriptionGrant {
    if (override !== undefined) return this.#makeGrant(asked, override);
    const key =
      (asked.positioned ? 1 : 0) |
      (asked.recoverable ? 2 : 0) |
      (asked.joinLeave ? 4 : 0) |
      (asked.delta ? 8 : 0);
    return (this.#grants[key] ??= Object.freeze(this.#makeGrant(asked, {})));
  }

  #makeGrant(asked: Asked, override: Override): SubscriptionGrant {
    const { options, history } = this;
    const kept = history !== undefined;
    const recoverable = kept && (asked.recoverable || (override.forceRecovery ?? options.force_recovery));
    const positioned =
      recoverable || (kept && (asked.positioned || (override.forcePositioning ?? options.force_positioning)));
    const cache = options.force_recovery_mode === 'cache';
    return {
      presence: override.presence ?? options.presence,
      joinLeave: override.joinLeave ?? options.join_leave,
      pushJoinLeave: asked.joinLeave || (override.forcePushJoinLeave ?? options.force_push_join_leave),
      positioned,
      recoverable,
      recoveryMode: cache ? 'cache' : 'stream',
      autoCacheRecover: recoverable && cache && options.auto_cache_recover,
      ...(kept ? { history } : {}),
      ...(asked.delta ? { delta: 'fossil' as const } : {}),
    };
  }
}

function historyOf(options: ChannelOptions, section: ChannelSection): HistoryOptions | undefined {
  if (options.history_size <= 0 || options.history_ttl <= 0) return undefined;
  return Object.freeze({
    size: options.history_size,
    ttlMs: options.history_ttl,
    metaTtlMs: options.history_meta_ttl || section.history_meta_ttl,
  });
}

function patternAt(path: string, pattern: string): Pattern {
  try {
    return compilePattern(pattern);
  } catch (cause) {
    throw new Error(`${path}.channel_regex: ${(cause as Error).message}`, { cause });
  }
}
