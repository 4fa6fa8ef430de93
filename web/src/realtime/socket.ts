import { createStore, type Store } from '../state/store';
import { CLOSE_HEARTBEAT_LOST, type ClientFrame, parseFrame, type ServerFrame, stopReason } from './protocol';

/**
 * The realtime connection as a state machine. It opens, notices silence, waits and comes back; what the
 * frames mean is not its business. `recovering` lasts until whoever listens says it has caught up.
 *
 *   connecting -> recovering -> live
 *        ^------ offline <--------'      any -> stopped (the close code says that coming back is pointless)
 */
export type ConnectionState =
  | { phase: 'connecting'; since: number }
  | { phase: 'recovering'; since: number }
  | { phase: 'live' }
  | { phase: 'offline'; since: number; retryAt: number | null }
  | { phase: 'stopped'; reason: string };

export interface SocketLike {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

/** What the machine needs of the world, so that tests decide time, chance and the wire. */
export interface SocketWorld {
  open(): SocketLike;
  now(): number;
  random(): number;
  setTimer(run: () => void, ms: number): number;
  clearTimer(timer: number): void;
  isOnline(): boolean;
}

export interface SocketListener {
  /** The server is ready for frames: ask for what is watched. */
  onReady(build?: string | null): void;
  onFrame(frame: ServerFrame): void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const SILENCE_LIMIT_MS = 60_000;
const OPENING_LIMIT_MS = 15_000;
/** A connection that lived shorter than this did not prove that the trouble is over. */
const STEADY_MS = 10_000;

export class Socket {
  readonly state: Store<ConnectionState>;
  private socket: SocketLike | null = null;
  private attempts = 0;
  private lastHeard = 0;
  private liveSince = 0;
  private heartbeatMs = 25_000;
  private retryTimer: number | null = null;
  private pulseTimer: number | null = null;

  constructor(
    private readonly world: SocketWorld,
    private readonly listener: SocketListener,
  ) {
    this.state = createStore<ConnectionState>({ phase: 'connecting', since: world.now() });
  }

  start(): void {
    this.connect();
  }

  /** Ends for good; nothing reconnects after it. */
  stop(reason = 'closed'): void {
    this.drop(1000);
    this.clearTimers();
    this.state.set({ phase: 'stopped', reason });
  }

  send(frame: ClientFrame): boolean {
    const { phase } = this.state.get();
    if (!this.socket || (phase !== 'live' && phase !== 'recovering')) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Whoever listens has everything the server had to tell. */
  caughtUp(): void {
    if (this.state.get().phase !== 'recovering') return;
    this.liveSince = this.world.now();
    this.state.set({ phase: 'live' });
  }

  /** A new recovery within the same connection: what is held is not to be trusted until caught up. */
  recovering(): void {
    if (this.state.get().phase === 'live') this.state.set({ phase: 'recovering', since: this.world.now() });
  }

  retryNow(): void {
    if (this.state.get().phase !== 'offline') return;
    this.connect();
  }

  /** The browser reports that a network came or went. */
  networkChanged(online: boolean): void {
    const { phase } = this.state.get();
    if (phase === 'stopped') return;
    if (online) {
      this.attempts = 0;
      if (phase === 'offline') this.connect();
    } else if (phase !== 'offline') {
      this.drop(1000);
      this.wait();
    }
  }

  /** The page was asleep: timers stood still, the other side may be long gone. */
  woken(): void {
    const { phase } = this.state.get();
    if (phase === 'offline') this.connect();
    else if (phase === 'live' || phase === 'recovering') this.pulse();
  }

  private connect(): void {
    this.clearTimers();
    const since = this.troubleSince();
    const socket = this.world.open();
    this.socket = socket;
    this.state.set({ phase: 'connecting', since });
    this.lastHeard = this.world.now();
    this.retryTimer = this.world.setTimer(() => this.lose(), OPENING_LIMIT_MS);
    socket.onmessage = ({ data }) => {
      if (this.socket === socket) this.receive(data);
    };
    socket.onclose = ({ code }) => {
      if (this.socket === socket) this.closed(code);
    };
  }

  private receive(data: unknown): void {
    this.lastHeard = this.world.now();
    const frame = parseFrame(data);
    if (!frame) return;
    if (frame.type === 'hello') {
      this.heartbeatMs = frame.heartbeat_seconds * 1000;
      this.clearTimers();
      this.state.set({ phase: 'recovering', since: this.troubleSince() });
      this.schedulePulse();
      this.listener.onReady(frame.build);
      return;
    }
    if (frame.type !== 'heartbeat') this.listener.onFrame(frame);
  }

  private pulse(): void {
    if (this.world.now() - this.lastHeard >= SILENCE_LIMIT_MS) {
      this.lose();
      return;
    }
    this.send({ type: 'heartbeat' });
    this.schedulePulse();
  }

  private schedulePulse(): void {
    if (this.pulseTimer !== null) this.world.clearTimer(this.pulseTimer);
    this.pulseTimer = this.world.setTimer(() => this.pulse(), this.heartbeatMs);
  }

  private lose(): void {
    this.drop(CLOSE_HEARTBEAT_LOST);
    this.wait();
  }

  private closed(code: number): void {
    this.socket = null;
    this.clearTimers();
    const reason = stopReason(code);
    if (reason) this.state.set({ phase: 'stopped', reason });
    else this.wait();
  }

  private wait(): void {
    const now = this.world.now();
    if (this.state.get().phase === 'live' && now - this.liveSince >= STEADY_MS) this.attempts = 0;
    const since = this.troubleSince();
    this.clearTimers();
    if (!this.world.isOnline()) {
      // The browser will say when there is a network again; asking before is in vain.
      this.state.set({ phase: 'offline', since, retryAt: null });
      return;
    }
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempts);
    const delay = ceiling * (0.5 + this.world.random() / 2);
    this.attempts += 1;
    this.state.set({ phase: 'offline', since, retryAt: now + delay });
    this.retryTimer = this.world.setTimer(() => this.connect(), delay);
  }

  /** Since when there has been no live connection. */
  private troubleSince(): number {
    const state = this.state.get();
    return 'since' in state ? state.since : this.world.now();
  }

  private drop(code: number): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    try {
      // 4002 is the server's to say; a browser may close with 1000 or 3000-4999 only.
      socket.close(code);
    } catch {
      // It was not open yet; it closes by itself.
    }
  }

  private clearTimers(): void {
    if (this.retryTimer !== null) this.world.clearTimer(this.retryTimer);
    if (this.pulseTimer !== null) this.world.clearTimer(this.pulseTimer);
    this.retryTimer = null;
    this.pulseTimer = null;
  }
}

/** The world of a real browser. */
export const browserWorld: SocketWorld = {
  open() {
    const url = new URL('/api/v1/realtime', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url) as SocketLike;
  },
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer: (run, ms) => window.setTimeout(run, ms),
  clearTimer: (timer) => window.clearTimeout(timer),
  isOnline: () => navigator.onLine,
};
