import { createClient, createConfig } from './generated/client/index.js';
import {
  type FileStatus,
  type FileView,
  Operations,
  type Problem,
  type SessionView,
  type UploadUrlAnswer,
} from './generated/index.js';
import { keyed } from './generated/keyed.gen.js';
import { pause, put, random, retryAfter } from './transport.js';

export * from './generated/index.js';

export interface EyeMotionOptions {
  /** Where the API is, with its prefix: `https://api.example.com/api/v1`. */
  baseUrl: string;
  /** A session kept from before. */
  session?: SessionView | null;
  /** Told whenever the session changes, so that it can be kept. */
  onSession?: (session: SessionView | null) => void;
  /** How often a request is repeated that may be; 2. */
  retries?: number;
  fetch?: (request: Request) => Promise<Response>;
}

export interface UploadOptions {
  projectId: string;
  /** The file's own name, unless it has none. */
  fileName?: string;
  /** MIME type; the file's own, unless it has none. */
  fileType?: string;
  /** SHA-256 of the content, 64 hexadecimal digits; then anything else is refused. */
  sha256?: string;
  /** Bytes while uploading, percent while processing. */
  onProgress?: (progress: { phase: 'uploading' | 'processing'; loaded: number; total: number }) => void;
  signal?: AbortSignal;
}

/**
 * What went wrong: a problem of the server's, or, with the code `network_error`, `aborted` or `unknown`,
 * one on the way to it.
 */
export class EyeMotionError extends Error {
  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    Object.assign(this, problem);
    this.name = 'EyeMotionError';
  }
}
export interface EyeMotionError extends Problem {}

/** Operations that may be repeated although they are a POST without a key. */
const repeatable = new Set(['POST /auth/refresh', 'POST /files/{id}/confirm']);
const settled: ReadonlySet<FileStatus> = new Set(['ready', 'failed', 'rejected', 'quarantined', 'expired', 'trashed']);
const BASE_DELAY = 250;
const LONGEST_WAIT = 30_000;

/** The API for one person: every operation as a method that returns `{ data, error, response }`. */
export class EyeMotion extends Operations {
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #onSession: (session: SessionView | null) => void;
  readonly #retries: number;
  readonly #repeatable = new WeakSet<Request>();
  #session: SessionView | null;
  #renewal: Promise<SessionView | null> | undefined;

  constructor(options: EyeMotionOptions) {
    const client = createClient(createConfig({ baseUrl: options.baseUrl.replace(/\/+$/, '') }));
    super({ client });
    this.#fetch = options.fetch ?? ((request) => globalThis.fetch(request));
    this.#onSession = options.onSession ?? (() => {});
    this.#retries = options.retries ?? 2;
    this.#session = options.session ?? null;
    client.setConfig({
      auth: () => this.#session?.accessToken,
      fetch: (request) => this.#send(request as Request),
    });
    client.interceptors.request.use((request, { url }) => this.#prepare(request, url));
    client.interceptors.response.use((response, _, { url }) => this.#observe(response, url));
    client.interceptors.error.use((error, response) => asError(error, response));
  }

  /** Who is signed in; null: nobody. */
  get session(): SessionView | null {
    return this.#session;
  }

  /** Every item of a list, page after page: `each((cursor) => api.listProjects({ query: { cursor } }))`. */
  async *each<Page extends { nextCursor?: string | null }>(
    list: (cursor: string | undefined) => Promise<{ data?: Page; error?: unknown }>,
  ): AsyncGenerator<Extract<Page[keyof Page], readonly unknown[]>[number]> {
    let cursor: string | undefined;
    do {
      const { data, error } = await list(cursor);
      if (!data) throw error;
      yield* (Object.values(data) as unknown[]).find(Array.isArray) ?? [];
      cursor = data.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** Uploads a file, takes it into its project and waits until it is processed. */
  async upload(
    file: Blob,
    options: UploadOptions,
  ): Promise<{ data: FileView; error?: undefined } | { data?: undefined; error: EyeMotionError }> {
    const { signal, projectId, sha256, onProgress } = options;
    try {
      const body = {
        projectId,
        sha256,
        fileName: options.fileName ?? (file as Partial<File>).name ?? '',
        fileSize: file.size,
        fileType: options.fileType ?? file.type,
      };
      const { data: grant } = await this.createUploadUrl({ body, signal, throwOnError: true });
      await this.#put(file, grant, options);
      const path = { id: grant.fileId };
      await this.confirmUpload({ path, signal, throwOnError: true });
      for (;;) {
        const { stream } = await this.watchFile({ path, signal, sseMaxRetryAttempts: this.#retries + 1 });
        for await (const { progress } of stream) onProgress?.({ phase: 'processing', loaded: progress, total: 100 });
        const { data } = await this.getFile({ path, signal, throwOnError: true });
        if (settled.has(data.file.processingStatus)) return { data: data.file };
        // That server is stopping; another one goes on with it.
        await pause(1000, signal);
      }
    } catch (error) {
      return { error: asError(error) };
    }
  }

  async #put(file: Blob, grant: UploadUrlAnswer, { signal, onProgress }: UploadOptions): Promise<void> {
    const report = (loaded: number) => onProgress?.({ phase: 'uploading', loaded, total: file.size });
    const response = await this.#persist(true, signal, async () => {
      const answer = await put(grant, file, report, signal);
      // What was left of an attempt that broke off is given up a moment after it.
      if ((await problemOf(answer))?.code === 'upload_in_progress') throw new TypeError('still being uploaded');
      return answer;
    });
    if (!response.ok) throw asError(await problemOf(response), response);
  }

  #prepare(request: Request, path: string): Request {
    const operation = `${request.method} ${path}`;
    const { headers, method } = request;
    if (keyed.has(operation) && !headers.has('Idempotency-Key')) headers.set('Idempotency-Key', random());
    // Not DELETE: the second one deletes for good what the first put in the trash.
    const idempotent = method === 'GET' || (method === 'PUT' && !headers.has('If-Match'));
    if (idempotent || headers.has('Idempotency-Key') || repeatable.has(operation)) this.#repeatable.add(request);
    return request;
  }

  async #observe(response: Response, path: string): Promise<Response> {
    if (path.startsWith('/auth/') && response.ok) {
      const { session } = (await response.clone().json()) as { session?: SessionView };
      if (session?.refreshToken) this.#keep(session);
      else if (path === '/auth/signout') this.#keep(null);
    }
    return response;
  }

  #keep(session: SessionView | null): void {
    this.#session = session;
    this.#onSession(session);
  }

  /** Sends it; if the access token has expired, once more with a new one. */
  async #send(request: Request): Promise<Response> {
    const may = this.#repeatable.has(request);
    const attempt = (it: Request) => this.#persist(may, it.signal, (last) => this.#fetch(last ? it : it.clone()));
    const token = request.headers.get('Authorization')?.replace('Bearer ', '');
    if (!token) return attempt(request);
    const again = request.clone();
    const response = await attempt(request);
    if (response.status !== 401) return response;
    const code = (await problemOf(response))?.code;
    if (code === 'session_ended') this.#keep(null);
    const session = code === 'token_expired' ? await this.#renewed(token) : null;
    if (!session) return response;
    again.headers.set('Authorization', `Bearer ${session.accessToken}`);
    return attempt(again);
  }

  /** A session with another access token. However many requests want one, it is asked for once. */
  async #renewed(stale: string): Promise<SessionView | null> {
    if (this.#session?.accessToken !== stale) return this.#session;
    const body = { refreshToken: this.#session.refreshToken };
    this.#renewal ??= this.refreshSession({ body })
      .then(({ data, response }) => {
        if (response?.status === 401) this.#keep(null);
        return data?.session ?? null;
      })
      .finally(() => {
        this.#renewal = undefined;
      });
    return this.#renewal;
  }

  /** Repeats what fails on the way, with full jitter between the attempts. */
  async #persist(
    may: boolean,
    signal: AbortSignal | undefined,
    attempt: (last: boolean) => Promise<Response>,
  ): Promise<Response> {
    for (let count = 0; ; count++) {
      const last = count >= this.#retries;
      let wait = Math.random() * BASE_DELAY * 2 ** count;
      try {
        const response = await attempt(last);
        // Too many requests: it was not looked at, so that it may be repeated whatever it is.
        const retry = response.status === 429 || (may && [502, 503, 504].includes(response.status));
        wait = Math.max(wait, retryAfter(response));
        if (last || !retry || wait > LONGEST_WAIT) return response;
        await response.body?.cancel();
      } catch (error) {
        if (last || !may || signal?.aborted) throw error;
      }
      await pause(wait, signal);
    }
  }
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  if (response.ok) return undefined;
  return response.clone().json().catch(() => undefined);
}

function asError(error: unknown, response?: Response): EyeMotionError {
  if (error instanceof EyeMotionError) return error;
  if (typeof (error as Partial<Problem> | undefined)?.code === 'string') return new EyeMotionError(error as Problem);
  const cause = error instanceof Error ? error : undefined;
  const code = (response ? 'unknown' : cause?.name === 'AbortError' ? 'aborted' : 'network_error') as Problem['code'];
  const status = response?.status ?? 0;
  const detail = cause?.message || response?.statusText || 'The server cannot be reached.';
  return new EyeMotionError({ type: 'about:blank', title: code, status, detail, error: detail, code, requestId: '' }, { cause });
}
