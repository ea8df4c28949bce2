import { createServer, type Server, type Socket } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import { errorAnswer } from './backend-messages.ts';
import {
  cancelRequest,
  createMessageReader,
  type FrontendMessage,
  gssRequest,
  sqlOf,
  sslRequest,
} from './frontend-messages.ts';
import { createSession } from './session.ts';

const listenPattern = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*listen\s+(?:"([^"]+)"|(\w+))/i;
const copyPattern = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*copy\s[\s\S]*\sfrom\s+stdin/i;
// These end an exchange: Query, Sync, FunctionCall; Flush asks for an answer in the middle of one.
const endsExchange = new Set(['Q', 'S', 'F', 'H', 'startup']);
// Nobody else can do anything while one client sits in a transaction.
const idleInTransactionMs = 60_000;

/**
 * Serves one PGlite over the PostgreSQL wire protocol to any number of clients, with LISTEN/NOTIFY between them. Not
 * supported: COPY FROM STDIN (refused), cancel requests (ignored), settings at startup (ignored).
 */
export function createWireServer(db: PGlite): Server {
  const session = createSession(db);
  const listeners = new Map<string, Set<Socket>>();

  function rememberListener(socket: Socket, messages: readonly FrontendMessage[]): void {
    for (const message of messages) {
      const match = listenPattern.exec(sqlOf(message) ?? '');
      if (!match) continue;
      const channel = match[1] ?? (match[2] as string).toLowerCase();
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(socket));
    }
  }

  return createServer((socket) => {
    const reader = createMessageReader();
    let exchange: FrontendMessage[] = [];
    let turn: Promise<void> = Promise.resolve();
    socket.setNoDelay(true);

    async function answer(messages: FrontendMessage[]): Promise<void> {
      if (messages.some((message) => copyPattern.test(sqlOf(message) ?? ''))) {
        socket.write(errorAnswer('0A000', 'COPY FROM STDIN is not available in the embedded Postgres'));
        return;
      }
      socket.setTimeout(0);
      const holds = messages.at(-1)?.type === 'H';
      const result = await session.run(
        socket,
        messages.map((message) => message.bytes),
        holds,
      );
      rememberListener(socket, messages);
      for (const { channel, bytes } of result.notifications) {
        for (const listener of listeners.get(channel) ?? []) listener.write(bytes);
      }
      if (result.status === 'T' || result.status === 'E') socket.setTimeout(idleInTransactionMs);
      socket.write(result.bytes);
    }

    function take(message: FrontendMessage): void {
      if (message.type === 'startup') {
        const code = message.bytes.readInt32BE(4);
        if (code === sslRequest || code === gssRequest) return void socket.write('N');
        if (code === cancelRequest) return void socket.end();
      }
      if (message.type === 'X') return void socket.end();
      exchange.push(message);
      if (!endsExchange.has(message.type)) return;
      const messages = exchange;
      exchange = [];
      turn = turn.then(() => answer(messages)).catch((error: Error) => void socket.destroy(error));
    }

    socket.on('data', (data) => {
      try {
        for (const message of reader.push(data)) take(message);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const sockets of listeners.values()) sockets.delete(socket);
      void session.leave(socket);
    });
  });
}
