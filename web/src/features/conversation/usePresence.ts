import { useCallback, useEffect, useRef } from 'react';
import type { Socket } from '../../realtime/socket';

const LOOKING_EVERY_MS = 30_000;
const TYPING_EVERY_MS = 3_000;

/** Tells colleagues that this conversation is open here, and when an answer is being written. */
export function usePresence(socket: Socket, company: number, conversation: number): () => void {
  const lastTyping = useRef(0);

  useEffect(() => {
    const tell = () => {
      if (document.visibilityState === 'visible') {
        socket.send({ type: 'looking_at', company_id: company, conversation_id: conversation });
      }
    };
    tell();
    const stop = socket.state.subscribe(() => {
      if (socket.state.get().phase === 'live') tell();
    });
    const timer = setInterval(tell, LOOKING_EVERY_MS);
    document.addEventListener('visibilitychange', tell);
    return () => {
      stop();
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tell);
      socket.send({ type: 'looking_at', company_id: company, conversation_id: null });
    };
  }, [socket, company, conversation]);

  return useCallback(() => {
    const now = Date.now();
    if (now - lastTyping.current < TYPING_EVERY_MS) return;
    lastTyping.current = now;
    socket.send({ type: 'typing', company_id: company, conversation_id: conversation });
  }, [socket, company, conversation]);
}
