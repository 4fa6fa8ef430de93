import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** The line between a browser and the product: it may be slow, and it may break. */
export class Line {
  /** How long each byte is on its way, in each direction. */
  delayMs = 0;
  private readonly open = new Set<Socket>();
  private server!: Server;

  private constructor(private readonly port: () => number) {}

  /** `port` is asked anew for each connection: the product may have been started again. */
  static async to(port: () => number): Promise<Line> {
    const line = new Line(port);
    line.server = createServer((near) => line.join(near));
    await new Promise<void>((ready) => line.server.listen(0, '127.0.0.1', ready));
    return line;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private join(near: Socket): void {
    const far = connect(this.port(), '127.0.0.1');
    this.carry(near, far);
    this.carry(far, near);
  }

  private carry(from: Socket, to: Socket): void {
    this.open.add(from);
    from.setNoDelay(true);
    // One after the other: a line that became faster does not let later bytes overtake.
    let last = Promise.resolve();
    const later = (act: () => void) => {
      const { delayMs } = this;
      const due = new Promise<void>((done) => setTimeout(done, delayMs));
      last = last.then(() => due).then(act);
    };
    from.on('data', (bytes) => later(() => to.write(bytes)));
    from.on('end', () => later(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.open.delete(from);
      later(() => to.destroy());
    });
  }

  /** Breaks what is open. What was on its way is lost. */
  cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((done) => this.server.close(done));
  }
}
