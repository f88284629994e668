import type { UploadUrlAnswer } from './generated/index.js';

/** 128 random bits. Unlike `randomUUID` there also without TLS. */
export function random(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Waits so many milliseconds. */
export function pause(milliseconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Milliseconds that the server asks to wait; 0 if it does not (RFC 9110 section 10.2.3). */
export function retryAfter(response: Response): number {
  const value = response.headers.get('Retry-After');
  if (!value) return 0;
  const seconds = Number(value);
  const wait = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isNaN(wait) ? 0 : Math.max(wait, 0);
}

/** Sends a file's bytes where the grant says, and reports how many have gone. */
export function put(
  grant: UploadUrlAnswer,
  file: Blob,
  report: (loaded: number) => void,
  signal?: AbortSignal,
): Promise<Response> {
  return typeof XMLHttpRequest === 'undefined' ? putStream(grant, file, report, signal) : putXhr(grant, file, report, signal);
}

async function putStream(
  { uploadUrl, method, headers }: UploadUrlAnswer,
  file: Blob,
  report: (loaded: number) => void,
  signal?: AbortSignal,
): Promise<Response> {
  let loaded = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      report(loaded);
      controller.enqueue(chunk);
    },
  });
  const body = file.stream().pipeThrough(counted);
  // A stream as a body has to say so (https://fetch.spec.whatwg.org/#dom-requestinit-duplex).
  const init: RequestInit & { duplex: 'half' } = { method, headers, body, signal: signal ?? null, duplex: 'half' };
  return fetch(uploadUrl, init);
}

/** In browsers: only XMLHttpRequest tells how far an upload is. */
function putXhr(
  { uploadUrl, method, headers }: UploadUrlAnswer,
  file: Blob,
  report: (loaded: number) => void,
  signal?: AbortSignal,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(method, uploadUrl);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => report(loaded);
    request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
    request.onerror = () => reject(new TypeError('The upload broke off.'));
    request.onabort = () => reject(signal?.reason);
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}
