/** The simulated Telegram, over its control interface: bots, clients, what was sent, and faults. */

export const BOT = { id: 100_001, token: '100001:SIMULATOR-BOT-TOKEN-000000000000001' };

export interface SentMessage {
  message_id: number;
  text?: string;
  caption?: string;
  [field: string]: unknown;
}

export class Telegram {
  constructor(readonly url: string) {}

  async client(firstName: string, lastName: string): Promise<Client> {
    const { id } = await this.call<{ id: number }>('POST', '/clients', {
      first_name: firstName,
      last_name: lastName,
    });
    const client = new Client(this, id);
    await this.call('POST', `/bots/${BOT.id}/clients/${id}/start`);
    return client;
  }

  /** What happens to the next calls of a method. */
  fault(subject: string, times: number, fault: Record<string, unknown>): Promise<unknown> {
    return this.call('POST', '/faults', { subjects: [subject], times, ...fault });
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/control/telegram${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
}

export class Client {
  constructor(
    private readonly telegram: Telegram,
    readonly id: number,
  ) {}

  async writes(text: string): Promise<number> {
    return this.sends({ kind: 'text', text, entities: [] });
  }

  async sends(content: Record<string, unknown>): Promise<number> {
    const { message_id } = await this.telegram.call<{ message_id: number }>(
      'POST',
      `/bots/${BOT.id}/clients/${this.id}/messages`,
      content,
    );
    return message_id;
  }

  /** What the bot has sent to this client, oldest first. */
  received(): Promise<SentMessage[]> {
    return this.telegram.call('GET', `/bots/${BOT.id}/chats/${this.id}/messages`);
  }

  async texts(): Promise<string[]> {
    const messages = await this.received();
    return messages.map((message) => message.text ?? message.caption ?? '');
  }

  blocks(): Promise<unknown> {
    return this.telegram.call('POST', `/bots/${BOT.id}/clients/${this.id}/block`);
  }
}
