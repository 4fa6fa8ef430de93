import type { Ephemeral, StreamEvent, StreamPosition } from '../api/types';

/** Frames of `GET /api/v1/realtime`, and what its close codes ask of us. */

export type ClientFrame =
  | { type: 'watch'; company_id: number; position: StreamPosition | null }
  | { type: 'unwatch'; company_id: number }
  | { type: 'typing'; company_id: number; conversation_id: number }
  | { type: 'looking_at'; company_id: number; conversation_id: number | null }
  | { type: 'heartbeat' };

export type ServerFrame =
  | { type: 'hello'; protocol: number; heartbeat_seconds: number; build?: string | null }
  | { type: 'watching'; company_id: number; recovered: boolean; position: StreamPosition; end: number }
  | { type: 'events'; company_id: number; position: StreamPosition; events: StreamEvent[] }
  | { type: 'ephemeral'; company_id: number; ephemeral: Ephemeral }
  | { type: 'heartbeat' }
  | { type: 'error'; code: string; detail: string };

export const CLOSE_HEARTBEAT_LOST = 4002;

/** Codes after which coming back is pointless; every other one means "reconnect". */
const STOP: Record<number, string> = {
  4100: 'signed_out',
  4101: 'bad_frame',
  4102: 'forbidden',
  4103: 'too_many_watches',
};

export const stopReason = (code: number): string | null => STOP[code] ?? null;

export function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === 'object' && frame !== null && 'type' in frame ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
