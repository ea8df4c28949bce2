import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

// As Node answers by itself, where nobody listens.
const statuses: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

// Time for a sender that is still sending to read the answer before the connection is cut.
const lingerMs = 1_000;

/**
 * Answers what is no HTTP, or does not arrive in time, and throws the rest of it away for a moment. Node closes the connection at once, and
 * whoever is still sending then gets a reset in place of the answer.
 */
export function answerBrokenRequests(server: Server): void {
  const answered = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (answered.has(socket)) return;
    // Node's own field: the response under way, of which a part may be sent already.
    const { _httpMessage: response } = socket as { _httpMessage?: { headersSent: boolean } };
    if (error.code === 'ECONNRESET' || !socket.writable || response?.headersSent) {
      socket.destroy();
      return;
    }
    answered.add(socket);
    const status = statuses[error.code ?? ''] ?? '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.removeAllListeners('data');
    socket.resume();
    const cut = setTimeout(() => socket.destroy(), lingerMs).unref();
    socket.once('end', () => socket.destroy());
    socket.once('close', () => clearTimeout(cut));
  });
}
