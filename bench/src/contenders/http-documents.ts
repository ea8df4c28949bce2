/** Chunks of about 128 tokens, embedded by the local provider. */
export async function createHttpCollection(url: string, name: string, dimensions: number): Promise<void> {
  const answer = await fetch(`${url}/v1/collections`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name,
      embedding: { provider: 'local', dimensions },
      chunking: { max_tokens: 128, overlap_tokens: 0 },
    }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

export async function sendDocument(
  url: string,
  collection: string,
  text: string,
  name: string,
): Promise<void> {
  const form = new FormData();
  form.append('collection', collection);
  form.append('file', new Blob([text]), `${name}.txt`);
  const answer = await fetch(`${url}/v1/uploads`, { method: 'POST', body: form });
  if (answer.status !== 202) throw new Error(await answer.text());
  await answer.body?.cancel();
}
