import { tellSignedOut } from '../api/client';
import type { StreamPosition } from '../api/types';
import { serverHas } from '../state/version';
import type { Workspace } from '../state/workspace';
import type { ServerFrame } from './protocol';
import { Socket, type SocketWorld } from './socket';

/**
 * Keeps one workspace in step with the log: watches from its position, hands it the frames, and sends it
 * back to a full load when the server cannot continue. Knows when all that was missed has arrived.
 */

const RELOAD_AGAIN_MS = 3_000;

export class Sync {
  readonly socket: Socket;
  /** The offset that has to be reached before the connection counts as live. */
  private target: number | null = null;
  private watching = false;
  private reloads = 0;

  constructor(
    private readonly workspace: Workspace,
    private readonly world: SocketWorld,
  ) {
    this.socket = new Socket(world, {
      onReady: (build) => {
        serverHas(build);
        this.watch();
      },
      onFrame: (frame) => this.take(frame),
    });
    workspace.onPositioned = () => this.watch();
  }

  start(): void {
    this.socket.start();
  }

  stop(): void {
    this.workspace.onPositioned = null;
    this.socket.stop();
  }

  private watch(): void {
    this.watching = false;
    if (this.workspace.position === null) return;
    this.socket.send({
      type: 'watch',
      company_id: this.workspace.company.id,
      position: this.workspace.position,
    });
  }

  private take(frame: ServerFrame): void {
    const { workspace } = this;
    if ('company_id' in frame && frame.company_id !== workspace.company.id) return;
    switch (frame.type) {
      case 'watching':
        this.watching = true;
        // Continuing is no use while the last full load is not complete.
        if (frame.recovered && !workspace.isIncomplete) {
          this.target = frame.end;
          this.settle();
        } else {
          this.target = null;
          void this.reload(frame.position);
        }
        break;
      case 'events':
        workspace.absorbEvents(frame.position, frame.events);
        this.settle();
        break;
      case 'ephemeral':
        workspace.absorbEphemeral(frame.ephemeral);
        break;
      case 'error':
        if (frame.code === 'unauthenticated') tellSignedOut();
        break;
      default:
        break;
    }
  }

  private settle(): void {
    if (this.target === null || !this.watching) return;
    if ((this.workspace.position?.offset ?? -1) < this.target) return;
    this.target = null;
    this.socket.caughtUp();
    this.workspace.outbox.flush();
    void this.workspace.drafts.sync();
  }

  private async reload(position: StreamPosition): Promise<void> {
    this.reloads += 1;
    const run = this.reloads;
    const { workspace, world, socket } = this;
    socket.recovering();
    try {
      await workspace.reload(position);
      if (run === this.reloads) socket.caughtUp();
    } catch {
      if (run !== this.reloads) return;
      world.setTimer(() => {
        const again = run === this.reloads && socket.state.get().phase === 'recovering';
        if (again) void this.reload(workspace.position ?? position);
      }, RELOAD_AGAIN_MS);
    }
  }
}
