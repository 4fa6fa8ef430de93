import { beforeEach, describe, expect, it } from 'vitest';
import { FakeWorld } from '../mocks/fake-socket';
import type { ServerFrame } from './protocol';
import { Socket } from './socket';

let world: FakeWorld;
let socket: Socket;
let ready: number;
let frames: ServerFrame[];

beforeEach(() => {
  world = new FakeWorld();
  ready = 0;
  frames = [];
  socket = new Socket(world, {
    onReady: () => {
      ready += 1;
    },
    onFrame: (frame) => frames.push(frame),
  });
  socket.start();
});

const phase = () => socket.state.get().phase;
const hello = () => world.last.say({ type: 'hello', protocol: 1, heartbeat_seconds: 25 });
const goLive = () => {
  hello();
  socket.caughtUp();
};
const retryAt = () => {
  const state = socket.state.get();
  return state.phase === 'offline' ? state.retryAt : undefined;
};

/** Lets exactly the time of waiting pass. */
const reopen = () => world.pass((retryAt() ?? 0) - world.now());

describe('the connection', () => {
  it('is live only after hello and after everything missed has arrived', () => {
    expect(phase()).toBe('connecting');
    socket.caughtUp();
    expect(phase()).toBe('connecting');
    hello();
    expect(phase()).toBe('recovering');
    expect(ready).toBe(1);
    socket.caughtUp();
    expect(phase()).toBe('live');
  });

  it('hands frames over and keeps heartbeats and rubbish to itself', () => {
    goLive();
    world.last.say({ type: 'heartbeat' });
    world.last.sayRaw('not json');
    world.last.sayRaw('[]');
    world.last.say({ type: 'error', code: 'x', detail: '' });
    expect(frames).toEqual([{ type: 'error', code: 'x', detail: '' }]);
  });

  it.each([1000, 1001, 1006, 4000, 4001, 4002, 4003])('comes back after code %i', (code) => {
    goLive();
    world.last.shut(code);
    expect(phase()).toBe('offline');
    reopen();
    expect(world.opened).toBe(2);
    expect(phase()).toBe('connecting');
  });

  it.each([
    [4100, 'signed_out'],
    [4101, 'bad_frame'],
    [4102, 'forbidden'],
    [4103, 'too_many_watches'],
  ])('stops for good after code %i', (code, reason) => {
    goLive();
    world.last.shut(code);
    world.pass(600_000);
    expect(socket.state.get()).toEqual({ phase: 'stopped', reason });
    expect(world.opened).toBe(1);
  });

  it('waits longer each time, with jitter, up to half a minute', () => {
    const waits: number[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) {
      world.chance = attempt % 2;
      world.last.shut(1006);
      waits.push((retryAt() ?? 0) - world.now());
      reopen();
    }
    expect(waits[0]).toBe(250);
    expect(waits[1]).toBe(1000);
    expect(waits[2]).toBe(1000);
    expect(Math.max(...waits)).toBe(30_000);
    expect(waits[8]).toBe(15_000);
  });

  it('does not hurry back to a server that drops it right away', () => {
    for (let attempt = 0; attempt < 6; attempt += 1) {
      goLive();
      world.last.shut(4003);
      reopen();
    }
    goLive();
    world.last.shut(4003);
    expect((retryAt() ?? 0) - world.now()).toBeGreaterThan(10_000);
    reopen();
    goLive();
    world.pass(11_000);
    world.last.shut(4000);
    expect((retryAt() ?? 0) - world.now()).toBeLessThanOrEqual(500);
  });

  it('tries at once when asked to, and when the network is back', () => {
    goLive();
    world.last.shut(1006);
    socket.retryNow();
    expect(phase()).toBe('connecting');
    world.last.shut(1006);
    socket.networkChanged(true);
    expect(world.opened).toBe(3);
  });

  it('does not ask a network that is not there', () => {
    goLive();
    world.online = false;
    socket.networkChanged(false);
    expect(socket.state.get()).toMatchObject({ phase: 'offline', retryAt: null });
    world.pass(600_000);
    expect(world.opened).toBe(1);
    world.online = true;
    socket.networkChanged(true);
    expect(phase()).toBe('connecting');
  });

  it('sends heartbeats and gives up a line that has gone silent', () => {
    goLive();
    world.pass(25_000);
    expect(world.last.sent).toContainEqual({ type: 'heartbeat' });
    world.last.say({ type: 'heartbeat' });
    world.pass(50_000);
    expect(phase()).toBe('live');
    world.pass(25_000);
    expect(phase()).not.toBe('live');
    expect(world.sockets[0]?.closedWith).toBe(4002);
  });

  it('gives up a line that never says hello', () => {
    world.pass(15_000);
    expect(world.sockets[0]?.closedWith).toBe(4002);
    expect(phase()).toBe('offline');
  });

  it('notices after a sleep that the line is dead', () => {
    goLive();
    world.time += 3_600_000;
    socket.woken();
    expect(phase()).toBe('offline');
  });

  it('ignores what a socket says that was given up', () => {
    goLive();
    const old = world.last;
    socket.networkChanged(false);
    old.say({ type: 'error', code: 'late', detail: '' });
    old.shut(4100);
    expect(frames).toEqual([]);
    expect(phase()).toBe('offline');
  });

  it('remembers since when there is trouble, through all tries', () => {
    goLive();
    world.pass(5_000);
    const lost = world.now();
    world.last.shut(1006);
    world.pass(2_000);
    world.last.shut(1006);
    expect(socket.state.get()).toMatchObject({ since: lost });
  });

  it('refuses to send while nobody listens', () => {
    expect(socket.send({ type: 'heartbeat' })).toBe(false);
    goLive();
    expect(socket.send({ type: 'typing', company_id: 1, conversation_id: 2 })).toBe(true);
  });
});
