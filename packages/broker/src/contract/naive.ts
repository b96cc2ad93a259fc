import { clientError } from '@gyre/protocol';
import type { Publication, StreamPosition } from '@gyre/protocol';
import type { HistoryFilter, HistoryPage, NewPublication, PublishOptions, PublishResult } from '../broker.ts';
import { text } from './stage.ts';
import type { PublicationEvent } from './stage.ts';

interface NaiveStream {
  readonly epoch: string;
  top: number;
  publications: Publication[];
  historyEnd: number;
  metaEnd: number;
  version: number;
  versionEpoch: string;
}

/** What a broker does, said as plainly as it can be: for the random test to compare with. */
export class NaiveBroker {
  now = 0;
  readonly events: PublicationEvent[] = [];
  readonly subscribed = new Set<string>();
  readonly #streams = new Map<string, NaiveStream>();
  readonly #keys: {
    channel: string;
    key: string;
    data: string;
    position: StreamPosition | undefined;
    end: number;
  }[] = [];
  #made = 0;

  publish(channel: string, publication: NewPublication, options: PublishOptions): PublishResult {
    const { history, idempotencyKey, idempotencyTtlMs = 300_000, version = 0, versionEpoch = '' } = options;
    const data = text(publication.data);
    const known = this.#keys.find(
      (one) => one.channel === channel && one.key === idempotencyKey && one.end > this.now,
    );
    if (known !== undefined) {
      if (known.data !== data) throw clientError('badRequest');
      return { ...(known.position && { position: known.position }), suppressed: 'idempotency' };
    }
    let position: StreamPosition | undefined;
    let event: Publication = publication;
    if (history !== undefined) {
      const stream = this.#stream(channel, history.metaTtlMs);
      if (version > 0 && version <= stream.version && ['', stream.versionEpoch].includes(versionEpoch)) {
        return { position: { offset: stream.top, epoch: stream.epoch }, suppressed: 'version' };
      }
      if (version > 0) Object.assign(stream, { version, versionEpoch });
      position = { offset: ++stream.top, epoch: stream.epoch };
      const kept = { ...publication, offset: stream.top, ...(version > 0 && { version }) };
      stream.publications = [...stream.publications, kept].slice(-history.size);
      stream.historyEnd = this.now + history.ttlMs;
      event = stream.top === 1 ? { ...kept, epoch: stream.epoch } : kept;
    }
    if (idempotencyKey) {
      this.#keys.push({ channel, key: idempotencyKey, data, position, end: this.now + idempotencyTtlMs });
    }
    if (this.subscribed.has(channel)) {
      this.events.push({ channel, publication: event, position, delta: options.delta ?? false });
    }
    return { ...(position && { position }) };
  }

  history(channel: string, { limit, since, reverse }: HistoryFilter, metaTtlMs: number): HistoryPage {
    const stream = this.#stream(channel, metaTtlMs);
    if (since && since.epoch !== '' && since.epoch !== stream.epoch)
      throw clientError('unrecoverablePosition');
    const ordered = reverse ? stream.publications.toReversed() : stream.publications;
    const wanted = ordered.filter(({ offset = 0 }) => {
      if (since === undefined) return true;
      return reverse ? offset < since.offset : offset > since.offset;
    });
    const publications = limit < 0 ? wanted : wanted.slice(0, limit);
    return { publications, position: { offset: stream.top, epoch: stream.epoch } };
  }

  removeHistory(channel: string): void {
    const stream = this.#streams.get(channel);
    if (stream !== undefined) stream.publications = [];
  }

  #stream(channel: string, metaTtlMs: number): NaiveStream {
    let stream = this.#streams.get(channel);
    if (stream === undefined || stream.metaEnd <= this.now) {
      const epoch = `epoch ${++this.#made}`;
      stream = { epoch, top: 0, publications: [], historyEnd: 0, metaEnd: 0, version: 0, versionEpoch: '' };
      this.#streams.set(channel, stream);
    }
    if (stream.historyEnd <= this.now) stream.publications = [];
    stream.metaEnd = this.now + metaTtlMs;
    return stream;
  }
}
