// The SDK against the real server.
import { EyeMotion, EyeMotionError } from '@eyemotion/sdk';
import { retryAfter } from '../dist/transport.js';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { serve } from './server.mjs';

const { address, stop } = await serve();
after(stop);
const baseUrl = `${address}/api/v1`;
// One pixel.
const png = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
  (character) => character.charCodeAt(0),
);

async function person(options = {}) {
  const api = new EyeMotion({ baseUrl, ...options });
  const body = { email: `${randomUUID()}@example.com`, password: 'correct horse', fullName: 'A Person' };
  const { data, error } = await api.registerUser({ body });
  assert.equal(error, undefined);
  assert.equal(api.session?.accessToken, data.session.accessToken);
  return api;
}

test('a person registers, makes a project, uploads a picture and lists it', async () => {
  const api = await person();
  const { data } = await api.createProject({ body: { name: 'First film', type: 'short_film' } });
  const projectId = data.project.id;

  const seen = { uploading: [], processing: [] };
  const uploaded = await api.upload(new File([png], 'still.png', { type: 'image/png' }), {
    projectId,
    onProgress: ({ phase, loaded, total }) => seen[phase].push([loaded, total]),
  });
  assert.equal(uploaded.error, undefined);
  assert.equal(uploaded.data.processingStatus, 'ready');
  assert.equal(uploaded.data.resolution, '1x1');
  assert.deepEqual(seen.uploading.at(-1), [png.byteLength, png.byteLength]);
  assert.deepEqual(seen.processing.at(-1), [100, 100]);

  const { data: listed } = await api.listProjectFiles({ path: { id: projectId } });
  assert.deepEqual(listed.files.map(({ id }) => id), [uploaded.data.id]);
  const { data: bytes } = await api.streamFile({ path: { id: uploaded.data.id } });
  assert.deepEqual(new Uint8Array(await bytes.arrayBuffer()), png);
});

test('errors are problems, returned or thrown', async () => {
  const api = await person();
  const path = { id: randomUUID() };
  const { data, error, response } = await api.getProject({ path });
  assert.equal(data, undefined);
  assert.ok(error instanceof EyeMotionError);
  assert.deepEqual([error.status, error.code, error.message], [404, 'project_not_found', error.detail]);
  assert.equal(error.requestId, response.headers.get('x-request-id'));
  await assert.rejects(api.getProject({ path, throwOnError: true }), { code: 'project_not_found' });
  const refused = await api.upload(new Blob([png]), { projectId: path.id, fileName: 'a.exe', fileType: 'text/html' });
  assert.equal(refused.error.code, 'unsupported_media_type');
  const nowhere = new EyeMotion({ baseUrl: 'http://127.0.0.1:9', retries: 0 });
  assert.equal((await nowhere.listPlans()).error.code, 'network_error');
});

test('every page of a list is walked', async () => {
  const api = await person();
  for (const name of ['a', 'b', 'c']) await api.createProject({ body: { name }, throwOnError: true });
  const names = [];
  const pages = api.each((cursor) => api.listProjects({ query: { cursor, limit: 1 } }));
  for await (const project of pages) names.push(project.name);
  assert.deepEqual(names, ['c', 'b', 'a']);
  const wrong = api.each(() => api.listProjects({ query: { limit: 0 } }));
  await assert.rejects(wrong.next(), { code: 'validation_failed' });
});

// Lets requests through, or answers in the server's stead.
function between(answer) {
  const sent = [];
  const send = async (request) => {
    const path = new URL(request.url).pathname.replace('/api/v1', '');
    sent.push({ path, key: request.headers.get('idempotency-key') });
    return (await answer(path, request, sent)) ?? fetch(request);
  };
  return { sent, send };
}

const problem = (status, code, headers = {}) =>
  new Response(JSON.stringify({ status, code, detail: code }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });

test('an expired access token is renewed once for all who need it', async () => {
  let expired;
  const { sent, send } = between((path, request) => {
    const old = request.headers.get('authorization') === `Bearer ${expired}`;
    return old ? problem(401, 'token_expired') : undefined;
  });
  const sessions = [];
  const api = await person({ fetch: send, onSession: (session) => sessions.push(session) });
  expired = api.session.accessToken;
  const answers = await Promise.all([api.getMe(), api.getProfile(), api.listProjects()]);
  assert.deepEqual(answers.map(({ error }) => error), [undefined, undefined, undefined]);
  assert.equal(sent.filter(({ path }) => path === '/auth/refresh').length, 1);
  assert.notEqual(api.session.accessToken, expired);
  assert.equal(sessions.length, 2);
  await api.signOut();
  assert.equal(api.session, null);
});

test('what may be repeated is, with one key; what may not is not', async () => {
  let broken = 0;
  const { sent, send } = between(async (path, request) => {
    if (broken-- <= 0) return undefined;
    // It arrived; the answer is lost.
    await fetch(request);
    throw new TypeError('fetch failed');
  });
  const api = await person({ fetch: send });
  sent.length = 0;
  broken = 2;
  const { data } = await api.createProject({ body: { name: 'Once' } });
  assert.equal(data.project.name, 'Once');
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent.map(({ key }) => key)).size, 1);
  const { data: listed } = await api.listProjects();
  assert.equal(listed.projects.length, 1);

  sent.length = 0;
  broken = 1;
  const { error } = await api.deleteProject({ path: { id: data.project.id } });
  assert.deepEqual([error.code, sent.length], ['network_error', 1]);
});

test('a server that is busy is given the time that it asks for', async () => {
  const { sent, send } = between((path, request, { length }) => {
    return length === 1 ? problem(503, 'overloaded', { 'retry-after': '0' }) : undefined;
  });
  const api = new EyeMotion({ baseUrl, fetch: send });
  assert.equal((await api.listPlans()).error, undefined);
  assert.equal(sent.length, 2);

  const busy = between(() => problem(503, 'overloaded', { 'retry-after': '3600' }));
  const answer = await new EyeMotion({ baseUrl, fetch: busy.send }).listPlans();
  assert.deepEqual([answer.error.code, busy.sent.length], ['overloaded', 1]);
});

test('the time to wait is read in both of its forms', () => {
  const wait = (value) => retryAfter(new Response(null, { headers: value ? { 'retry-after': value } : {} }));
  assert.deepEqual([wait('7'), wait('0'), wait(''), wait('soon')], [7000, 0, 0, 0]);
  assert.equal(wait(new Date(0).toUTCString()), 0);
  assert.ok(wait(new Date(Date.now() + 3_600_000).toUTCString()) > 3_000_000);
});

test('an upload can be stopped', async () => {
  const api = await person();
  const { data } = await api.createProject({ body: { name: 'Stopped' } });
  const stop = new AbortController();
  const options = { projectId: data.project.id, signal: stop.signal, onProgress: () => stop.abort() };
  const { error } = await api.upload(new File([png], 'still.png', { type: 'image/png' }), options);
  assert.equal(error.code, 'aborted');
});
