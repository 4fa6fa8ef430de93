import type { ClientFrame } from '../realtime/protocol';
import type { SocketLike, SocketWorld } from '../realtime/socket';

/** A server's side of a socket, and a world where time passes when a test says so. */

export class FakeSocket implements SocketLike {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: ClientFrame[] = [];
  closedWith: number | null = null;

  send(data: string): void {
    this.sent.push(JSON.parse(data) as ClientFrame);
  }

  close(code?: number): void {
    this.closedWith = code ?? 1005;
  }

  say(frame: unknown): void {
    this.sayRaw(JSON.stringify(frame));
  }

  sayRaw(data: unknown): void {
    this.onmessage?.({ data });
  }

  shut(code: number): void {
    this.onclose?.({ code });
  }
}

export class FakeWorld implements SocketWorld {
  readonly sockets: FakeSocket[] = [];
  time = 1_000_000;
  chance = 0;
  online = true;
  private timers: { id: number; at: number; run: () => void }[] = [];
  private nextTimer = 1;

  get last(): FakeSocket {
    const socket = this.sockets[this.sockets.length - 1];
    if (!socket) throw new Error('nothing was opened');
    return socket;
  }

  get opened(): number {
    return this.sockets.length;
  }

  open(): SocketLike {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }

  now = () => this.time;
  random = () => this.chance;
  isOnline = () => this.online;

  setTimer = (run: () => void, ms: number): number => {
    const id = this.nextTimer++;
    this.timers.push({ id, at: this.time + ms, run });
    return id;
  };

  clearTimer = (id: number): void => {
    this.timers = this.timers.filter((timer) => timer.id !== id);
  };

  /** Lets time pass, in steps from timer to timer. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.clearTimer(next.id);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }
}
