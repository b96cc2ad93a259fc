import type { NodeInfo, SurveyResult } from '@gyre/broker';
import type { Logger } from '../logger.ts';

/** Answers in a row that a node has to be absent from until it is gone: after an outage not all come back at once. */
const ABSENT = 2;

interface Peer {
  readonly name: string;
  /** Answers in a row that it was absent from. */
  absent: number;
}

/** Knows the other nodes, and tells the log of those that come and go. */
export class Peers {
  readonly #uid: string;
  readonly #log: Logger;
  readonly #peers = new Map<string, Peer>();

  /** @param uid of this node */
  constructor(uid: string, log: Logger) {
    this.#uid = uid;
    this.#log = log;
  }

  /** Takes in who lives. A node that lives and did not answer is known by its name only. */
  seen({ answers, missingNodes }: Pick<SurveyResult<'info'>, 'missingNodes'> & Answers): void {
    const answered = new Map(answers.map(({ uid, name }) => [uid, name]));
    answered.delete(this.#uid);
    for (const [uid, name] of answered) {
      const peer = this.#peers.get(uid);
      if (peer === undefined) this.#log.info?.('a node joined', { node: name, uid });
      this.#peers.set(uid, { name, absent: 0 });
    }
    for (const [uid, peer] of this.#peers) {
      if (answered.has(uid) || missingNodes.includes(peer.name)) continue;
      if (++peer.absent < ABSENT) continue;
      this.#peers.delete(uid);
      this.#log.info?.('a node is gone', { node: peer.name, uid });
    }
  }
}

interface Answers {
  readonly answers: readonly Pick<NodeInfo, 'uid' | 'name'>[];
}
